// SIGINT and SIGTERM as a request to stop, for commands that have something to finish first. The signal sets a flag; a
// thread of its own passes it on to the stop token, which any thread may ask.
#pragma once

#include <stop_token>
#include <thread>

namespace syncline::app {

/// While it lives the first signal is a request; the second ends the process at once. One at a time in a process.
class InterruptWatch {
 public:
  InterruptWatch();
  [[nodiscard]] std::stop_token token() const { return interrupted_.get_token(); }
  [[nodiscard]] bool interrupted() const { return interrupted_.stop_requested(); }

 private:
  std::stop_source interrupted_;
  std::jthread thread_;
};

}  // namespace syncline::app
