// The command types that start a program: their arguments, and what becomes of their output. Fields of an order are
// always arguments of their own, never part of a line that a shell reads; only execute_bash is a line by its nature.
#pragma once

#include "runner/supervision.hpp"

namespace syncline::runner {

/// The words a pattern has matched, or bash with the line as one argument.
[[nodiscard]] Result<std::vector<std::string>> make_bash_argv(const Order& order, const Decision& decision);

/// ripgrep over `path` (the working directory if absent): the query as text, or as a regular expression with "regex":
/// true; "glob" limits the files.
[[nodiscard]] Result<std::vector<std::string>> make_search_argv(const Roots& roots, const Order& order);
/// The order's maxResults, at most a fixed bound.
[[nodiscard]] std::size_t search_limit(const Order& order);
/// {matches: [{path, line, text}], truncated}
[[nodiscard]] Outcome make_search_outcome(const ProgramEnd& end, std::size_t limit);

enum class OutputStyle { plain, with_json };
/// {stdout, stderr, exitCode}; with_json adds `output` if standard output is JSON.
[[nodiscard]] std::string make_output_result(const ProgramEnd& end, OutputStyle style);

}  // namespace syncline::runner
