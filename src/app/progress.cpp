#include "app/progress.hpp"

#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdio>

#include "base/stop.hpp"

namespace syncline::app {
namespace {

constexpr int kBarWidth = 20;
constexpr std::chrono::milliseconds kEach{200};
/// Work that is over before is not worth a line.
constexpr std::chrono::milliseconds kFirst{500};

}  // namespace

std::string bar_text(std::int64_t done, std::int64_t total) {
  if (total <= 0) return "";
  done = std::clamp<std::int64_t>(done, 0, total);
  const auto filled = static_cast<std::size_t>(kBarWidth * done / total);
  return '[' + std::string(filled, '#') + std::string(kBarWidth - filled, '.') + "] " +
         std::to_string(100 * done / total) + " %, " + std::to_string(done) + " of " + std::to_string(total);
}

Progress::Progress(std::string what, OutputForm form, std::function<std::string()> how_far)
    : what_(std::move(what)), how_far_(std::move(how_far)) {
  if (form == OutputForm::text && ::isatty(STDERR_FILENO) != 0) {
    thread_ = std::jthread([this](const std::stop_token& stop) { run(stop); });
  }
}

void Progress::run(const std::stop_token& stop) const {
  const auto began = std::chrono::steady_clock::now();
  bool is_shown = false;
  for (auto wait = kFirst; wait_unless_stopped(stop, wait), !stop.stop_requested(); wait = kEach) {
    const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(std::chrono::steady_clock::now() - began);
    std::string text = how_far_ ? how_far_() : "";
    if (text.empty()) text = "... " + std::to_string(seconds.count()) + " s";
    std::fprintf(stderr, "\r\033[K%s %s", what_.c_str(), text.c_str());
    is_shown = true;
  }
  if (is_shown) std::fprintf(stderr, "\r\033[K");
}

}  // namespace syncline::app
