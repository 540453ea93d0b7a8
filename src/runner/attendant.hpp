// Stands beside a running command and speaks with the hub: renews the lease, notices a cancellation, sends the output
// as it comes. The slot's thread makes it, gives it the output and ends it. One thread of its own renews, another
// sends; they exist only while a command takes longer than a moment.
#pragma once

#include <functional>
#include <memory>
#include <thread>

#include "base/mutex.hpp"
#include "runner/hub_link.hpp"
#include "runner/live_text.hpp"

namespace syncline::runner {

/// The connections of one slot that its attendants use, one after the other.
struct AttendantLinks {
  std::unique_ptr<HubLink> lease;
  std::unique_ptr<HubLink> output;
};

class Attendant final : public ProgramObserver {
 public:
  /// `lease_ms`: how long the hub waits for a sign of life. `on_unauthorized` is called when the key counts no more.
  Attendant(AttendantLinks& links, std::string id, std::int64_t lease_ms, StopSwitch& stop,
            std::function<void(const Error&)> on_unauthorized);
  ~Attendant() override;

  void on_output(Stream stream, std::string_view bytes) override;
  [[nodiscard]] bool on_still_running() override;

  /// The command has ended: sends the rest of the output, for a short time at most, and stops.
  void finish();

 private:
  void keep_lease(const std::stop_token& stop);
  void send_output(const std::stop_token& stop);
  /// False when there is nothing more to ask: the command was stopped.
  [[nodiscard]] bool judge(const Result<Standing>& standing);

  AttendantLinks& links_;
  const std::string id_;
  const std::int64_t lease_ms_;
  StopSwitch& switch_;
  const std::function<void(const Error&)> on_unauthorized_;

  Mutex mutex_;
  StoppableCondVar changed_;
  LiveText out_ GUARDED_BY(mutex_);
  LiveText err_ GUARDED_BY(mutex_);
  bool ended_ GUARDED_BY(mutex_) = false;
  bool all_sent_ GUARDED_BY(mutex_) = false;

  // Of the thread that runs the command.
  bool attended_ = false;
  std::jthread lease_thread_;
  std::jthread output_thread_;
};

}  // namespace syncline::runner
