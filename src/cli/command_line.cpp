#include "cli/command_line.hpp"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <array>
#include <cstdio>
#include <string_view>
#include <utility>

#include "base/text.hpp"
#include "cli/completion.hpp"
#include "cli/help_text.hpp"

namespace syncline::cli {
namespace {

/// "-d,--data DIRECTORY": the names, and what the help calls the value. A positional argument is its own name.
struct OptionText {
  explicit OptionText(const std::string& text) : names(text.substr(0, text.find(' '))) {
    if (names.size() < text.size()) value = text.substr(names.size() + 1);
  }

  std::string names;
  std::string value;
};

/// "did you mean 'list'?", else where the help is.
std::string advice(std::string_view nearest, const CommandInfo& command) {
  return nearest.empty() ? "see '" + path_of(command) + " --help'" : "did you mean '" + std::string(nearest) + "'?";
}

std::string unknown_command(const CommandInfo& group, const std::string& word) {
  std::vector<std::string_view> names;
  for (const CommandInfo* command : visible_commands(group)) names.push_back(command->name);
  return "unknown command '" + word + "'; " + advice(nearest_word(word, names), group);
}

/// Compares long options without their dashes: those must not make two words alike.
std::string unknown_option(const CommandInfo& command, const std::string& word) {
  std::vector<std::string_view> names;
  for (const OptionInfo* option : visible_options(command)) {
    for (const std::string_view name : option->names) {
      if (name.starts_with("--")) names.push_back(name.substr(2));
    }
  }
  const std::string_view nearest =
      word.starts_with("--") ? nearest_word(std::string_view(word).substr(2), names) : std::string_view();
  return "unknown option '" + word + "'; " + advice(nearest.empty() ? "" : "--" + std::string(nearest), command);
}

/// What CLI11 says of a value, in the words of our own errors.
std::string rephrase(const CLI::ParseError& error) {
  std::string text = error.what();
  const std::size_t missing = text.find(": 1 required ");
  if (dynamic_cast<const CLI::ArgumentMismatch*>(&error) != nullptr && missing != std::string::npos) {
    return text.substr(0, missing) + " needs a value";
  }
  return text;
}

/// Names the first argument that is not expected, or the command that is missing, and says where the help is.
std::string explain(const CommandInfo& last, const CLI::App& root, const CLI::ParseError& error) {
  // A word that is not known explains best what is missing, too.
  const bool is_about_words = dynamic_cast<const CLI::ExtrasError*>(&error) != nullptr ||
                              dynamic_cast<const CLI::RequiredError*>(&error) != nullptr;
  const std::vector<std::string> unexpected = root.remaining(true);
  if (is_about_words && !unexpected.empty()) {
    const std::string& word = unexpected.front();
    if (word.starts_with('-')) return unknown_option(last, word.substr(0, word.find('=')));
    if (last.is_group()) return unknown_command(last, word);
    return "unexpected argument '" + word + "'; " + advice("", last);
  }
  return (last.needs_command ? "no command given" : rephrase(error)) + "; " + advice("", last);
}

/// A check that is not named in the help, unlike those of CLI11: the description of the option says what is allowed.
CLI::Validator make_check(std::function<bool(const std::string&)> is_allowed, const std::string& expected) {
  return {[is_allowed = std::move(is_allowed), expected](std::string& value) {
            return is_allowed(value) ? std::string() : "expected " + expected + ", not '" + value + '\'';
          },
          ""};
}

/// Of whole numbers, which are checked before CLI11 converts them and has an error of its own.
CLI::Option* add_integer_check(CLI::Option* option) {
  return option->check(
      make_check([](const std::string& value) { return parse_integer(value).has_value(); }, "a whole number"));
}

Action print(std::string text) {
  return [text = std::move(text)]() -> Result<> {
    std::fputs(text.c_str(), stdout);
    return {};
  };
}

/// The names of an option as the table has them, short ones first: "-a", "-s", "--agent", "--stack".
std::vector<std::string> names_in(const std::string& names) {
  std::vector<std::string> sorted;
  for (const bool is_long : {false, true}) {
    for (const std::string_view name : split(names, ',')) {
      if (name.starts_with("--") == is_long) sorted.emplace_back(name);
    }
  }
  return sorted;
}

OptionInfo& describe(CommandInfo& command, const OptionText& text, const std::string& help) {
  OptionInfo& info = command.options.emplace_back();
  if (text.names.starts_with('-')) {
    info.names = names_in(text.names);
    info.value = text.value;
  } else {
    info.value = text.names;
  }
  info.help = help;
  return info;
}

}  // namespace

Option& Option::required() {
  option_->required();
  info_->is_required = true;
  return *this;
}

Option& Option::shows_default() {
  option_->capture_default_str();
  return defaults_to(option_->get_default_str());
}

Option& Option::defaults_to(const std::string& text) {
  info_->default_text = text;
  return *this;
}

Option& Option::in_range(std::int64_t low, std::int64_t high) {
  info_->range = std::to_string(low) + " to " + std::to_string(high);
  option_->check(make_check(
      [low, high](const std::string& value) {
        const auto number = parse_integer(value);
        return number && *number >= low && *number <= high;
      },
      "a whole number from " + info_->range));
  return *this;
}

Option& Option::positive() {
  option_->check(make_check([](const std::string& value) { return parse_integer(value).value_or(0) > 0; },
                            "a whole number of at least 1"));
  return *this;
}

Option& Option::one_of(const std::vector<std::string>& words) {
  option_->check(
      make_check([words](const std::string& value) { return std::ranges::find(words, value) != words.end(); },
                 list_choices(words)));
  return known_values(words);
}

Option& Option::known_values(const std::vector<std::string>& words) {
  info_->choices = words;
  return *this;
}

Option& Option::known_list(const std::vector<std::string>& words) {
  info_->is_list = true;
  return known_values(words);
}

Option& Option::known_beginnings(const std::vector<std::string>& words) {
  info_->is_prefix = true;
  return known_values(words);
}

Option& Option::common() {
  info_->is_common = true;
  return *this;
}

Option& Option::one_at_a_time() {
  option_->expected(1);
  info_->is_repeatable = false;
  return *this;
}

Option& Option::repeatable() {
  option_->allow_extra_args(false);
  return *this;
}

Command Command::add(const std::string& name, const std::string& help) const {
  CommandInfo& info = *info_->commands.emplace_back(std::make_unique<CommandInfo>());
  info.name = name;
  info.parent = info_;
  info.summary = help;
  CLI::App& app = *app_->add_subcommand(name, help);
  app.set_version_flag("-V,--version", std::string());  // not inherited, unlike the flag of the help
  return {app, info, *chosen_};
}

Command Command::add_group(const std::string& name, const std::string& help, const std::string& example) const {
  const Command made = add(name, help);
  made.app_->require_subcommand(1);
  made.info_->needs_command = true;
  made.example(example);
  return made;
}

Option Command::option(const std::string& text, std::string& value, const std::string& help) const {
  const OptionText named(text);
  return {*app_->add_option(named.names, value, help), describe(*info_, named, help)};
}

Option Command::option(const std::string& text, std::int64_t& value, const std::string& help) const {
  const OptionText named(text);
  return {*add_integer_check(app_->add_option(named.names, value, help)), describe(*info_, named, help)};
}

Option Command::option(const std::string& text, std::vector<std::string>& values, const std::string& help) const {
  const OptionText named(text);
  OptionInfo& info = describe(*info_, named, help);
  info.is_repeatable = true;
  return {*app_->add_option(named.names, values, help), info};
}

Option Command::text_option(const std::string& text, std::function<Result<>(const std::string&)> take,
                            const std::string& help) const {
  const auto take_or_throw = [take = std::move(take)](const std::string& value) {
    if (const auto taken = take(value); !taken) throw CLI::ValidationError(taken.error().text);
  };
  const OptionText named(text);
  return {*app_->add_option_function<std::string>(named.names, take_or_throw, help), describe(*info_, named, help)};
}

Option Command::integer_option(const std::string& text, const std::function<void(std::int64_t)>& take,
                               const std::string& help) const {
  const OptionText named(text);
  return {*add_integer_check(app_->add_option_function<std::int64_t>(named.names, take, help)),
          describe(*info_, named, help)};
}

Option Command::flag(const std::string& names, bool& value, const std::string& help) const {
  return {*app_->add_flag(names, value, help), describe(*info_, OptionText(names), help)};
}

Option Command::flag(const std::string& names, const std::string& help) const {
  return {*app_->add_flag(names)->description(help), describe(*info_, OptionText(names), help)};
}

void Command::alias(const std::string& name) const {
  app_->alias(name);
  info_->aliases.push_back(name);
}

void Command::note(const std::string& text) const { info_->notes.push_back(text); }

void Command::example(const std::string& line) const { info_->examples.push_back(line); }

void Command::exits(int code, const std::string& meaning) const { info_->exits[code] = meaning; }

void Command::section(const std::string& title, const std::vector<std::string>& names) const {
  for (const std::string& name : names) {
    const auto found = std::ranges::find(info_->commands, name, [](const auto& command) { return command->name; });
    if (found == info_->commands.end()) continue;
    (*found)->section = title;
    std::rotate(found, found + 1, info_->commands.end());
  }
}

void Command::hide() const { info_->is_hidden = true; }

void Command::on_run(Action action) const {
  app_->callback([app = app_, chosen = chosen_, action = std::move(action)] {
    if (app->get_subcommands().empty()) *chosen = action;
  });
}

CommandLine::CommandLine(const std::string& name, ProgramInfo program)
    : program_(std::move(program)),
      info_(std::make_unique<CommandInfo>()),
      app_(std::make_unique<CLI::App>(program_.title, name)) {
  info_->name = name;
  info_->summary = program_.title;
  info_->needs_command = true;
  app_->set_help_flag("-h,--help");  // before commands are added: they inherit it
  app_->set_version_flag("-V,--version", std::string());
  app_->require_subcommand(1);
}

CommandLine::~CommandLine() = default;

Command CommandLine::root() { return {*app_, *info_, chosen_}; }

void CommandLine::add_help_commands() {
  const Command help = root().add("help", "List all commands, or describe one");
  help.option("COMMAND", help_words_, "words of the command to describe");
  help.example(info_->name + " help");
  help.example(info_->name + " help " + info_->commands.front()->name);
  help.on_run([this]() -> Result<> {
    TRY(const Action show, help_on(help_words_));
    return show();
  });
  info_->commands.back()->names_command = true;

  const Command version = root().add("version", "Show the version");
  version.example(info_->name + " version");
  version.on_run(print(program_.version + '\n'));
}

/// The command that the arguments have led to.
const CommandInfo& CommandLine::last_named() const {
  const CommandInfo* info = info_.get();
  for (const CLI::App* app = app_.get(); !app->get_subcommands().empty();) {
    app = app->get_subcommands().back();
    info = find_command(*info, app->get_name());
  }
  return *info;
}

Result<Action> CommandLine::help_on(std::span<const std::string> words) const {
  std::size_t unknown = 0;
  const CommandInfo& command = follow_words(*info_, words, &unknown);
  if (unknown == words.size()) return print(help_text(command, program_));
  if (command.is_group()) return fail(ErrorCode::invalid_argument, unknown_command(command, words[unknown]));
  return fail(ErrorCode::invalid_argument,
              "'" + path_of(command) + "' has no command '" + words[unknown] + "'; " + advice("", command));
}

/// For --help. A word that should name a command but does not is worth more than the help of the group before it.
Result<Action> CommandLine::answer_for_help() const {
  const CommandInfo& last = last_named();
  const std::vector<std::string> unexpected = app_->remaining(true);
  if (last.is_group() && !unexpected.empty() && !unexpected.front().starts_with('-')) {
    return fail(ErrorCode::invalid_argument, unknown_command(last, unexpected.front()));
  }
  return print(help_text(last, program_));
}

/// For the word "help" where nothing of that name is expected, as in `account help add`. Nothing if there is none.
std::optional<Action> CommandLine::answer_for_word_help() const {
  const std::vector<std::string> unexpected = app_->remaining(true);
  if (unexpected.empty() || unexpected.front() != "help") return std::nullopt;
  std::size_t unknown = 0;
  const std::span<const std::string> rest = std::span(unexpected).subspan(1);
  const CommandInfo& command = follow_words(last_named(), rest, &unknown);
  if (unknown != rest.size()) return std::nullopt;
  return print(help_text(command, program_));
}

namespace {

/// Takes out of an error what may be a secret: values of options, if the error is that the option or the value is not
/// known, and whatever looks like a key. CLI11 repeats what it does not expect, and errors end up in logs.
std::string hide_values(std::string text, bool is_unexpected, int argc, const char* const* argv) {
  constexpr std::string_view kHidden = "***";
  constexpr std::array<std::string_view, 3> kSecretNames = {"key", "token", "secret"};
  std::string_view before;
  for (int i = 1; i < argc; ++i) {
    const std::string_view word(argv[i]);
    const std::size_t equals = word.starts_with("--") ? word.find('=') : std::string_view::npos;
    const std::string_view option = equals == std::string_view::npos ? before : word.substr(0, equals);
    const std::string_view value = equals == std::string_view::npos ? word : word.substr(equals + 1);
    const bool is_value = option.starts_with("--") && (equals != std::string_view::npos || !word.starts_with('-'));
    const bool names_secret = std::ranges::any_of(
        kSecretNames, [&](std::string_view name) { return option.find(name) != std::string_view::npos; });
    const bool is_secret = value.starts_with("sl_") || (is_value && (is_unexpected || names_secret));
    before = word;
    if (!is_secret || value.empty()) continue;
    for (std::size_t at = text.find(value); at != std::string::npos; at = text.find(value, at + kHidden.size())) {
      text.replace(at, value.size(), kHidden);
    }
  }
  return text;
}

}  // namespace

Result<Action> CommandLine::parse(int argc, const char* const* argv) {
  if (argc <= 1) return print(program_.overview);
  if (argv[1] == kCompleteWord) {
    return print(to_lines(complete(*info_, std::vector<std::string>(argv + 2, argv + argc))));
  }
  std::string refusal;
  try {
    app_->parse(argc, argv);
    return chosen_;
  } catch (const CLI::CallForVersion&) {
    return print(program_.version + '\n');
  } catch (const CLI::CallForHelp&) {
    const auto show = answer_for_help();
    if (show) return show;
    refusal = show.error().text;
  } catch (const CLI::ParseError& error) {
    const auto show = answer_for_word_help();
    if (show) return *show;
    refusal = explain(last_named(), *app_, error);
  }
  return fail(ErrorCode::invalid_argument, hide_values(refusal, !app_->remaining(true).empty(), argc, argv));
}

}  // namespace syncline::cli
