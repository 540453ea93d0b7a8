// Command lines taken apart without a shell, and the patterns of a policy that are matched against their words.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"

namespace syncline::runner {

/// The words of a line that means the same to every shell: one program and its arguments, single and double quotes,
/// backslashes. Nothing if the line has anything a shell would act on: operators, expansions, globs, assignments,
/// comments, line ends. Such a line can only be run by a shell, so no pattern vouches for it.
[[nodiscard]] std::optional<std::vector<std::string>> split_simple_line(std::string_view line);

/// "git log *": word by word; `*` stands for any characters of one word, a last word `*` for any further words.
class Pattern {
 public:
  /// Fails if it is empty, not a simple line, or has `*` in the name of the program.
  [[nodiscard]] static Result<Pattern> parse(std::string_view text);

  [[nodiscard]] bool matches(const std::vector<std::string>& words) const;
  [[nodiscard]] const std::string& text() const { return text_; }

 private:
  std::string text_;
  std::vector<std::string> words_;
  bool any_further_ = false;
};

}  // namespace syncline::runner
