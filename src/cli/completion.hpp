// What could stand at the end of a command line, made from the command table, and the scripts with which shells ask.
// A script runs the program with kCompleteWord and the words so far, so completion always fits the program. Pure.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "cli/command_table.hpp"

namespace syncline::cli {

struct Candidate {
  std::string word;
  std::string help;
};

struct Candidates {
  enum class Paths { none, files, directories };

  std::vector<Candidate> words;
  Paths paths = Paths::none;  // the shell adds these itself
  bool continues = false;     // more may follow without a space, as in a list
};

/// What the last of `words`, which may be empty, could become; those before it are complete. Words that the commands do
/// not know are passed over.
[[nodiscard]] Candidates complete(const CommandInfo& root, std::span<const std::string> words);

/// As the scripts read them: lines of "WORD\tHELP", after which ":files", ":directories" or ":continues" may follow.
[[nodiscard]] std::string to_lines(const Candidates& candidates);

/// The shells for which there is a script.
[[nodiscard]] const std::vector<std::string>& shells();
/// The script that makes `shell`, one of shells(), complete the command lines of `program`.
[[nodiscard]] std::string completion_script(std::string_view shell, std::string_view program);

}  // namespace syncline::cli
