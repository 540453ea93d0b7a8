// Commands, their options and help texts as values, and the parser of arguments behind them. Knows no command itself.
// Only the source includes CLI11, which takes seconds to compile. For the main thread; what options are bound to must
// live until the chosen command has run.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/result.hpp"

namespace CLI {
class App;
class Option;
}  // namespace CLI

namespace syncline::app {

/// What the chosen command does.
using Action = std::function<Result<>()>;

/// An option of a command, or one of its positional arguments. A handle: the command line owns the option.
class Option {
 public:
  explicit Option(CLI::Option& option) : option_(&option) {}

  Option& required();
  /// The help names the value it is bound to as the default.
  Option& shows_default();
  /// The help ends with the range.
  Option& in_range(std::int64_t low, std::int64_t high);
  Option& positive();
  Option& one_of(const std::vector<std::string>& words);
  /// For a list: one value each time that the option is given.
  Option& one_at_a_time();
  /// For a list: any number of times, with one value each time.
  Option& repeatable();

 private:
  CLI::Option* option_;
};

/// A command, or a group of commands. A handle: the command line owns the command.
///
/// An option is named as in "-l,--limit N", with the word that the help has for its value. A name without dashes, like
/// "FILE", is a positional argument; a flag has no value.
class Command {
 public:
  Command(CLI::App& app, Action& chosen) : app_(&app), chosen_(&chosen) {}

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
  /// What the help says at its end.
  void footer(const std::string& text) const;
  /// A footer with one command line that works when it is copied.
  void example(const std::string& line) const;
  /// What is done if this command is the last one that is named.
  void on_run(Action action) const;

 private:
  CLI::App* app_;
  Action* chosen_;
};

class CommandLine {
 public:
  CommandLine(const std::string& description, const std::string& version);
  ~CommandLine();
  CommandLine(const CommandLine&) = delete;
  CommandLine& operator=(const CommandLine&) = delete;

  /// The group of all commands.
  [[nodiscard]] Command root();
  /// What the chosen command does; for --help and --version, printing that. invalid_argument, with the word that may
  /// have been meant or where the help is, if the arguments are not what was described.
  [[nodiscard]] Result<Action> parse(int argc, const char* const* argv);

 private:
  std::unique_ptr<CLI::App> app_;
  Action chosen_;
};

}  // namespace syncline::app
