#include "net/loop.hpp"

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <chrono>
#include <exception>

#include "base/log.hpp"
#include "base/thread_name.hpp"

namespace syncline::net {
namespace {

constexpr auto kSweepInterval = std::chrono::milliseconds(500);

}  // namespace

std::int64_t steady_ms() {
  using namespace std::chrono;
  return duration_cast<milliseconds>(steady_clock::now().time_since_epoch()).count();
}

struct Loop::Parts {
  asio::io_context context{1};
  asio::executor_work_guard<asio::io_context::executor_type> work{context.get_executor()};
  asio::steady_timer sweep_timer{context};
};

Loop::Loop() : parts_(std::make_unique<Parts>()) {}

Loop::~Loop() { stop(); }

asio::io_context& Loop::context() { return parts_->context; }

bool Loop::is_current() const { return parts_->context.get_executor().running_in_this_thread(); }

void Loop::post(std::move_only_function<void()> run) { asio::post(parts_->context, std::move(run)); }

void Loop::start() {
  sweep_later();
  thread_ = std::thread([this] {
    name_thread("loop");
    for (;;) {
      try {
        parts_->context.run();
        return;
      } catch (const std::exception& exception) {
        // One connection's handler threw; the others go on.
        log(LogLevel::error, "handler_threw", {{"error", exception.what()}});
      }
    }
  });
}

void Loop::stop() {
  parts_->context.stop();
  if (!thread_.joinable()) return;
  thread_.join();
  parts_->context.restart();
  parts_->context.poll();
}

void Loop::add(Connection& connection) {
  places_[&connection] = connections_.size();
  connections_.push_back(&connection);
  count_ = connections_.size();
}

void Loop::remove(Connection& connection) {
  const auto found = places_.find(&connection);
  if (found == places_.end()) return;
  const std::size_t place = found->second;
  places_.erase(found);
  if (place + 1 != connections_.size()) {
    connections_[place] = connections_.back();
    places_[connections_[place]] = place;
  }
  connections_.pop_back();
  count_ = connections_.size();
}

void Loop::for_each_connection(const std::function<void(Connection&)>& act) {
  const auto copy = connections_;
  for (Connection* connection : copy) {
    if (const auto held = connection->hold()) act(*connection);
  }
}

void Loop::drain_connections() {
  for_each_connection([](Connection& connection) { connection.drain(); });
}

void Loop::abort_connections() {
  for_each_connection([](Connection& connection) { connection.abort(); });
}

void Loop::sweep_later() {
  parts_->sweep_timer.expires_after(kSweepInterval);
  parts_->sweep_timer.async_wait([this](const boost::system::error_code& error) {
    if (error) return;
    const std::int64_t now_ms = steady_ms();
    for_each_connection([now_ms](Connection& connection) { connection.sweep(now_ms); });
    sweep_later();
  });
}

Loop& LoopScheduler::next() { return *loops_[turn_++ % loops_.size()]; }

void LoopScheduler::post(std::move_only_function<void()> run) { next().post(std::move(run)); }

std::unique_ptr<Timer> LoopScheduler::after_ms(std::int64_t delay_ms, std::move_only_function<void()> run) {
  /// The asio timer lives on its loop; cancelling is a flag that the handler looks at, so any thread may do it.
  struct LoopTimer final : Timer {
    struct State {
      explicit State(asio::io_context& context) : timer(context) {}
      asio::steady_timer timer;
      std::atomic<bool> cancelled = false;
    };
    explicit LoopTimer(std::shared_ptr<State> of, asio::io_context& on) : state(std::move(of)), context(on) {}
    ~LoopTimer() override {
      if (state->cancelled.exchange(true)) return;
      asio::post(context, [to_cancel = state] { to_cancel->timer.cancel(); });
    }
    std::shared_ptr<State> state;
    asio::io_context& context;
  };
  asio::io_context& context = next().context();
  auto state = std::make_shared<LoopTimer::State>(context);
  asio::post(context, [state, delay_ms, run = std::move(run)]() mutable {
    if (state->cancelled) return;
    state->timer.expires_after(std::chrono::milliseconds(delay_ms));
    state->timer.async_wait([state, run = std::move(run)](const boost::system::error_code& error) mutable {
      if (!error && !state->cancelled.exchange(true)) run();
    });
  });
  return std::make_unique<LoopTimer>(std::move(state), context);
}

}  // namespace syncline::net
