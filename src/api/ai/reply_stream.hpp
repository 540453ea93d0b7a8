// The pipe between a thread that reads an upstream's stream and a connection that passes it on. The writer waits while
// the reader is behind, so a slow reader costs a bounded buffer; it is told when the reader has gone.
#pragma once

#include <deque>
#include <stop_token>

#include "base/mutex.hpp"
#include "http/message.hpp"

namespace syncline::ai {

class ReplyStream {
 public:
  /// Waits while too much is unread. False when nobody reads any more.
  bool write(std::string bytes);
  /// That was all.
  void end();
  /// There is no more, but that was not all: the reader's connection is cut, so that nobody takes a part for the whole.
  void cut();
  /// Lets go of a writer that waits: nobody will read any more.
  void abandon() { gone_.request_stop(); }
  /// Requested when the reader has gone, or by abandon().
  [[nodiscard]] std::stop_token reader_gone() const { return gone_.get_token(); }

  /// The reading half, for the response. Once.
  [[nodiscard]] static std::unique_ptr<http::BodySource> make_source(std::shared_ptr<ReplyStream> stream);

 private:
  class Source;
  enum class State { open, ended, cut };
  void finish(State state);

  Mutex mutex_;
  StoppableCondVar room_;
  std::deque<std::string> unread_ GUARDED_BY(mutex_);
  std::size_t unread_bytes_ GUARDED_BY(mutex_) = 0;
  State state_ GUARDED_BY(mutex_) = State::open;
  std::function<void()> wake_ GUARDED_BY(mutex_);
  std::stop_source gone_;
};

}  // namespace syncline::ai
