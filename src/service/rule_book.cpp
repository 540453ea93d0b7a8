#include "service/rule_book.hpp"

namespace syncline {

const SpaceRules& RuleBook::rules_of(std::string_view space) const {
  auto found = rules_.find(space);
  if (found == rules_.end()) found = rules_.find(space.substr(0, space.find('/') + 1));
  return found == rules_.end() ? generic_ : found->second;
}

}  // namespace syncline
