#include "base/json.hpp"

#include <gtest/gtest.h>

#include "base/json_object.hpp"

namespace syncline {
namespace {

JsonFault fault_of(std::string text, int depth_max = 72) { return check_json(text, depth_max).fault; }

struct Case {
  std::string text;
  JsonFault fault;
};

const std::vector<Case>& cases() {
  static const std::vector<Case> kCases = {
      {"{}", JsonFault::none},
      {" [1, 2.5e3, -0, true, null, \"\\u00e4\\ud83d\\ude00\"] ", JsonFault::none},
      {"18446744073709551615", JsonFault::none},
      {"", JsonFault::malformed},
      {"{", JsonFault::malformed},
      {"{\"a\":1}x", JsonFault::malformed},
      {"{\"a\":01}", JsonFault::malformed},
      {"{\"a\":1.}", JsonFault::malformed},
      {"{\"a\":tru}", JsonFault::malformed},
      {"{\"a\":NaN}", JsonFault::malformed},
      {"{\"a\":\"\\q\"}", JsonFault::malformed},
      {"{\"a\":\"\x01\"}", JsonFault::malformed},
      {"{'a':1}", JsonFault::malformed},
      {"{\"a\":\"\xff\"}", JsonFault::not_utf8},
      {"{\"a\":\"\xc0\xaf\"}", JsonFault::not_utf8},
      {"{\"a\":1e999}", JsonFault::unsupported_value},
      {"{\"a\":1e99999999999}", JsonFault::unsupported_value},
      {"{\"a\":123456789012345678901234567890}", JsonFault::none},
      {"{\"a\":\"\\ud800\"}", JsonFault::unsupported_value},
      {"{\"a\":\"\\udc00\"}", JsonFault::unsupported_value},
      {"{\"a\":\"\\ud800\", b}", JsonFault::malformed},
      {"{\"a\":1e999, b}", JsonFault::malformed},
      {R"({"ops":[{"id":"\ud8"[","collection":"c"}]})", JsonFault::malformed},
  };
  return kCases;
}

TEST(CheckJson, distinguishes_syntax_errors_from_unsupported_values) {
  for (const Case& one : cases()) EXPECT_EQ(fault_of(one.text), one.fault) << one.text;
}

TEST(CheckJson, checks_large_texts_like_small_ones) {
  for (const Case& one : cases()) EXPECT_EQ(fault_of(one.text + std::string(1'100'000, ' ')), one.fault) << one.text;
}

TEST(CheckJson, refuses_nesting_beyond_the_limit) {
  const auto nested = [](int depth) {
    return std::string(static_cast<std::size_t>(depth), '[') + std::string(static_cast<std::size_t>(depth), ']');
  };
  EXPECT_EQ(fault_of(nested(72)), JsonFault::none);
  EXPECT_EQ(fault_of(nested(73)), JsonFault::too_deep);
  EXPECT_EQ(fault_of(nested(64), 64), JsonFault::none);
  EXPECT_EQ(fault_of(nested(65), 64), JsonFault::too_deep);
  EXPECT_EQ(fault_of(std::string(5'000'000, '[')), JsonFault::too_deep);
}

TEST(JsonView, returns_the_original_bytes) {
  const std::string text = R"( {"a" : [1.0, {"b": "x\"]"}] ,"c":"d"} )";

  const auto a = JsonView(text).find("a");

  ASSERT_TRUE(a);
  EXPECT_EQ(a->raw(), R"([1.0, {"b": "x\"]"}])");
  EXPECT_EQ(a->depth(), 2);
}

TEST(JsonView, finds_the_end_of_a_string_after_backslashes) {
  const std::string text = R"({"a":"\\","b":"\\\"","c":1})";
  EXPECT_EQ(JsonView(text).find("a")->as_string(), "\\");
  EXPECT_EQ(JsonView(text).find("b")->as_string(), "\\\"");
  EXPECT_EQ(JsonView(text).find("c")->as_integer(), 1);
}

TEST(JsonView, uses_the_last_of_duplicate_members) {
  EXPECT_EQ(JsonView(R"({"a":1,"\u0061":2})").find("a")->as_integer(), 2);
}

TEST(JsonView, decodes_escapes) {
  EXPECT_EQ(JsonView(R"("\u00e4\n\ud83d\ude00\/")").as_string(), "\u00e4\n\U0001F600/");
}

TEST(SameJson, tells_integers_beyond_64_bits_apart) {
  const std::string many(400, '7');
  EXPECT_TRUE(same_json(JsonView("[18446744073709551616 ]"), JsonView("[18446744073709551616]")));
  EXPECT_FALSE(same_json(JsonView("18446744073709551615"), JsonView("18446744073709551614")));
  EXPECT_FALSE(same_json(JsonView(many + "1"), JsonView(many + "2")));
  std::string text = "{\"n\":-" + many + "}";
  EXPECT_EQ(check_json(text, 8).fault, JsonFault::none);
}

TEST(SameJson, ignores_spelling_but_not_meaning) {
  EXPECT_TRUE(same_json(JsonView(R"({"a":1,"b":"ä"})"), JsonView(R"({ "b" : "\u00e4", "a" : 1.0 })")));
  EXPECT_TRUE(same_json(JsonView("[]"), JsonView("[ ]")));
  EXPECT_FALSE(same_json(JsonView("[1,2]"), JsonView("[2,1]")));
  EXPECT_FALSE(same_json(JsonView("[1]"), JsonView("[1,1]")));
  EXPECT_FALSE(same_json(JsonView(R"({"a":null})"), JsonView("{}")));
  EXPECT_FALSE(same_json(JsonView("9007199254740993"), JsonView("9007199254740992")));
}

TEST(JsonWriter, separates_and_escapes) {
  std::string out;
  JsonWriter(out)
      .begin_object()
      .name("a")
      .begin_array()
      .integer(1)
      .string("x\"\n\x7f")
      .end_array()
      .name("b")
      .begin_object()
      .end_object()
      .name("c")
      .null()
      .end_object();
  EXPECT_EQ(out, R"({"a":[1,"x\"\n\u007f"],"b":{},"c":null})");
}

TEST(JsonObject, changes_one_member_and_keeps_the_bytes_of_the_others) {
  JsonObject object(JsonView(R"({"a": 1.0, "b":[ 1 ]})"));
  object.set_text("c", "x");
  object.set("a", "2");
  object.erase("none");
  EXPECT_EQ(object.to_text(), R"({"a":2,"b":[ 1 ],"c":"x"})");
}

}  // namespace
}  // namespace syncline
