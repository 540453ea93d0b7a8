#include "http/event_stream_reader.hpp"

#include <gtest/gtest.h>

namespace syncline::http {
namespace {

TEST(EventStreamReader, parses_events_for_any_chunking) {
  const std::string stream =
      "retry: 2000\n\n: alive\n\nevent: output\ndata: {\"a\":1}\n\ndata: one\r\ndata:two\r\n\r\nevent: end\nid: "
      "7\ndata\n\nevent: "
      "cut\ndata: off";
  for (std::size_t piece = 1; piece <= stream.size(); ++piece) {
    std::string seen;
    EventStreamReader reader(
        [&](const std::string& event, const std::string& data) { seen += event + '=' + data + ';'; });
    for (std::size_t at = 0; at < stream.size(); at += piece) reader.add(std::string_view(stream).substr(at, piece));
    EXPECT_EQ(seen, "output={\"a\":1};message=one\ntwo;end=;") << piece;
  }
}

}  // namespace
}  // namespace syncline::http
