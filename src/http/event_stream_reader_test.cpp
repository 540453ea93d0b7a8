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

TEST(EventStreamReader, leaves_out_events_that_are_too_long_and_no_others) {
  const std::string stream = "data: " + std::string(40, 'x') + "data: y\n\n" +     // a line that is too long
                             "data: 0123456789\ndata: 0123456789a\n\n" +           // two that are too long together
                             "event: " + std::string(40, 'x') + "\ndata: n\n\n" +  // a name
                             "event: good\ndata: 0123456789\ndata: 012345678\n\n";
  for (std::size_t piece = 1; piece <= stream.size(); ++piece) {
    std::string seen;
    EventStreamReader reader(
        [&](const std::string& event, const std::string& data) { seen += event.substr(0, 4) + '=' + data + ';'; }, 20);
    for (std::size_t at = 0; at < stream.size(); at += piece) reader.add(std::string_view(stream).substr(at, piece));
    // A name that came whole is no trouble; one that had to be held is.
    const std::string end = "good=0123456789\n012345678;";
    EXPECT_TRUE(seen == end || seen == "xxxx=n;" + end) << piece << ' ' << seen;
  }
}

}  // namespace
}  // namespace syncline::http
