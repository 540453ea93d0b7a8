#include "core/cursor.hpp"

#include <gtest/gtest.h>

namespace syncline {
namespace {

TEST(Cursor, round_trips_and_zero_is_the_beginning) {
  EXPECT_EQ(parse_cursor("abc123.42")->to_text(), "abc123.42");
  EXPECT_TRUE(parse_cursor("")->epoch.empty());
  EXPECT_TRUE(parse_cursor("0")->epoch.empty());
}

TEST(Cursor, rejects_malformed_cursors) {
  for (const char* text :
       {"x", ".1", "abc.", "abc.-1", "abc.1x", "a b.1", "abc.1.2.3", "abc.1.x", "abc.1.-2", "42", "1.5e3"}) {
    EXPECT_FALSE(parse_cursor(text)) << text;
  }
}

TEST(Cursor, resumes_or_reports_the_reason) {
  const auto code = [](const Cursor& cursor, Seq head, Seq purged) {
    const auto seq = resume_at(cursor, "e1", head, purged);
    return seq ? std::optional<ErrorCode>{} : seq.error().code;
  };
  EXPECT_EQ(resume_at({"e1", Seq{5}}, "e1", Seq{9}, Seq{5})->value, 5);
  EXPECT_EQ(resume_at({}, "e1", Seq{9}, Seq{5})->value, 0);
  EXPECT_EQ(code({"e2", Seq{5}}, Seq{9}, Seq{0}), ErrorCode::epoch_changed);
  EXPECT_EQ(code({"e1", Seq{10}}, Seq{9}, Seq{0}), ErrorCode::cursor_ahead);
  EXPECT_EQ(code({"e1", Seq{4}}, Seq{9}, Seq{5}), ErrorCode::cursor_expired);
  // Who has a cursor at 0 may hold what it has written itself.
  EXPECT_EQ(code({"e1", Seq{0}}, Seq{9}, Seq{5}), ErrorCode::cursor_expired);
}

TEST(Cursor, reading_from_the_beginning_needs_no_earlier_purged_deletions) {
  const Cursor reading{"e1", Seq{2}, Seq{5}};
  EXPECT_EQ(reading.to_text(), "e1.2.5");
  EXPECT_EQ(resume_at(*parse_cursor("e1.2.5"), "e1", Seq{9}, Seq{5})->value, 2);
  EXPECT_FALSE(resume_at(*parse_cursor("e1.2.5"), "e1", Seq{9}, Seq{6}));
  EXPECT_EQ((Cursor{"e1", Seq{5}, Seq{5}}).to_text(), "e1.5");
}

}  // namespace
}  // namespace syncline
