#include "api/ai/reply_stream.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <thread>

namespace syncline::ai {
namespace {

TEST(ReplyStream, forwards_everything_in_order_and_applies_back_pressure) {
  const auto stream = std::make_shared<ReplyStream>();
  constexpr int kPieces = 200;
  std::atomic<int> written = 0;
  std::thread writer([&] {
    for (int i = 0; i < kPieces; ++i) {
      EXPECT_TRUE(stream->write(std::string(10'000, static_cast<char>('a' + i % 26))));
      written += 1;
    }
    stream->end();
  });
  const auto source = ReplyStream::make_source(stream);
  std::atomic<bool> woken = false;
  source->start({[&] { woken = true; }});
  std::string read;
  for (;;) {
    auto next = source->next();
    if (std::holds_alternative<http::BodySource::End>(next)) break;
    if (auto* chunk = std::get_if<http::BodySource::Chunk>(&next)) {
      read += *chunk->bytes;
      EXPECT_LE(written * 10'000, static_cast<int>(read.size()) + 300'000) << "a bounded buffer";
    } else {
      std::this_thread::yield();
    }
  }
  writer.join();
  EXPECT_EQ(read.size(), 2'000'000U);
  EXPECT_EQ(read.front(), 'a');
  EXPECT_TRUE(woken);
}

TEST(ReplyStream, releases_the_writer_when_the_reader_disconnects) {
  const auto stream = std::make_shared<ReplyStream>();
  auto source = ReplyStream::make_source(stream);
  std::thread writer([&] {
    while (stream->write(std::string(100'000, 'x'))) {
    }
  });
  source.reset();
  writer.join();
  EXPECT_TRUE(stream->reader_gone().stop_requested());
}

TEST(ReplyStream, releases_the_writer_when_it_is_abandoned) {
  const auto stream = std::make_shared<ReplyStream>();
  std::thread writer([&] {
    while (stream->write(std::string(100'000, 'x'))) {
    }
  });
  stream->abandon();
  writer.join();
}

}  // namespace
}  // namespace syncline::ai
