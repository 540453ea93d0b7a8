#include "service/first_run.hpp"

#include "base/bytes.hpp"
#include "service/access_records.hpp"
#include "service/short_code.hpp"

namespace syncline {

using namespace access;

namespace {

/// Under which name wrong codes of everybody are counted.
constexpr const char* kAnybody = "anybody";

std::unexpected<Error> no_hub() {
  return fail(ErrorCode::unavailable, "no hub runs on this directory; start it, and it prints the code");
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
  bool has_admin = false;
  CHECK_OK(directory_.read([&](DirectoryView& view) -> Result<> {
    TRY(has_admin, has_admin_in(view));
    return {};
  }));
  return !has_admin;
}

Result<> FirstRun::check_needed() {
  TRY(const bool needed, is_needed());
  if (needed) return {};
  return fail(
      ErrorCode::conflict,
      "this hub is set up already; 'syncline account invite EMAIL' lets another person in, and 'syncline account "
      "reset EMAIL' sets a new password");
}

FirstRun::Code FirstRun::current() {
  if (code_.empty() || expires_at_ <= clock_.now()) {
    code_ = make_short_code();
    expires_at_ = clock_.now().plus_micros(kCodeSeconds * kMicrosPerSecond);
    wrong_ = 0;
  }
  const std::string text = group_short_code(code_);
  return {.text = text, .link = base_url_ + "/setup#" + text, .expires_at = expires_at_};
}

Result<FirstRun::Code> FirstRun::code() {
  CHECK_OK(check_needed());
  const MutexLock lock(mutex_);
  if (!show_) return no_hub();
  return current();
}

Result<FirstRun::Code> FirstRun::renew() {
  CHECK_OK(check_needed());
  const MutexLock lock(mutex_);
  if (!show_) return no_hub();
  code_.clear();
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
    if (!is_over && equal_in_constant_time(code_, read_short_code(code))) return {};
    wrong_ += 1;
    fault = is_over ? "the code has expired; the hub has printed a new one" : tries_left(wrong_);
    if (!is_over && wrong_ >= kTriesMax) {
      fault = "wrong code; that was the last try, and the hub has printed a new code";
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
                                        const Caller& caller, const std::function<Result<>()>& prepare) {
  CHECK_OK(check_needed());
  CHECK_OK(check_code(code, caller));
  TRY(const auto taken, access_.find_account(email));  // before a hash is made for nothing
  if (taken) return fail(ErrorCode::conflict, "an account with this email address already exists");
  if (prepare) CHECK_OK(prepare());
  BrowserSession session;
  CHECK_OK(sessions_.add_admin(email, password, [&](DirectoryTxn& txn, const Account& account) -> Result<> {
    TRY(session, BrowserSessions::open(txn, account, nullptr, {}, caller));
    return {};
  }));
  const MutexLock lock(mutex_);
  code_.clear();
  return session;
}

}  // namespace syncline
