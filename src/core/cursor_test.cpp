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
       {"x", ".1", "abc.", "abc.-1", "abc.1x", "a b.1", "abc.1.2.3", "abc.1.x", "abc.1.-2", "42", "1.5e3", "abc-.1",
        "abc-12.1", "abc-00000000000g.1", "-00000000000a.1", "abc-00000000000a.1.2.3.4", "abc-00000000000a"}) {
    EXPECT_FALSE(parse_cursor(text)) << text;
  }
}

TEST(Cursor, resumes_or_reports_the_reason) {
  const auto code = [](const Cursor& cursor, Seq head, Seq purged) {
    const auto seq = resume_at(cursor, "e1", {}, head, purged);
    return seq ? std::optional<ErrorCode>{} : seq.error().code;
  };
  EXPECT_EQ(resume_at({"e1", Seq{5}}, "e1", {}, Seq{9}, Seq{5})->value, 5);
  EXPECT_EQ(resume_at({}, "e1", {}, Seq{9}, Seq{5})->value, 0);
  EXPECT_EQ(code({"e2", Seq{5}}, Seq{9}, Seq{0}), ErrorCode::epoch_changed);
  EXPECT_EQ(code({"e1", Seq{10}}, Seq{9}, Seq{0}), ErrorCode::cursor_ahead);
  EXPECT_EQ(code({"e1", Seq{4}}, Seq{9}, Seq{5}), ErrorCode::cursor_expired);
  // Who has a cursor at 0 may hold what it has written itself.
  EXPECT_EQ(code({"e1", Seq{0}}, Seq{9}, Seq{5}), ErrorCode::cursor_expired);
}

TEST(Cursor, reading_from_the_beginning_needs_no_earlier_purged_deletions) {
  const Cursor reading{"e1", Seq{2}, Seq{5}};
  EXPECT_EQ(reading.to_text(), "e1.2.5");
  EXPECT_EQ(resume_at(*parse_cursor("e1.2.5"), "e1", {}, Seq{9}, Seq{5})->value, 2);
  EXPECT_FALSE(resume_at(*parse_cursor("e1.2.5"), "e1", {}, Seq{9}, Seq{6}));
  EXPECT_EQ((Cursor{"e1", Seq{5}, Seq{5}}).to_text(), "e1.5");
}

TEST(Cursor, names_the_opening_of_the_store_that_it_knows) {
  const Cursor cursor{.epoch = "e1", .seq = Seq{5}, .incarnation = IncarnationId{0xA}};
  EXPECT_EQ(cursor.to_text(), "e1-00000000000a.5");
  EXPECT_EQ(cursor.history(), "e1-00000000000a");
  EXPECT_EQ(parse_cursor("e1-00000000000a.5")->incarnation, IncarnationId{0xA});
  EXPECT_EQ(parse_history("e1-00000000000a")->incarnation, IncarnationId{0xA});
  EXPECT_EQ(parse_history("e1")->epoch, "e1");
  EXPECT_FALSE(parse_history("e1-"));
}

TEST(Cursor, of_an_unknown_opening_belongs_to_another_history) {
  Lineage lineage;
  lineage.begin(IncarnationId{0xA}, Seq{0});
  lineage.begin(IncarnationId{0xB}, Seq{100});
  const auto resume = [&](const char* text) { return resume_at(*parse_cursor(text), "e1", lineage, Seq{110}, Seq{0}); };
  EXPECT_EQ(resume("e1-00000000000a.100")->value, 100);
  EXPECT_EQ(resume("e1-00000000000b.110")->value, 110);
  EXPECT_EQ(resume("e1-00000000000a.101").error().code, ErrorCode::epoch_changed) << "that 101 is gone";
  EXPECT_EQ(resume("e1-00000000000c.1").error().code, ErrorCode::epoch_changed);
  EXPECT_EQ(resume("e1-00000000000b.111").error().code, ErrorCode::cursor_ahead);
  EXPECT_EQ(resume("e1.110")->value, 110) << "an older text does not say which opening";
}

TEST(Cursor, between_two_pages_what_was_heard_of_counts_too) {
  Lineage lineage;
  lineage.begin(IncarnationId{0xA}, Seq{0});
  lineage.begin(IncarnationId{0xB}, Seq{100});
  const Cursor reading{.epoch = "e1", .seq = Seq{50}, .incarnation = IncarnationId{0xA}, .heard_through = Seq{105}};
  EXPECT_EQ(reading.to_text(), "e1-00000000000a.50.0.105");
  EXPECT_EQ(parse_cursor(reading.to_text())->heard_through, Seq{105});
  // A record that moved from 40 to 103 waits there for the reader; in this history it never left 40.
  EXPECT_EQ(resume_at(reading, "e1", lineage, Seq{110}, Seq{0}).error().code, ErrorCode::epoch_changed);
}

}  // namespace
}  // namespace syncline
