// Describes commands and their options, and parses arguments by that description. Knows no command itself. What is
// described goes to the parser and to the command table (command_table.hpp), from which help, completion and man pages
// are made. Only the source includes CLI11, which takes seconds to compile. For the main thread; what options are bound
// to must live until the chosen command has run.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "cli/command_table.hpp"

namespace CLI {
class App;
class Option;
}  // namespace CLI

namespace syncline::cli {

/// What the chosen command does.
using Action = std::function<Result<>()>;

/// An option of a command, or one of its positional arguments. A handle: the command line owns the option.
class Option {
 public:
  Option(CLI::Option& option, OptionInfo& info) : option_(&option), info_(&info) {}

  Option& required();
  /// The help names the value it is bound to as the default.
  Option& shows_default();
  /// The help names `text` as the default, for one that depends on the machine or on other options.
  Option& defaults_to(const std::string& text);
  Option& in_range(std::int64_t low, std::int64_t high);
  Option& positive();
  /// No other value is accepted.
  Option& one_of(const std::vector<std::string>& words);
  /// The help lists the words and completion offers them. Whoever takes the value checks it.
  Option& known_values(const std::vector<std::string>& words);
  /// The same for a value that is a list of such words, separated by commas.
  Option& known_list(const std::vector<std::string>& words);
  /// Completion offers the words as the beginning of the value, like "KEY=". The help does not list them.
  Option& known_beginnings(const std::vector<std::string>& words);
  /// Many commands have it, so the help lists it behind the command's own options.
  Option& common();
  /// For a list: one value each time that the option is given.
  Option& one_at_a_time();
  /// For a list: any number of times, with one value each time.
  Option& repeatable();

 private:
  CLI::Option* option_;
  OptionInfo* info_;
};

/// A command, or a group of commands. A handle: the command line owns the command.
///
/// An option is named as in "-l,--limit N", with the word that the help has for its value. A name without dashes, like
/// "FILE", is a positional argument; a flag has no value. Completion offers files for values called FILE, OUT or IN,
/// and directories for DIRECTORY.
class Command {
 public:
  Command(CLI::App& app, CommandInfo& info, Action& chosen) : app_(&app), info_(&info), chosen_(&chosen) {}

  /// A command of this group.
  [[nodiscard]] Command add(const std::string& name, const std::string& help) const;
  /// A group of which one command must be named. `example` is a command line of it.
  [[nodiscard]] Command add_group(const std::string& name, const std::string& help, const std::string& example) const;

  Option option(const std::string& text, std::string& value, const std::string& help) const;
  Option option(const std::string& text, std::int64_t& value, const std::string& help) const;
  Option option(const std::string& text, std::vector<std::string>& values, const std::string& help) const;
  /// `take` is called while arguments are parsed; its error is shown like any other error among the arguments.
  Option text_option(const std::string& text, std::function<Result<>(const std::string&)> take,
                     const std::string& help) const;
  Option integer_option(const std::string& text, const std::function<void(std::int64_t)>& take,
                        const std::string& help) const;
  Option flag(const std::string& names, bool& value, const std::string& help) const;
  /// A flag that is bound to nothing, for one that is required.
  Option flag(const std::string& names, const std::string& help) const;

  /// Another name of this command, which the help does not show.
  void alias(const std::string& name) const;
  /// A paragraph of the help.
  void note(const std::string& text) const;
  /// A command line that works when it is copied. The help begins with these.
  void example(const std::string& line) const;
  /// What it means if the command exits with `code`. The last meaning given for a code counts.
  void exits(int code, const std::string& meaning) const;
  /// Puts commands of this group below a title of its help, in this order, behind those of earlier sections.
  void section(const std::string& title, const std::vector<std::string>& names) const;
  /// No help and no completion shows the command.
  void hide() const;
  /// What is done if this command is the last one that is named.
  void on_run(Action action) const;

 private:
  CLI::App* app_;
  CommandInfo* info_;
  Action* chosen_;
};

/// The word with which completion scripts ask what could stand at the end of the words behind it.
inline constexpr std::string_view kCompleteWord = "__complete";

class CommandLine {
 public:
  CommandLine(const std::string& name, ProgramInfo program);
  ~CommandLine();
  CommandLine(const CommandLine&) = delete;
  CommandLine& operator=(const CommandLine&) = delete;

  /// The group of all commands.
  [[nodiscard]] Command root();
  [[nodiscard]] const CommandInfo& table() const { return *info_; }
  [[nodiscard]] const ProgramInfo& program() const { return program_; }
  /// The commands `help` and `version`.
  void add_help_commands();
  /// What the chosen command does: also printing help, the version, the overview if there is no argument, or what
  /// completion asks for. invalid_argument, with the word that may have been meant or where the help is, if the
  /// arguments are not what was described.
  [[nodiscard]] Result<Action> parse(int argc, const char* const* argv);

 private:
  [[nodiscard]] const CommandInfo& last_named() const;
  [[nodiscard]] Result<Action> help_on(std::span<const std::string> words) const;
  [[nodiscard]] Result<Action> answer_for_help() const;
  [[nodiscard]] std::optional<Action> answer_for_word_help() const;

  const ProgramInfo program_;
  std::unique_ptr<CommandInfo> info_;
  std::unique_ptr<CLI::App> app_;
  Action chosen_;
  std::vector<std::string> help_words_;
};

}  // namespace syncline::cli
