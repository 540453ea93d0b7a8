// An event loop with its thread and its connections. Deadlines are not timers of their own: each connection has one
// number, and a sweep twice a second closes those whose time is over. That costs nothing per request.
#pragma once

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <thread>

#include "net/server.hpp"

namespace syncline::net {

namespace asio = boost::asio;

[[nodiscard]] std::int64_t steady_ms();

/// What a loop does to its connections. Called on the loop's thread only.
class Connection {
 public:
  virtual ~Connection() = default;
  /// Closes or pings if it is time.
  virtual void sweep(std::int64_t now_ms) = 0;
  /// The server is stopping: finish what is in progress, then close.
  virtual void drain() = 0;
  /// Close now.
  virtual void abort() = 0;
};

class Loop {
 public:
  Loop();
  ~Loop();

  [[nodiscard]] asio::io_context& context() { return context_; }
  void start();
  /// Ends the thread; handlers that have not run are destroyed.
  void stop();

  // On the loop's thread only.
  void add(Connection& connection);
  void remove(Connection& connection);
  void drain_connections();
  void abort_connections();

  [[nodiscard]] std::size_t connection_count() const { return count_; }

 private:
  void sweep_later();

  asio::io_context context_;
  asio::executor_work_guard<asio::io_context::executor_type> work_;
  asio::steady_timer sweep_timer_;
  std::vector<Connection*> connections_;
  std::unordered_map<Connection*, std::size_t> places_;
  std::atomic<std::size_t> count_ = 0;
  std::thread thread_;
};

/// Timers and posts on the loops, in turn.
class LoopScheduler final : public Scheduler {
 public:
  explicit LoopScheduler(std::vector<std::unique_ptr<Loop>>& loops) : loops_(loops) {}
  void post(std::function<void()> run) override;
  [[nodiscard]] std::unique_ptr<Timer> after_ms(std::int64_t delay_ms, std::function<void()> run) override;

 private:
  [[nodiscard]] Loop& next();

  std::vector<std::unique_ptr<Loop>>& loops_;
  std::atomic<std::size_t> turn_ = 0;
};

}  // namespace syncline::net
