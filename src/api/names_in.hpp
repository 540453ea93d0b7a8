// A list of names in the body of a request.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.hpp"
#include "base/result.hpp"

namespace syncline::api {

/// Nothing if the field is absent or null; invalid_argument if it is anything but a list of strings.
[[nodiscard]] inline Result<std::optional<std::vector<std::string>>> names_in(JsonView body, std::string_view field) {
  const auto list = body.find_set(field);
  if (!list) return std::nullopt;
  std::vector<std::string> names;
  bool good = list->is_array();
  if (good) {
    list->for_each_element([&](JsonView name) {
      good = good && name.is_string();
      names.push_back(name.as_string().value_or(""));
    });
  }
  if (!good) return fail(ErrorCode::invalid_argument, std::string(field) + " must be a list of names");
  return names;
}

}  // namespace syncline::api
