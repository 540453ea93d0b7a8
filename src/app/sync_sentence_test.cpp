#include "app/sync_sentence.hpp"

#include <gtest/gtest.h>

#include <fstream>
#include <iterator>

#include "base/json.hpp"

namespace syncline::app {
namespace {

TEST(SyncSentence, says_what_the_console_says) {
  std::ifstream file(SYNCLINE_SOURCE_DIR "/tests/sync_sentence_cases.json");
  const std::string text{std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
  int cases = 0;
  JsonView(text).for_each_element([&](JsonView one) {
    SyncFacts facts;
    one.find("facts")->for_each_member(
        [&](std::string_view name, JsonView value) { facts.emplace(name, value.as_string().value_or("")); });
    const SyncSentence sentence = sync_sentence(facts);
    EXPECT_EQ(sentence.state, one.text_of("state")) << one.raw();
    EXPECT_EQ(sentence.says, one.text_of("says"));
    EXPECT_FALSE(sentence.word.empty());
    ++cases;
  });
  EXPECT_GT(cases, 10);
}

}  // namespace
}  // namespace syncline::app
