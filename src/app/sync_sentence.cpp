#include "app/sync_sentence.hpp"

#include <optional>
#include <string_view>

#include "app/sync_sentences_json.hpp"
#include "base/json.hpp"

namespace syncline::app {
namespace {

std::string_view value_of(const SyncFacts& facts, std::string_view name) {
  const auto found = facts.find(name);
  return found == facts.end() ? std::string_view() : std::string_view(found->second);
}

bool holds(const SyncFacts& facts, std::string_view name) {
  const std::string_view value = value_of(facts, name);
  return !value.empty() && value != "0";
}

/// Each {name} is replaced once: what a fact says is never read as a pattern.
std::string fill(std::string_view text, const SyncFacts& facts) {
  std::string filled;
  for (;;) {
    const std::size_t open = text.find('{');
    const std::size_t close = text.find('}', open);
    if (open == std::string_view::npos || close == std::string_view::npos) return filled.append(text);
    filled.append(text.substr(0, open)).append(value_of(facts, text.substr(open + 1, close - open - 1)));
    text.remove_prefix(close + 1);
  }
}

/// Nothing if the part does not apply.
std::optional<std::string> words_of(JsonView part, const SyncFacts& facts) {
  const std::string needed = part.text_of("if");
  const std::string excluded = part.text_of("unless");
  if (!needed.empty() && !holds(facts, needed)) return std::nullopt;
  if (!excluded.empty() && holds(facts, excluded)) return std::nullopt;
  const std::string count = part.find("count") ? part.text_of("count") : needed;
  const bool is_one = part.find("one") && value_of(facts, count) == "1";
  return fill(part.text_of(is_one ? "one" : "other"), facts);
}

}  // namespace

SyncSentence sync_sentence(const SyncFacts& facts) {
  SyncSentence sentence;
  JsonView(kSyncSentencesJson).for_each_element([&](JsonView row) {
    const std::string when = row.text_of("when");
    if (!sentence.state.empty() || (!when.empty() && !holds(facts, when))) return;
    sentence.state = row.text_of("state");
    sentence.word = row.text_of("word");
    row.find("parts")->for_each_element([&](JsonView part) {
      const auto words = words_of(part, facts);
      if (!words) return;
      if (!sentence.says.empty()) sentence.says += ' ';
      sentence.says += *words;
    });
  });
  return sentence;
}

}  // namespace syncline::app
