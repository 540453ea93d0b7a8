#include "base/hash_chain.hpp"

#include "base/bytes.hpp"

namespace syncline {

const std::string& first_chain_hash() {
  static const std::string kZeros(64, '0');
  return kZeros;
}

std::string chain_hash(std::string_view text) { return to_hex(as_text(sha256(text))); }

std::string chain_fault(const JsonObject& entry, std::int64_t number, std::string_view previous) {
  if (entry.integer_of("n") != number) return "has the wrong number: entries before it were removed or added";
  if (entry.text_of("previous") != previous) return "does not match the entry before it: one of them was changed";
  return "";
}

}  // namespace syncline
