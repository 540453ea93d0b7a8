// What a program's commands are, as values: names, options, examples, exit codes. The parser, the help, completion and
// the man pages are all made from this table, so nothing else describes a command. Filled once by command_line.hpp;
// constant after that, and safe to read from any thread.
#pragma once

#include <deque>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace syncline::cli {

/// An option, a flag or a positional argument.
struct OptionInfo {
  std::vector<std::string> names;    // "-j" and "--json", short ones first; none for an argument
  std::string value;                 // the word for its value; empty for a flag
  std::string help;                  // without range, choices and default
  std::string range;                 // "1 to 3600"
  std::string default_text;          // empty if there is none, or the help says it
  std::vector<std::string> choices;  // the values it may have
  bool is_list = false;              // takes several choices, separated by commas
  bool is_prefix = false;            // a choice is only the beginning of a value
  bool is_required = false;
  bool is_repeatable = false;
  bool is_common = false;  // of many commands: listed behind the command's own

  [[nodiscard]] bool is_argument() const { return names.empty(); }
  [[nodiscard]] bool is_flag() const { return value.empty(); }
};

struct CommandInfo {
  std::string name;
  const CommandInfo* parent = nullptr;
  std::vector<std::string> aliases;  // which no help shows
  std::string summary;
  std::string section;  // of its parent's help
  std::vector<std::string> examples;
  std::vector<std::string> notes;    // paragraphs
  std::map<int, std::string> exits;  // besides those that all commands have
  std::deque<OptionInfo> options;    // in the order of the help
  std::vector<std::unique_ptr<CommandInfo>> commands;
  bool needs_command = false;  // does nothing by itself
  bool is_hidden = false;      // in no help
  bool names_command = false;  // its arguments are the words of another command

  [[nodiscard]] bool is_group() const { return !commands.empty(); }
};

/// A program and the texts that are about all of it.
struct ProgramInfo {
  std::string title;                 // "syncline: a self-hosted sync server"
  std::string version;               // "syncline 0.1.0"
  std::string overview;              // what the program prints when nothing is asked of it
  std::map<int, std::string> exits;  // of every command
  std::string more_exits;            // where all of them are listed
};

/// A command of `group` by its name or an alias; nothing if there is none.
[[nodiscard]] const CommandInfo* find_command(const CommandInfo& group, std::string_view word);
/// The command that `words` lead to from `root`. Stops at the first word that names none: `*unknown` is its index, or
/// words.size().
[[nodiscard]] const CommandInfo& follow_words(const CommandInfo& root, std::span<const std::string> words,
                                              std::size_t* unknown);
/// "syncline account add"
[[nodiscard]] std::string path_of(const CommandInfo& command);
/// Those that help shows, in its order.
[[nodiscard]] std::vector<const CommandInfo*> visible_commands(const CommandInfo& group);
/// Options and flags without arguments: first those that are required, last those that are common, and --help. The root
/// has --version, too.
[[nodiscard]] std::vector<const OptionInfo*> visible_options(const CommandInfo& command);
[[nodiscard]] std::vector<const OptionInfo*> arguments_of(const CommandInfo& command);
/// The option of that name ("--json"), also --help and --version; nothing if there is none.
[[nodiscard]] const OptionInfo* find_option(const CommandInfo& command, std::string_view name);

/// "--plan", or "PLAN" for an argument: what a person calls it.
[[nodiscard]] std::string_view main_name(const OptionInfo& option);
/// "-l, --limit N"
[[nodiscard]] std::string option_text(const OptionInfo& option);
/// What help and man pages say of an option, with its range, choices and default: "maximum number; 1 to 9 (default:
/// 5)".
[[nodiscard]] std::string description_of(const OptionInfo& option);
/// "FILE", "[ID]", "WORDS..."
[[nodiscard]] std::string argument_text(const OptionInfo& argument);
/// Each way to call the command: "syncline key add --account EMAIL [OPTIONS]", "syncline key COMMAND".
[[nodiscard]] std::vector<std::string> usages_of(const CommandInfo& command);
/// "free, pro or team"
[[nodiscard]] std::string list_choices(std::span<const std::string> words);

}  // namespace syncline::cli
