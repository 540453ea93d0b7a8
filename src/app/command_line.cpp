#include "app/command_line.hpp"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdio>
#include <sstream>
#include <string_view>
#include <utility>

#include "base/text.hpp"

namespace syncline::app {
namespace {

/// Lists commands by their names, without their aliases, and says of an option what it is like in words.
class HelpFormatter : public CLI::Formatter {
 public:
  std::string make_subcommand(const CLI::App* command) const override {
    std::ostringstream out;
    CLI::detail::format_help(out, command->get_name(), command->get_description(), get_column_width());
    return out.str();
  }

  std::string make_option_opts(const CLI::Option* option) const override {
    std::string opts;
    if (option->get_type_size() != 0 && !option->get_type_name().empty()) opts = ' ' + option->get_type_name();
    if (option->get_expected_max() == CLI::detail::expected_max_vector_size) opts += " ...";
    if (option->get_required()) opts += " REQUIRED";
    return opts;
  }

  std::string make_option_desc(const CLI::Option* option) const override {
    const std::string default_value = option->get_default_str();
    return option->get_description() + (default_value.empty() ? "" : " (default: " + default_value + ")");
  }
};

/// "-d,--data DIRECTORY": the names, and what the help calls the value. A positional argument is its own name.
struct OptionText {
  explicit OptionText(const std::string& text) : names(text.substr(0, text.find(' '))) {
    if (names.size() < text.size()) value = text.substr(names.size() + 1);
  }

  [[nodiscard]] Option of(CLI::Option& option) const { return Option(*option.type_name(value)); }

  std::string names;
  std::string value;
};

/// "unknown command 'lst'; did you mean 'list'?" for a command of this group, else where the help is.
std::string unknown_command(const CLI::App& group, const std::string& command, const std::string& word) {
  std::vector<std::string_view> names;
  for (const CLI::App* sub : group.get_subcommands([](const CLI::App*) { return true; }))
    names.push_back(sub->get_name());
  const std::string nearest(nearest_word(word, names));
  const std::string advice = nearest.empty() ? "see '" + command + " --help'" : "did you mean '" + nearest + "'?";
  return "unknown command '" + word + "'; " + advice;
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
std::string explain(const CLI::App& root, const CLI::ParseError& error) {
  const CLI::App* last = &root;
  std::string command = root.get_name();
  while (!last->get_subcommands().empty()) {
    last = last->get_subcommands().back();
    command += ' ' + last->get_name();
  }
  const bool is_group = !last->get_subcommands([](const CLI::App*) { return true; }).empty();
  const bool needs_command = is_group && last->get_require_subcommand_min() > 0;
  const bool is_unexpected = dynamic_cast<const CLI::ExtrasError*>(&error) != nullptr;
  const std::vector<std::string> unexpected = root.remaining(true);
  const std::string help = "; see '" + command + " --help'";
  if ((needs_command || is_unexpected) && !unexpected.empty()) {
    const std::string& word = unexpected.front();
    if (word.starts_with('-')) return "unknown option '" + word.substr(0, word.find('=')) + '\'' + help;
    return is_group ? unknown_command(*last, command, word) : "unexpected argument '" + word + '\'' + help;
  }
  return (needs_command ? "no command given" : rephrase(error)) + help;
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

/// "free, pro or team"
std::string list_choices(const std::vector<std::string>& words) {
  std::string text;
  for (std::size_t i = 0; i < words.size(); ++i) {
    text += (i == 0 ? "" : i + 1 == words.size() ? " or " : ", ") + words[i];
  }
  return text;
}

}  // namespace

Option& Option::required() {
  option_->required();
  return *this;
}

Option& Option::shows_default() {
  option_->capture_default_str();
  return *this;
}

Option& Option::in_range(std::int64_t low, std::int64_t high) {
  const std::string range = std::to_string(low) + " to " + std::to_string(high);
  option_->description(option_->get_description() + "; " + range);
  option_->check(make_check(
      [low, high](const std::string& value) {
        const auto number = parse_integer(value);
        return number && *number >= low && *number <= high;
      },
      "a whole number from " + range));
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
  return *this;
}

Option& Option::one_at_a_time() {
  option_->expected(1);
  return *this;
}

Option& Option::repeatable() {
  option_->allow_extra_args(false);
  return *this;
}

// CLI11 repeats the footer of a group below each of its commands; ours have their own.
Command Command::add(const std::string& name, const std::string& help) const {
  return {*app_->add_subcommand(name, help)->footer(std::string()), *chosen_};
}

Command Command::add_group(const std::string& name, const std::string& help, const std::string& example) const {
  CLI::App& group = *app_->add_subcommand(name, help);
  group.require_subcommand(1);
  const Command made{group, *chosen_};
  made.example(example);
  return made;
}

Option Command::option(const std::string& text, std::string& value, const std::string& help) const {
  const OptionText named(text);
  return named.of(*app_->add_option(named.names, value, help));
}

Option Command::option(const std::string& text, std::int64_t& value, const std::string& help) const {
  const OptionText named(text);
  return named.of(*add_integer_check(app_->add_option(named.names, value, help)));
}

Option Command::option(const std::string& text, std::vector<std::string>& values, const std::string& help) const {
  const OptionText named(text);
  return named.of(*app_->add_option(named.names, values, help));
}

Option Command::text_option(const std::string& text, std::function<Result<>(const std::string&)> take,
                            const std::string& help) const {
  const auto take_or_throw = [take = std::move(take)](const std::string& value) {
    if (const auto taken = take(value); !taken) throw CLI::ValidationError(taken.error().text);
  };
  const OptionText named(text);
  return named.of(*app_->add_option_function<std::string>(named.names, take_or_throw, help));
}

Option Command::integer_option(const std::string& text, const std::function<void(std::int64_t)>& take,
                               const std::string& help) const {
  const OptionText named(text);
  return named.of(*add_integer_check(app_->add_option_function<std::int64_t>(named.names, take, help)));
}

Option Command::flag(const std::string& names, bool& value, const std::string& help) const {
  return Option(*app_->add_flag(names, value, help));
}

Option Command::flag(const std::string& names, const std::string& help) const {
  return Option(*app_->add_flag(names)->description(help));
}

void Command::alias(const std::string& name) const { app_->alias(name); }

void Command::footer(const std::string& text) const { app_->footer(text); }

void Command::example(const std::string& line) const { footer("Example:\n  " + line); }

void Command::on_run(Action action) const {
  app_->callback([app = app_, chosen = chosen_, action = std::move(action)] {
    if (app->get_subcommands().empty()) *chosen = action;
  });
}

CommandLine::CommandLine(const std::string& description, const std::string& version)
    : app_(std::make_unique<CLI::App>(description, "syncline")) {
  app_->formatter(std::make_shared<HelpFormatter>());  // before commands are added: they inherit it
  app_->set_help_flag("-h,--help", "print this help");
  app_->set_version_flag("--version", version, "print the version");
  app_->require_subcommand(1);
}

CommandLine::~CommandLine() = default;

Command CommandLine::root() { return {*app_, chosen_}; }

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
  try {
    app_->parse(argc, argv);
    return chosen_;
  } catch (const CLI::ParseError& error) {
    if (error.get_exit_code() != 0) {
      const bool is_unexpected = !app_->remaining(true).empty();
      return fail(ErrorCode::invalid_argument, hide_values(explain(*app_, error), is_unexpected, argc, argv));
    }
    std::ostringstream text;  // of --help or --version
    app_->exit(error, text, text);
    return [text = text.str()]() -> Result<> {
      std::fputs(text.c_str(), stdout);
      return {};
    };
  }
}

}  // namespace syncline::app
