#include "api/page_source.hpp"

#include "base/limits.hpp"
#include "base/log.hpp"

namespace syncline::api {
namespace {

class PageSource final : public http::BodySource {
 public:
  PageSource(std::string first, std::unique_ptr<ChunkWriter> writer)
      : first_(std::move(first)), writer_(std::move(writer)) {}

  void start(http::Wake) override {}
  void stop() override {}

  Next next() override {
    if (!first_.empty()) return Chunk{std::make_shared<std::string>(std::exchange(first_, {}))};
    if (done_) return End{};
    auto chunk = std::make_shared<std::string>();
    chunk->reserve(limits::kStreamChunkBytes + limits::kStreamChunkBytes / 4);
    const auto state = writer_->write(*chunk);
    if (!state) {
      log(LogLevel::error, "stream_failed", {{"error", state.error().text}});
      return Abort{};
    }
    done_ = *state == ChunkWriter::State::done;
    return Chunk{std::move(chunk)};
  }

 private:
  std::string first_;
  std::unique_ptr<ChunkWriter> writer_;
  bool done_ = false;
};

}  // namespace

Result<http::Response> make_page(std::unique_ptr<ChunkWriter> writer) {
  std::string first;
  TRY(const auto state, writer->write(first));
  http::Response response;
  if (state == ChunkWriter::State::done) {
    response.body = std::move(first);
  } else {
    response.body = std::make_unique<PageSource>(std::move(first), std::move(writer));
  }
  return response;
}

}  // namespace syncline::api
