#include "api/oidc/flow.hpp"

#include <algorithm>

#include "base/bytes.hpp"
#include "base/hmac.hpp"
#include "base/text.hpp"

namespace syncline::oidc {
namespace {

constexpr std::size_t kStateRandomBytes = 16;
constexpr std::size_t kCookieRandomBytes = 32;
constexpr std::size_t kReturnToBytesMax = 512;
constexpr std::size_t kStateBytesMax = 200;

/// The cookie: random bytes, what is wanted as letters, the session, and where to return to.
std::string write_cookie(const Wanted& wanted) {
  std::string flags;
  if (wanted.keep) flags += 'k';
  if (wanted.is_phone) flags += 'p';
  if (wanted.links) flags += 'l';
  return to_base64url(random_bytes(kCookieRandomBytes)) + '.' + flags + '.' + wanted.session_id + '.' +
         to_base64url(wanted.return_to);
}

/// Only for a cookie whose seal is right.
Wanted read_cookie(std::string_view cookie) {
  const auto parts = split(cookie, '.');
  if (parts.size() != 4) return {};
  return {.return_to = from_base64url(parts[3]).value_or("/"),
          .session_id = std::string(parts[2]),
          .keep = parts[1].contains('k'),
          .is_phone = parts[1].contains('p'),
          .links = parts[1].contains('l')};
}

/// When a state with a right seal ends.
Timestamp end_of_state(std::string_view head) { return {parse_integer(head.substr(head.find('~') + 1)).value_or(0)}; }

}  // namespace

Flows::Flows(const Clock& clock) : clock_(clock), secret_(random_bytes(32)) {}

std::string Flows::derive(std::string_view what, std::string_view state, std::string_view cookie) const {
  std::string message(what);
  message.append(" ").append(state).append(" ").append(cookie);  // neither has a space
  return to_base64url(as_text(hmac_sha256(secret_, message)));
}

Flows::Begun Flows::begin(const Wanted& wanted) const {
  Begun begun{.state = to_base64url(random_bytes(kStateRandomBytes)) + '~' +
                       std::to_string(clock_.now().plus_micros(kSeconds * kMicrosPerSecond).micros),
              .cookie = write_cookie(wanted),
              .nonce = {},
              .challenge = {}};
  begun.state += '.' + derive("state", begun.state, begun.cookie);
  begun.nonce = derive("nonce", begun.state, begun.cookie);
  begun.challenge = to_base64url(as_text(sha256(derive("verifier", begun.state, begun.cookie))));
  return begun;
}

Result<Flows::Returned> Flows::finish(const std::string& state, std::string_view cookie) {
  const auto refuse = [](std::string_view why) {
    return fail(ErrorCode::unauthorized, "this sign-in " + std::string(why) + "; begin again");
  };
  const std::size_t dot = std::min(state.size(), state.find('.'));
  const std::string head = state.substr(0, dot);
  if (state.size() > kStateBytesMax || cookie.contains(' ') || dot == state.size() ||
      !equal_in_constant_time(state.substr(dot + 1), derive("state", head, cookie))) {
    return refuse("was not begun in this browser, or the hub has restarted since");
  }
  const Timestamp now = clock_.now();
  const Timestamp end = end_of_state(head);
  if (end <= now) return refuse("took longer than " + std::to_string(kSeconds / 60) + " minutes");
  {
    const MutexLock lock(mutex_);
    std::erase_if(used_, [&](const auto& entry) { return entry.second <= now; });
    if (used_.size() >= kUsedMax) return fail(ErrorCode::busy, "too many sign-ins at once; try again in some minutes");
    if (!used_.emplace(state, end).second) return refuse("was finished already");
  }
  return Returned{.wanted = read_cookie(cookie),
                  .nonce = derive("nonce", state, cookie),
                  .verifier = derive("verifier", state, cookie)};
}

Result<> check_return_to(std::string_view path) {
  const bool is_plain = std::ranges::all_of(path, [](char c) { return c > ' ' && c < 0x7F && c != '\\'; });
  if (is_plain && path.size() <= kReturnToBytesMax && path.starts_with('/') && !path.starts_with("//")) return {};
  return fail(ErrorCode::invalid_argument, "return_to must be a path of this hub, like /console/");
}

}  // namespace syncline::oidc
