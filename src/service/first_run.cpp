#include "service/first_run.hpp"

#include "base/bytes.hpp"
#include "service/access_records.hpp"

namespace syncline {

using namespace access;

namespace {

/// Crockford's base 32: no letter looks like a digit.
constexpr std::string_view kDigits = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
constexpr std::size_t kCodeDigits = 8;
/// Under which name wrong codes of everybody are counted.
constexpr const char* kAnybody = "anybody";

std::string make_code() {
  std::string code;
  for (const char byte : random_bytes(kCodeDigits)) code += kDigits[static_cast<unsigned char>(byte) % kDigits.size()];
  return code;
}

/// As the digits that are meant: people add dashes, and read O for 0.
std::string normalise(std::string_view typed) {
  std::string code;
  for (const char c : typed.substr(0, 4 * kCodeDigits)) {
    const char upper = c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
    if (upper == '-' || upper == ' ') continue;
    code += upper == 'O' ? '0' : upper == 'I' || upper == 'L' ? '1' : upper;
  }
  return code;
}

std::string tries_left(int wrong) {
  const int left = FirstRun::kTriesMax - wrong;
  return "wrong code; " + std::to_string(left) + (left == 1 ? " try is left" : " tries are left");
}

}  // namespace

void FirstRun::serve(std::string base_url, Show show) {
  const MutexLock lock(mutex_);
  base_url_ = std::move(base_url);
  show_ = std::move(show);
}

Result<bool> FirstRun::is_needed() {
  if (is_done_) return false;
  bool has_admin = false;
  CHECK_OK(directory_.read([&](DirectoryView& view) -> Result<> {
    TRY(has_admin, has_admin_in(view));
    return {};
  }));
  if (has_admin) is_done_ = true;
  return !has_admin;
}

Result<> FirstRun::check_needed() {
  TRY(const bool needed, is_needed());
  if (needed) return {};
  return fail(ErrorCode::conflict, "this hub is set up already; its admin invites further people");
}

FirstRun::Code FirstRun::current() {
  if (code_.empty() || expires_at_ <= clock_.now()) {
    code_ = make_code();
    expires_at_ = clock_.now().plus_micros(kCodeSeconds * kMicrosPerSecond);
    wrong_ = 0;
  }
  const std::string text = code_.substr(0, kCodeDigits / 2) + '-' + code_.substr(kCodeDigits / 2);
  return {.text = text, .link = base_url_ + "/setup#" + text, .expires_at = expires_at_};
}

Result<FirstRun::Code> FirstRun::code() {
  CHECK_OK(check_needed());
  const MutexLock lock(mutex_);
  if (!show_) return fail(ErrorCode::unavailable, "no hub runs on this directory; start it, and it prints the code");
  return current();
}

Result<> FirstRun::check_code(std::string_view code, const Caller& caller) {
  const std::string counted = counted_peer(caller.address);
  CHECK_OK(by_peer_.check(counted, clock_.now()));
  CHECK_OK(by_anybody_.check(kAnybody, clock_.now()));
  std::optional<Code> replaced;
  Show show;
  std::string fault;
  {
    const MutexLock lock(mutex_);
    const bool is_over = code_.empty() || expires_at_ <= clock_.now();
    if (!is_over && equal_in_constant_time(code_, normalise(code))) return {};
    wrong_ += 1;
    fault = is_over ? "the code has expired; the hub has printed a new one" : tries_left(wrong_);
    if (!is_over && wrong_ >= kTriesMax) {
      fault = "wrong code, and the last try; the hub has printed a new one";
      code_.clear();
    }
    if (is_over || code_.empty()) replaced = current();
    show = show_;
  }
  by_peer_.note_failure(counted, clock_.now());
  by_anybody_.note_failure(kAnybody, clock_.now());
  access_.audit().note_refusal({.action = "setup.refused", .account = {}, .target = {}, .detail = "a wrong code"});
  if (replaced && show) show(*replaced);
  return fail(ErrorCode::forbidden, fault);
}

Result<BrowserSession> FirstRun::set_up(std::string_view code, std::string_view email, std::string_view password,
                                        const Caller& caller) {
  CHECK_OK(check_needed());
  CHECK_OK(check_code(code, caller));
  TRY(const auto taken, access_.find_account(email));  // before a hash is made for nothing
  if (taken) return fail(ErrorCode::conflict, "an account with this email address already exists");
  BrowserSession session;
  CHECK_OK(sessions_.add_admin(email, password, [&](DirectoryTxn& txn, const Account& account) -> Result<> {
    TRY(session, BrowserSessions::open(txn, account, nullptr, {}, caller));
    return {};
  }));
  is_done_ = true;
  const MutexLock lock(mutex_);
  code_.clear();
  return session;
}

}  // namespace syncline
