// What a remote command asks for, in a form that hub and runner compare: its command line taken apart without a shell,
// the patterns that are matched against its words, and a fingerprint of all that it asks for.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/json_object.hpp"
#include "base/result.hpp"
#include "core/command.hpp"

namespace syncline {

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
  /// True also if the words stand in another order or with others between them, and if the program is named by a path:
  /// what a pattern forbids is not to be had by "git -C . push --force" or "/usr/bin/git push --force".
  [[nodiscard]] bool may_mean(const std::vector<std::string>& words) const;
  [[nodiscard]] const std::string& text() const { return text_; }
  /// The program whose every line it matches: "git" of "git *". Empty if it asks for more.
  [[nodiscard]] std::string_view whole_program() const {
    return words_.size() == 1 && any_further_ ? std::string_view(words_.front()) : std::string_view();
  }

 private:
  std::string text_;
  std::vector<std::string> words_;
  bool any_further_ = false;
};

/// Names of AWS operations and parameters as the command line tool has them: "MaxItems" and "maxItems" are "max-items".
[[nodiscard]] std::string to_option_name(std::string_view name);

/// What patterns are matched against: of a line its words, of an AWS operation its service and its name. Nothing if
/// only a shell can tell, and for types that have no patterns.
[[nodiscard]] std::optional<std::vector<std::string>> words_of_command(CommandType type, const JsonObject& fields);

/// The same for two commands only if they ask for exactly the same.
[[nodiscard]] std::string fingerprint_of_command(CommandType type, const JsonObject& fields);

/// How an approval for good names one command instead of a pattern: "exactly: SUBJECT (FINGERPRINT)".
[[nodiscard]] std::string exact_pattern(std::string_view subject, std::string_view fingerprint);
/// True if a standing approval of `pattern` covers the command.
[[nodiscard]] bool pattern_covers(std::string_view pattern, CommandType type, const JsonObject& fields);

}  // namespace syncline
