#include "app/interrupt.hpp"

#include <signal.h>
#include <unistd.h>

#include <atomic>
#include <chrono>

#include "app/exit_codes.hpp"

namespace syncline::app {
namespace {

std::atomic<bool> interrupt_came = false;
static_assert(std::atomic<bool>::is_always_lock_free);

}  // namespace

InterruptWatch::InterruptWatch() {
  struct sigaction action{};
  action.sa_handler = [](int) {
    if (interrupt_came.exchange(true)) ::_exit(kExitInterrupted);
  };
  for (const int number : {SIGINT, SIGTERM}) ::sigaction(number, &action, nullptr);
  thread_ = std::jthread([this](const std::stop_token& stop) {
    while (!stop.stop_requested()) {
      if (interrupt_came) interrupted_.request_stop();
      std::this_thread::sleep_for(std::chrono::milliseconds(50));
    }
  });
}

bool InterruptWatch::interrupted() { return interrupt_came; }

}  // namespace syncline::app
