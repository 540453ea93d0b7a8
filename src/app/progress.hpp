// Shows on a terminal that long work continues, and how far it is. The working thread makes and ends it; a thread of
// its own draws, and calls `how_far` for that.
#pragma once

#include <functional>
#include <string>
#include <thread>

#include "app/output.hpp"

namespace syncline::app {

/// "[#####...............] 25 %, 1200 of 4800"; empty if there is nothing to do.
[[nodiscard]] std::string bar_text(std::int64_t done, std::int64_t total);

/// A line on standard error while it lives, if that is a terminal and people read the output.
class Progress {
 public:
  /// `how_far` is asked on a thread of its own; the seconds are shown where it says nothing. Null: always those.
  Progress(std::string what, OutputForm form, std::function<std::string()> how_far = nullptr);

 private:
  void run(const std::stop_token& stop) const;

  const std::string what_;
  const std::function<std::string()> how_far_;
  std::jthread thread_;
};

}  // namespace syncline::app
