#include "net/loop.hpp"

#include "base/log.hpp"

namespace syncline::net {
namespace {

constexpr auto kSweepInterval = std::chrono::milliseconds(500);

}  // namespace

std::int64_t steady_ms() {
  using namespace std::chrono;
  return duration_cast<milliseconds>(steady_clock::now().time_since_epoch()).count();
}

Loop::Loop() : context_(1), work_(context_.get_executor()), sweep_timer_(context_) {}

Loop::~Loop() { stop(); }

void Loop::start() {
  sweep_later();
  thread_ = std::thread([this] {
    for (;;) {
      try {
        context_.run();
        return;
      } catch (const std::exception& exception) {
        // One connection's handler threw; the others go on.
        log(LogLevel::error, "handler_threw", {{"error", exception.what()}});
      }
    }
  });
}

void Loop::stop() {
  context_.stop();
  if (!thread_.joinable()) return;
  thread_.join();
  context_.restart();
  context_.poll();
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

void Loop::drain_connections() {
  for_each_connection([](Connection& connection) { connection.drain(); });
}

void Loop::abort_connections() {
  for_each_connection([](Connection& connection) { connection.abort(); });
}

void Loop::sweep_later() {
  sweep_timer_.expires_after(kSweepInterval);
  sweep_timer_.async_wait([this](const boost::system::error_code& error) {
    if (error) return;
    const std::int64_t now_ms = steady_ms();
    for_each_connection([now_ms](Connection& connection) { connection.sweep(now_ms); });
    sweep_later();
  });
}

Loop& LoopScheduler::next() { return *loops_[turn_++ % loops_.size()]; }

void LoopScheduler::post(std::function<void()> run) { asio::post(next().context(), std::move(run)); }

std::unique_ptr<Timer> LoopScheduler::after_ms(std::int64_t delay_ms, std::function<void()> run) {
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
    state->timer.async_wait([state, run = std::move(run)](const boost::system::error_code& error) {
      if (!error && !state->cancelled.exchange(true)) run();
    });
  });
  return std::make_unique<LoopTimer>(std::move(state), context);
}

}  // namespace syncline::net
