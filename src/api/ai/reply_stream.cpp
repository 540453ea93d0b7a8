#include "api/ai/reply_stream.hpp"

namespace syncline::ai {
namespace {

constexpr std::size_t kUnreadBytesMax = 256UL << 10U;

}  // namespace

class ReplyStream::Source final : public http::BodySource {
 public:
  explicit Source(std::shared_ptr<ReplyStream> stream) : stream_(std::move(stream)) {}
  ~Source() override { leave(); }

  void start(http::Wake wake) override {
    const MutexLock lock(stream_->mutex_);
    stream_->wake_ = std::move(wake.soon);
  }

  Next next() override {
    const MutexLock lock(stream_->mutex_);
    if (stream_->unread_.empty()) {
      if (stream_->state_ == State::ended) return End{};
      if (stream_->state_ == State::cut) return Abort{};
      return Wait{};
    }
    auto bytes = std::make_shared<const std::string>(std::move(stream_->unread_.front()));
    stream_->unread_.pop_front();
    stream_->unread_bytes_ -= bytes->size();
    stream_->room_.notify_all();
    return Chunk{std::move(bytes)};
  }

  void stop() override { stream_->gone_.request_stop(); }

 private:
  void leave() {
    {
      const MutexLock lock(stream_->mutex_);
      stream_->wake_ = nullptr;
    }
    stream_->gone_.request_stop();
  }

  const std::shared_ptr<ReplyStream> stream_;
};

bool ReplyStream::write(std::string bytes) {
  const std::stop_token gone = gone_.get_token();
  const MutexLock lock(mutex_);
  while (unread_bytes_ >= kUnreadBytesMax && room_.wait(mutex_, gone)) {
  }
  if (gone.stop_requested()) return false;
  unread_bytes_ += bytes.size();
  unread_.push_back(std::move(bytes));
  if (wake_) wake_();
  return true;
}

void ReplyStream::end() { finish(State::ended); }

void ReplyStream::cut() { finish(State::cut); }

void ReplyStream::finish(State state) {
  const MutexLock lock(mutex_);
  state_ = state;
  if (wake_) wake_();
}

std::unique_ptr<http::BodySource> ReplyStream::make_source(std::shared_ptr<ReplyStream> stream) {
  return std::make_unique<Source>(std::move(stream));
}

}  // namespace syncline::ai
