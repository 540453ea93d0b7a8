#include "runner/attendant.hpp"

#include "base/log.hpp"
#include "base/stop.hpp"

namespace syncline::runner {
namespace {

using Milliseconds = std::chrono::milliseconds;

constexpr Milliseconds kGather{100};  // output is sent in pieces, not byte by byte
constexpr std::size_t kPieceBytes = 32UL << 10U;
constexpr Milliseconds kFlush{3000};
constexpr Milliseconds kPauseAfterError{2000};

}  // namespace

Attendant::Attendant(AttendantLinks& links, std::string id, std::int64_t lease_ms, StopSwitch& stop,
                     std::function<void(const Error&)> on_unauthorized)
    : links_(links),
      id_(std::move(id)),
      lease_ms_(lease_ms),
      switch_(stop),
      on_unauthorized_(std::move(on_unauthorized)) {}

Attendant::~Attendant() { finish(); }

void Attendant::on_output(Stream stream, std::string_view bytes) {
  const MutexLock lock(mutex_);
  (stream == Stream::out ? out_ : err_).add(bytes);
  changed_.notify_all();
}

bool Attendant::on_still_running() {
  try {
    lease_thread_ = std::jthread([this](const std::stop_token& stop) { keep_lease(stop); });
    output_thread_ = std::jthread([this](const std::stop_token& stop) { send_output(stop); });
    attended_ = true;
  } catch (const std::system_error& error) {  // too many threads on this machine, perhaps the command's own
    lease_thread_ = {};
    log(LogLevel::warning, "not_attended", {{"command", id_}, {"error", error.what()}});
  }
  return attended_;
}

void Attendant::finish() {
  if (!std::exchange(attended_, false)) return;
  lease_thread_.request_stop();
  {
    const Deadline flushed = Deadline::clock::now() + kFlush;
    const MutexLock lock(mutex_);
    ended_ = true;
    changed_.notify_all();
    while (!all_sent_ && changed_.wait_until(mutex_, flushed)) {
    }
  }
  output_thread_.request_stop();
  lease_thread_.join();
  output_thread_.join();
}

bool Attendant::judge(const Result<Standing>& standing) {
  if (!standing) {
    if (standing.error().code == ErrorCode::unauthorized) {
      on_unauthorized_(standing.error());
      return false;
    }
    return true;  // the hub is away: the command continues, and its outcome is kept
  }
  if (!standing->is_ours) {
    switch_.stop("stopped: this runner no longer owns the command");
  } else if (standing->cancel_requested) {
    switch_.stop("cancelled");
  }
  return standing->is_ours && !standing->cancel_requested;
}

void Attendant::keep_lease(const std::stop_token& stop) {
  const std::int64_t wait_seconds = std::clamp<std::int64_t>(lease_ms_ / 3000, 1, 30);
  while (!stop.stop_requested()) {
    if (!judge(links_.lease->renew(id_, stop))) return;
    const auto standing = links_.lease->watch(id_, wait_seconds, stop);
    if (!judge(standing)) return;
    if (standing) continue;
    wait_unless_stopped(stop, kPauseAfterError);
  }
}

void Attendant::send_output(const std::stop_token& stop) {
  MutexLock lock(mutex_);
  while (!stop.stop_requested()) {
    while (!ended_ && out_.empty() && err_.empty() && changed_.wait(mutex_, stop)) {
    }
    const Deadline gathered = Deadline::clock::now() + kGather;
    while (!ended_ && changed_.wait_until(mutex_, stop, gathered)) {
    }
    const bool last = ended_;
    for (const Stream stream : {Stream::out, Stream::err}) {
      LiveText& live = stream == Stream::out ? out_ : err_;
      const std::string text = live.take(kPieceBytes, last);
      if (text.empty()) continue;
      lock.unlock();
      const auto sent = links_.output->send_output(id_, stream, text, stop);
      if (!sent) log(LogLevel::debug, "output_not_sent", {{"command", id_}, {"error", sent.error().text}});
      lock.lock();
    }
    if (last && out_.empty() && err_.empty()) {
      all_sent_ = true;
      changed_.notify_all();
      return;
    }
  }
}

}  // namespace syncline::runner
