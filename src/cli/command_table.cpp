#include "cli/command_table.hpp"

#include <algorithm>

namespace syncline::cli {
namespace {

const OptionInfo& help_option() {
  static const OptionInfo kHelp = [] {
    OptionInfo option;
    option.names = {"-h", "--help"};
    option.help = "show this help";
    return option;
  }();
  return kHelp;
}

const OptionInfo& version_option() {
  static const OptionInfo kVersion = [] {
    OptionInfo option;
    option.names = {"-V", "--version"};
    option.help = "show the version";
    return option;
  }();
  return kVersion;
}

bool has_name(const OptionInfo& option, std::string_view name) {
  return std::ranges::find(option.names, name) != option.names.end();
}

}  // namespace

const CommandInfo* find_command(const CommandInfo& group, std::string_view word) {
  for (const auto& command : group.commands) {
    const bool is_alias = std::ranges::find(command->aliases, word) != command->aliases.end();
    if (command->name == word || is_alias) return command.get();
  }
  return nullptr;
}

const CommandInfo& follow_words(const CommandInfo& root, std::span<const std::string> words, std::size_t* unknown) {
  const CommandInfo* command = &root;
  for (*unknown = 0; *unknown < words.size(); ++*unknown) {
    const CommandInfo* next = find_command(*command, words[*unknown]);
    if (next == nullptr) break;
    command = next;
  }
  return *command;
}

std::string path_of(const CommandInfo& command) {
  return command.parent == nullptr ? command.name : path_of(*command.parent) + ' ' + command.name;
}

std::vector<const CommandInfo*> visible_commands(const CommandInfo& group) {
  std::vector<const CommandInfo*> found;
  for (const auto& command : group.commands) {
    if (!command->is_hidden) found.push_back(command.get());
  }
  return found;
}

std::vector<const OptionInfo*> visible_options(const CommandInfo& command) {
  std::vector<const OptionInfo*> found;
  for (const int rank : {0, 1, 2}) {
    for (const OptionInfo& option : command.options) {
      const int of_option = option.is_required ? 0 : option.is_common ? 2 : 1;
      if (!option.is_argument() && of_option == rank) found.push_back(&option);
    }
  }
  if (command.parent == nullptr) found.push_back(&version_option());
  found.push_back(&help_option());
  return found;
}

std::vector<const OptionInfo*> arguments_of(const CommandInfo& command) {
  std::vector<const OptionInfo*> found;
  for (const OptionInfo& option : command.options) {
    if (option.is_argument()) found.push_back(&option);
  }
  return found;
}

const OptionInfo* find_option(const CommandInfo& command, std::string_view name) {
  for (const OptionInfo& option : command.options) {
    if (has_name(option, name)) return &option;
  }
  for (const OptionInfo* option : {&help_option(), &version_option()}) {
    if (has_name(*option, name)) return option;
  }
  return nullptr;
}

std::string_view main_name(const OptionInfo& option) {
  if (option.is_argument()) return option.value;
  const auto is_long = [](const std::string& name) { return name.starts_with("--"); };
  const auto found = std::ranges::find_if(option.names, is_long);
  return found == option.names.end() ? option.names.front() : *found;
}

std::string option_text(const OptionInfo& option) {
  std::string text;
  for (const std::string& name : option.names) text += (text.empty() ? "" : ", ") + name;
  return option.is_flag() ? text : text + ' ' + option.value;
}

std::string description_of(const OptionInfo& option) {
  std::string text = option.help;
  if (!option.choices.empty() && !option.is_prefix) {
    text += option.is_list ? "; one or more, separated by commas, of: " : ": ";
    if (option.is_list) {
      for (std::size_t i = 0; i < option.choices.size(); ++i) text += (i == 0 ? "" : ", ") + option.choices[i];
    } else {
      text += list_choices(option.choices);
    }
  }
  if (!option.range.empty()) text += "; " + option.range;
  if (option.is_repeatable && !option.is_argument()) text += "; may be given several times";
  if (!option.default_text.empty()) text += " (default: " + option.default_text + ')';
  if (option.is_required && !option.is_argument()) text += " (required)";
  return text;
}

std::string argument_text(const OptionInfo& argument) {
  const std::string text = argument.value + (argument.is_repeatable ? "..." : "");
  return argument.is_required ? text : '[' + text + ']';
}

std::vector<std::string> usages_of(const CommandInfo& command) {
  const std::string path = path_of(command);
  std::vector<std::string> usages;
  if (!command.needs_command) {
    std::string usage = path;
    for (const OptionInfo* argument : arguments_of(command)) usage += ' ' + argument_text(*argument);
    for (const OptionInfo& option : command.options) {
      if (option.is_argument() || !option.is_required) continue;
      usage.append(" ").append(main_name(option));
      if (!option.is_flag()) usage += ' ' + option.value;
    }
    usages.push_back(usage + " [OPTIONS]");
  }
  if (command.is_group()) {
    const bool has_options = !command.options.empty();
    usages.push_back(path + (command.needs_command && has_options ? " [OPTIONS]" : "") + " COMMAND");
  }
  return usages;
}

std::string list_choices(std::span<const std::string> words) {
  std::string text;
  for (std::size_t i = 0; i < words.size(); ++i) {
    text += (i == 0 ? "" : i + 1 == words.size() ? " or " : ", ") + words[i];
  }
  return text;
}

}  // namespace syncline::cli
