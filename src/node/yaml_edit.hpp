// Changes to a YAML file that a person also edits: one value is replaced or added, every other byte stays, comments
// and order included.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/result.hpp"

namespace syncline::node {

/// A value as YAML: plain where that is safe, else in double quotes.
[[nodiscard]] std::string yaml_scalar(std::string_view text);

/// Sets `key` in the map `section` of a file's text; either is added if it is not there. `yaml` is the value as YAML.
/// invalid_argument, with the line, if the place is written in a way that cannot be edited line by line.
[[nodiscard]] Result<std::string> set_in_yaml(const std::string& text, std::string_view section, std::string_view key,
                                              std::string_view yaml);

struct JobsEdit {
  std::string text;
  std::int64_t changed = 0;
};
/// Sets `model` in every job of a list of jobs (the whole file, or its member `jobs`).
[[nodiscard]] Result<JobsEdit> set_model_of_jobs(const std::string& text, std::string_view model);

}  // namespace syncline::node
