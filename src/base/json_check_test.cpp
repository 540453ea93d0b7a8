// explain_json against simdjson: two independent judges of the same texts.
#include <gtest/gtest.h>
#include <simdjson.h>

#include <random>

#include "base/json.hpp"

namespace syncline {
namespace {

constexpr int kDepthMax = 72;

bool simdjson_accepts(const std::string& text) {
  simdjson::dom::parser parser;
  const simdjson::padded_string padded(text);
  return parser.parse(padded).error() == simdjson::SUCCESS;
}

/// True if some digits stand together that may be more than 64 bits.
bool has_long_integer(const std::string& text) {
  constexpr int kDigits = 19;
  int run = 0;
  for (const char c : text) {
    run = c >= '0' && c <= '9' ? run + 1 : 0;
    if (run >= kDigits) return true;
  }
  return false;
}

/// Texts that are nearly JSON: seeds in which a few bytes are changed, removed, doubled or exchanged.
class Mutator {
 public:
  explicit Mutator(std::uint32_t seed) : random_(seed) {}

  std::string next() {
    static const std::vector<std::string> kSeeds = {
        R"({"id":"a-1","n":[1,-0,2.5e3,1E-9,0.1],"t":true,"f":false,"z":null,"o":{"x":{}},"e":[]})",
        R"(["\u00e4\ud83d\ude00\"\\\/\b\f\n\r\t", "ä🦊", " "])",
        R"( [ 18446744073709551615 , -9223372036854775808, 1.7976931348623157e308, 4.9e-324 , 1e-400 ] )",
        R"([[[[{"a":[[{}]]}]]]])",
        R"("text")",
        "-12.5e+10"};
    std::string text = kSeeds[below(kSeeds.size())];
    for (std::size_t count = below(4); count > 0 && !text.empty(); --count) mutate(text);
    return text;
  }

 private:
  std::size_t below(std::size_t bound) { return std::uniform_int_distribution<std::size_t>(0, bound - 1)(random_); }

  void mutate(std::string& text) {
    static constexpr std::string_view kBytes =
        "{}[]\",:\\u0123456789dDcCeE+-. \n\ttruefalsn/\x01\x7f\x80\xc3\xa4\xed\xff";
    const std::size_t at = below(text.size());
    switch (below(5)) {
      case 0: text[at] = kBytes[below(kBytes.size())]; break;
      case 1: text.erase(at, 1 + below(3)); break;
      case 2: text.insert(at, 1, kBytes[below(kBytes.size())]); break;
      case 3: text.insert(at, text.substr(at, 1 + below(8))); break;
      default: std::swap(text[at], text[below(text.size())]); break;
    }
  }

  std::mt19937 random_;
};

TEST(ExplainJson, agrees_with_simdjson) {
  Mutator mutator(20261129);
  int accepted = 0;
  constexpr int kTexts = 200'000;
  for (int i = 0; i < kTexts; ++i) {
    const std::string text = mutator.next();
    const JsonFault fault = explain_json(text, kDepthMax).fault;
    // simdjson takes some lone surrogates, which cannot be kept, and no integer beyond 64 bits.
    if (fault == JsonFault::unsupported_value && text.find("\\u") != std::string::npos) continue;
    if (fault == JsonFault::none && has_long_integer(text)) continue;
    ASSERT_EQ(fault == JsonFault::none, simdjson_accepts(text)) << text;
    if (fault == JsonFault::none) ++accepted;
  }
  EXPECT_GT(accepted, kTexts / 10);
  EXPECT_LT(accepted, kTexts * 9 / 10);
}

TEST(ExplainJson, agrees_with_the_shortcut_before_it) {
  Mutator mutator(7);
  for (int i = 0; i < 50'000; ++i) {
    const std::string text = mutator.next();
    std::string copy = text;
    ASSERT_EQ(explain_json(text, kDepthMax).fault, check_json(copy, kDepthMax).fault) << text;
  }
}

TEST(ExplainJson, names_the_byte_of_the_first_fault) {
  EXPECT_EQ(explain_json(R"({"a":1,})", kDepthMax).detail, "member name expected at byte 7");
  EXPECT_EQ(explain_json("[1 2]", kDepthMax).detail, "',' or closing bracket expected at byte 3");
  EXPECT_EQ(explain_json("", kDepthMax).detail, "value expected at byte 0");
}

TEST(ExplainJson, tells_numbers_beyond_every_double_from_those_near_zero) {
  for (const char* text : {"1e-400", "0.000e999", "0e999", "-1e-99999999999999999999", "1.7976931348623157e308"}) {
    EXPECT_EQ(explain_json(text, kDepthMax).fault, JsonFault::none) << text;
  }
  for (const char* text : {"1e309", "-1e999", "0.1e310", "1e99999999999999999999", "123456789.5e302"}) {
    EXPECT_EQ(explain_json(text, kDepthMax).fault, JsonFault::unsupported_value) << text;
  }
}

}  // namespace
}  // namespace syncline
