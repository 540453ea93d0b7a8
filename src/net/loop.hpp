// An event loop with its thread and its connections. Deadlines are not timers of their own: each connection has one
// number, and a sweep twice a second closes those whose time is over. That costs nothing per request. The loop's thread
// calls the connections; other threads only post to it.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <functional>
#include <memory>
#include <thread>
#include <unordered_map>
#include <utility>
#include <vector>

#include "base/scheduler.hpp"
#include "http/message.hpp"
#include "net/asio_forward.hpp"

namespace syncline::net {

[[nodiscard]] std::int64_t steady_ms();

/// What a loop does to its connections. Called on the loop's thread only.
class Connection {
 public:
  virtual ~Connection() = default;
  /// Keeps it alive. Null when everybody has let go of it and its end is on the way to the loop: nothing may be done to
  /// it any more.
  [[nodiscard]] virtual std::shared_ptr<void> hold() = 0;
  /// Closes or pings if it is time.
  virtual void sweep(std::int64_t now_ms) = 0;
  /// The server is stopping: finish what is in progress, then close.
  virtual void drain() = 0;
  /// Close now.
  virtual void abort() = 0;
};

class Loop final : public EventLoop {
 public:
  Loop();
  ~Loop() override;

  [[nodiscard]] asio::io_context& context();
  void start();
  /// Ends the thread, then runs what was posted until now on the calling one.
  void stop();

  // From any thread.
  void post(std::move_only_function<void()> run) override;
  /// Runs at once on the loop's thread, soon on any other. What `run` throws goes to the loop in both cases, never to
  /// the caller.
  template <typename Run>
  void dispatch(Run&& run) {
    if (!is_current()) return post(std::forward<Run>(run));
    try {
      run();
    } catch (...) {
      post([error = std::current_exception()] { std::rethrow_exception(error); });
    }
  }
  [[nodiscard]] std::size_t connection_count() const { return count_; }

  // On the loop's thread only.
  void add(Connection& connection);
  void remove(Connection& connection);
  void drain_connections();
  void abort_connections();

 private:
  struct Parts;

  /// True on a thread that runs the loop.
  [[nodiscard]] bool is_current() const;
  /// `act` may end connections. Those whose end is on its way are left out.
  void for_each_connection(const std::function<void(Connection&)>& act);
  void sweep_later();

  // Before the parts: handlers that they still hold at their end own connections, which leave these lists.
  std::vector<Connection*> connections_;
  std::unordered_map<Connection*, std::size_t> places_;
  std::atomic<std::size_t> count_ = 0;
  const std::unique_ptr<Parts> parts_;
  std::thread thread_;
};

/// A connection that is destroyed on its loop, whichever thread lets go of it last.
template <typename Made, typename... Arguments>
std::shared_ptr<Made> make_on_loop(Loop& loop, Arguments&&... arguments) {
  return std::shared_ptr<Made>(new Made(std::forward<Arguments>(arguments)...),
                               [&loop](Made* made) { loop.dispatch([owned = std::unique_ptr<Made>(made)] {}); });
}

/// Has `pump` called on the loop: soon, once for any number of calls meanwhile, or now. Never holds the connection for
/// longer than that, so it cannot be the last to let go of it on another thread.
template <typename Connected>
http::Wake make_wake(Loop& loop, std::weak_ptr<Connected> weak, void (Connected::*pump)()) {
  auto now = [weak = std::move(weak), pump] {
    if (const auto connected = weak.lock()) ((*connected).*pump)();
  };
  auto soon = [&loop, now, posted = std::make_shared<std::atomic<bool>>(false)] {
    if (posted->exchange(true)) return;
    loop.post([now, posted] {
      *posted = false;
      now();
    });
  };
  return {.soon = std::move(soon), .now = std::move(now), .loop = &loop};
}

/// Timers and posts on the loops, in turn.
class LoopScheduler final : public Scheduler {
 public:
  explicit LoopScheduler(std::vector<std::unique_ptr<Loop>>& loops) : loops_(loops) {}
  void post(std::move_only_function<void()> run) override;
  [[nodiscard]] std::unique_ptr<Timer> after_ms(std::int64_t delay_ms, std::move_only_function<void()> run) override;

 private:
  [[nodiscard]] Loop& next();

  std::vector<std::unique_ptr<Loop>>& loops_;
  std::atomic<std::size_t> turn_ = 0;
};

}  // namespace syncline::net
