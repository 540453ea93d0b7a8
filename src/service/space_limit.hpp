// Which spaces a key is for: all that its account can reach, or only some, by name. A space of another account that is
// shared with the key's account is named "@<account number>/<space>".
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/ids.hpp"
#include "base/json.hpp"
#include "base/result.hpp"

namespace syncline {

class SpaceLimit {
 public:
  /// No limit.
  SpaceLimit() = default;
  /// Only these. invalid_argument if there is none, more than limits::kKeySpacesMax, or one that is no name.
  [[nodiscard]] static Result<SpaceLimit> only(std::vector<std::string> names);
  /// Allows nothing.
  [[nodiscard]] static SpaceLimit none();

  [[nodiscard]] bool is_limited() const { return names_.has_value(); }
  /// In order, each once. Empty without a limit.
  [[nodiscard]] const std::vector<std::string>& names() const;
  [[nodiscard]] bool allows(std::string_view name) const;
  /// Whether everything that `other` allows is allowed here, too.
  [[nodiscard]] bool allows_all_of(const SpaceLimit& other) const;
  /// What both allow.
  [[nodiscard]] SpaceLimit common_with(const SpaceLimit& other) const;
  /// "the spaces a, b": for people. At most so many names that the text stays readable.
  [[nodiscard]] std::string to_text() const;

  friend bool operator==(const SpaceLimit&, const SpaceLimit&) = default;

 private:
  std::optional<std::vector<std::string>> names_;  // sorted
};

/// A list of the names; null without a limit.
void append_names(JsonWriter& writer, const SpaceLimit& limit);

/// The space that somebody of `account` means by a name: one of its own, or "@<account number>/<space>" of another.
/// invalid_argument if it is no name.
[[nodiscard]] Result<SpaceName> parse_space_name(AccountNumber account, std::string_view name);
/// The name by which somebody of `account` reaches the space.
[[nodiscard]] std::string name_for(AccountNumber account, const SpaceName& space);

/// The error of a key that is not for the space of that name; says which spaces it is for.
[[nodiscard]] std::unexpected<Error> space_not_allowed(const SpaceLimit& limit, std::string_view name);

}  // namespace syncline
