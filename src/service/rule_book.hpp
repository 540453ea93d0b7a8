// What is particular about which spaces, by their names. Made once, by whoever puts a process together, and given to
// Spaces when they are made; it outlives them. Nothing in it ever changes, so all threads read it without a lock.
#pragma once

#include "service/space_writer.hpp"

namespace syncline {

class RuleBook {
 public:
  /// By name, for that space of every account; by a beginning that ends in '/', for all spaces whose names begin so.
  using Rules = std::map<std::string, SpaceRules, std::less<>>;

  explicit RuleBook(Rules rules) : rules_(std::move(rules)) {}
  RuleBook(const RuleBook&) = delete;  // writes that wait refer to the rules in it
  RuleBook& operator=(const RuleBook&) = delete;

  /// The rules of the whole name, else those of its beginning up to the first '/', else none. Valid as long as the
  /// book.
  [[nodiscard]] const SpaceRules& rules_of(std::string_view space) const;

 private:
  const Rules rules_;
  const SpaceRules generic_;
};

}  // namespace syncline
