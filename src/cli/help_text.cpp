#include "cli/help_text.hpp"

#include <algorithm>
#include <utility>

#include "cli/wrap.hpp"

namespace syncline::cli {
namespace {

constexpr std::size_t kIndent = 2;
constexpr std::size_t kLabelColumnMax = 26;  // longer labels have a line of their own

/// Label and text of each row of a list.
using Rows = std::vector<std::pair<std::string, std::string>>;

/// Where the texts of a list begin.
std::size_t column_of(const Rows& rows) {
  std::size_t column = 0;
  for (const auto& [label, text] : rows) {
    if (const std::size_t end = kIndent + label.size() + 2; end <= kLabelColumnMax) column = std::max(column, end);
  }
  return column == 0 ? kLabelColumnMax : column;
}

std::string section(const std::string& title, const Rows& rows, std::size_t column) {
  if (rows.empty()) return {};
  std::string out = '\n' + title + ":\n";
  for (const auto& [label, text] : rows) out += labelled(label, text, kIndent, column, kHelpColumns);
  return out;
}

std::string section(const std::string& title, const Rows& rows) { return section(title, rows, column_of(rows)); }

/// Long names stand below each other, behind the short ones.
std::string option_label(const OptionInfo& option) {
  return (option.names.front().starts_with("--") ? "    " : "") + option_text(option);
}

std::string examples_text(const CommandInfo& command) {
  if (command.examples.empty()) return {};
  std::string out = command.examples.size() == 1 ? "\nExample:\n" : "\nExamples:\n";
  for (const std::string& example : command.examples) {
    for (const std::string& line : continued(example, kHelpColumns - kIndent)) {
      out += std::string(kIndent, ' ') + line + '\n';
    }
  }
  return out;
}

std::string usage_text(const CommandInfo& command) {
  std::string out = "\nUsage:\n";
  for (const std::string& usage : usages_of(command)) out += labelled("", usage, 0, kIndent, kHelpColumns);
  return out;
}

std::string commands_text(const CommandInfo& command) {
  Rows all;
  for (const CommandInfo* each : visible_commands(command)) all.emplace_back(each->name, each->summary);
  const std::size_t column = column_of(all);  // the same below all titles
  std::string out;
  Rows rows;
  std::string title;
  for (const CommandInfo* each : visible_commands(command)) {
    if (each->section != title) out += section(title, std::exchange(rows, {}), column);
    title = each->section;
    rows.emplace_back(each->name, each->summary);
  }
  return out + section(title.empty() ? "Commands" : title, rows, column);
}

std::string exits_text(const CommandInfo& command, const ProgramInfo& program) {
  std::map<int, std::string> all = command.exits;
  all.insert(program.exits.begin(), program.exits.end());
  Rows rows;
  for (const auto& [code, meaning] : all) {
    std::string label = std::to_string(code);
    label.insert(0, 3 - std::min<std::size_t>(3, label.size()), ' ');
    rows.emplace_back(label, meaning);
  }
  const std::string more = program.more_exits.empty() ? "" : indented(program.more_exits, kIndent, kHelpColumns);
  return section("Exit codes", rows) + more;
}

}  // namespace

std::string help_text(const CommandInfo& command, const ProgramInfo& program) {
  std::string out = indented(command.summary, 0, kHelpColumns) + examples_text(command) + usage_text(command);
  for (const std::string& note : command.notes) out += '\n' + indented(note, 0, kHelpColumns);
  Rows arguments;
  for (const OptionInfo* argument : arguments_of(command)) {
    arguments.emplace_back(argument->value, description_of(*argument));
  }
  out += section("Arguments", arguments);
  out += commands_text(command);
  Rows options;
  for (const OptionInfo* option : visible_options(command)) {
    options.emplace_back(option_label(*option), description_of(*option));
  }
  out += section("Options", options);
  if (!command.needs_command) out += exits_text(command, program);
  if (command.is_group()) {
    const std::string path = path_of(command);
    const std::string help = command.parent == nullptr ? path + " help COMMAND" : path + " COMMAND --help";
    out += "\n'" + help + "' describes a command.\n";
  }
  return out;
}

}  // namespace syncline::cli
