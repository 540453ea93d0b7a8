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
  /// From the moment of the signal on; the token may need a few milliseconds more.
  [[nodiscard]] static bool interrupted();

 private:
  std::stop_source interrupted_;
  std::jthread thread_;
};

}  // namespace syncline::app
