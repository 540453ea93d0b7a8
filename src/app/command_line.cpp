#include "app/command_line.hpp"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdio>
#include <sstream>
#include <string_view>
#include <utility>

namespace syncline::app {
namespace {

/// Lists commands by their names, without their aliases.
class HelpFormatter : public CLI::Formatter {
 public:
  std::string make_subcommand(const CLI::App* command) const override {
    std::ostringstream out;
    CLI::detail::format_help(out, command->get_name(), command->get_description(), get_column_width());
    return out.str();
  }
};

/// Number of edits that make one word of the other, for "did you mean".
std::size_t distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> row(b.size() + 1);
  for (std::size_t j = 0; j <= b.size(); ++j) row[j] = j;
  for (std::size_t i = 1; i <= a.size(); ++i) {
    std::size_t diagonal = std::exchange(row[0], i);
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t replaced = diagonal + (a[i - 1] == b[j - 1] ? 0 : 1);
      diagonal = row[j];
      row[j] = std::min({row[j] + 1, row[j - 1] + 1, replaced});
    }
  }
  return row.back();
}

/// "; did you mean 'list'?" for the first of the leading words that is no command, else where the help is.
std::string advice_for(const CLI::App& app, int argc, const char* const* argv) {
  const CLI::App* at = &app;
  std::string command = "syncline";
  for (int i = 1; i < argc && argv[i][0] != '-'; ++i) {
    const std::string word(argv[i]);
    const CLI::App* next = nullptr;
    std::string nearest;
    std::size_t best = 3;
    for (const CLI::App* sub : at->get_subcommands([](const CLI::App*) { return true; })) {
      if (sub->check_name(word)) next = sub;
      if (const std::size_t d = distance(sub->get_name(), word); d < best) {
        best = d;
        nearest = sub->get_name();
      }
    }
    if (next == nullptr && !nearest.empty()) return "; did you mean '" + nearest + "'?";
    if (next == nullptr) break;
    at = next;
    command += ' ' + word;
  }
  return "; see '" + command + " --help'";
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
  option_->check(CLI::Range(low, high));
  return *this;
}

Option& Option::positive() {
  option_->check(CLI::PositiveNumber);
  return *this;
}

Option& Option::one_of(const std::vector<std::string>& words) {
  option_->check(CLI::IsMember(words));
  return *this;
}

Option& Option::one_at_a_time() {
  option_->expected(1);
  return *this;
}

// CLI11 repeats the footer of a group below each of its commands; ours have their own.
Command Command::add(const std::string& name, const std::string& help) const {
  return {*app_->add_subcommand(name, help)->footer(std::string()), *chosen_};
}

Command Command::add_group(const std::string& name, const std::string& help) const {
  CLI::App& group = *app_->add_subcommand(name, help)->footer(std::string());
  group.require_subcommand(1);
  return {group, *chosen_};
}

Option Command::option(const std::string& names, std::string& value, const std::string& help) const {
  return Option(*app_->add_option(names, value, help));
}

Option Command::option(const std::string& names, std::int64_t& value, const std::string& help) const {
  return Option(*app_->add_option(names, value, help));
}

Option Command::option(const std::string& names, std::vector<std::string>& values, const std::string& help) const {
  return Option(*app_->add_option(names, values, help));
}

Option Command::text_option(const std::string& names, std::function<Result<>(const std::string&)> take,
                            const std::string& help) const {
  const auto take_or_throw = [take = std::move(take)](const std::string& value) {
    if (const auto taken = take(value); !taken) throw CLI::ValidationError(taken.error().text);
  };
  return Option(*app_->add_option_function<std::string>(names, take_or_throw, help));
}

Option Command::integer_option(const std::string& names, const std::function<void(std::int64_t)>& take,
                               const std::string& help) const {
  return Option(*app_->add_option_function<std::int64_t>(names, take, help));
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
    : app_(std::make_unique<CLI::App>(description)) {
  app_->formatter(std::make_shared<HelpFormatter>());  // before commands are added: they inherit it
  app_->set_version_flag("--version", version);
  app_->require_subcommand(1);
}

CommandLine::~CommandLine() = default;

Command CommandLine::root() { return {*app_, chosen_}; }

Result<Action> CommandLine::parse(int argc, const char* const* argv) {
  try {
    app_->parse(argc, argv);
    return chosen_;
  } catch (const CLI::ParseError& error) {
    if (error.get_exit_code() != 0) {
      return fail(ErrorCode::invalid_argument, error.what() + advice_for(*app_, argc, argv));
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
