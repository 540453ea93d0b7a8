// The one sentence that says how sync stands, as the console says it, too: sync_sentences.json has the strings and
// their order, and tests/sync_sentence_cases.json holds both to the same words.
#pragma once

#include <map>
#include <string>

namespace syncline::app {

/// What is known, by the names of the table. A fact that is absent, empty or "0" does not hold.
using SyncFacts = std::map<std::string, std::string, std::less<>>;

struct SyncSentence {
  std::string state;  // "offline"
  std::string word;   // "Offline"
  std::string says;   // "The hub has not answered since 14:02. ..."
};

/// The first state of the table that holds. A pure function; facts are not escaped.
[[nodiscard]] SyncSentence sync_sentence(const SyncFacts& facts);

}  // namespace syncline::app
