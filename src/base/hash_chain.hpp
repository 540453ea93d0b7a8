// A log whose entries are chained by their hashes: each is a JSON object with its number (`n`, from 1) and the hash of
// the text of the entry before (`previous`), so that an entry that was changed or taken out is found. Where the log
// ends is not in the chain: whoever keeps one remembers its head elsewhere. Pure functions.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/json_object.hpp"

namespace syncline {

/// How far a log has come: its number of entries, and the hash of the last one.
struct ChainHead {
  std::int64_t count = 0;
  std::string hash;
};

/// What the first entry has as the hash of the one before.
[[nodiscard]] const std::string& first_chain_hash();
/// SHA-256 of an entry's text, in hexadecimal digits.
[[nodiscard]] std::string chain_hash(std::string_view text);

/// Why the entry is not the one of that number behind the one with that hash; empty if it is.
[[nodiscard]] std::string chain_fault(const JsonObject& entry, std::int64_t number, std::string_view previous);

}  // namespace syncline
