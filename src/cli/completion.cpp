#include "cli/completion.hpp"

#include <algorithm>
#include <array>
#include <set>

#include "base/text.hpp"

namespace syncline::cli {
namespace {

Candidates::Paths paths_of(const OptionInfo& option) {
  constexpr std::array<std::string_view, 3> kFiles = {"FILE", "OUT", "IN"};
  if (std::ranges::find(kFiles, option.value) != kFiles.end()) return Candidates::Paths::files;
  return option.value == "DIRECTORY" ? Candidates::Paths::directories : Candidates::Paths::none;
}

class Completion {
 public:
  explicit Completion(const CommandInfo& root) : root_(&root), command_(&root) {}

  /// A word that is complete.
  void pass(const std::string& word) {
    if (pending_ != nullptr) {
      pending_ = nullptr;
    } else if (word == "--" && !only_arguments_) {
      only_arguments_ = true;
    } else if (!only_arguments_ && word.size() > 1 && word.starts_with('-')) {
      pass_option(word);
    } else if (const CommandInfo* next = find_command(named(), word); next != nullptr) {
      (command_->names_command ? help_on_ : command_) = next;
      given_.clear();
      arguments_ = 0;
    } else {
      ++arguments_;
    }
  }

  Candidates candidates(const std::string& word) {
    if (pending_ != nullptr) {
      add_values(*pending_, "", word);
    } else if (!only_arguments_ && word.starts_with('-')) {
      const std::size_t equals = word.find('=');
      const OptionInfo* option = equals == std::string::npos ? nullptr : find_option(*command_, word.substr(0, equals));
      if (option != nullptr) {
        add_values(*option, word.substr(0, equals + 1), word.substr(equals + 1));
      } else {
        add_options(word);
      }
    } else {
      add_commands_and_arguments(word);
    }
    return std::move(found_);
  }

 private:
  /// Whose commands the next word may name.
  [[nodiscard]] const CommandInfo& named() const {
    if (!command_->names_command) return *command_;
    return help_on_ == nullptr ? *root_ : *help_on_;
  }

  void pass_option(const std::string& word) {
    const std::size_t equals = word.find('=');
    const OptionInfo* option = find_option(*command_, word.substr(0, equals));
    if (option == nullptr) return;
    given_.insert(option);
    if (!option->is_flag() && equals == std::string::npos) pending_ = option;
  }

  void add(const std::string& text, const std::string& word, const std::string& help) {
    if (text.starts_with(word)) found_.words.push_back({text, help});
  }

  /// `before` is what stays in front of the value, like "--status=".
  void add_values(const OptionInfo& option, const std::string& before, const std::string& word) {
    found_.paths = paths_of(option);
    const std::size_t last = option.is_list ? word.rfind(',') : std::string::npos;
    const std::string head = last == std::string::npos ? "" : word.substr(0, last + 1);
    const std::vector<std::string_view> given = split(head, ',');
    for (const std::string& choice : option.choices) {
      if (std::ranges::find(given, choice) == given.end()) add(before + head + choice, before + word, "");
    }
    found_.continues = option.is_list || option.is_prefix;
  }

  void add_options(const std::string& word) {
    for (const OptionInfo* option : visible_options(*command_)) {
      if (given_.contains(option) && !option->is_repeatable) continue;
      for (const std::string& name : option->names) {
        if (name.starts_with("--") || word.size() == 2) add(name, word, option->help);
      }
    }
  }

  void add_commands_and_arguments(const std::string& word) {
    for (const CommandInfo* command : visible_commands(named())) add(command->name, word, command->summary);
    const std::vector<const OptionInfo*> arguments = arguments_of(*command_);
    if (!arguments.empty() && !command_->names_command) {
      const OptionInfo* argument = arguments[std::min(arguments_, arguments.size() - 1)];
      if (arguments_ < arguments.size() || argument->is_repeatable) add_values(*argument, "", word);
    }
    const bool has_nothing = found_.words.empty() && found_.paths == Candidates::Paths::none;
    if (has_nothing && word.empty() && !only_arguments_) add_options("--");
  }

  const CommandInfo* root_;
  const CommandInfo* command_;
  const CommandInfo* help_on_ = nullptr;  // the command that `help` is asked about, as far as it is named
  const OptionInfo* pending_ = nullptr;   // its value comes next
  std::set<const OptionInfo*> given_;
  std::size_t arguments_ = 0;
  bool only_arguments_ = false;  // behind "--"
  Candidates found_;
};

}  // namespace

Candidates complete(const CommandInfo& root, std::span<const std::string> words) {
  Completion completion(root);
  if (words.empty()) return completion.candidates("");
  for (const std::string& word : words.first(words.size() - 1)) completion.pass(word);
  return completion.candidates(words.back());
}

std::string to_lines(const Candidates& candidates) {
  std::string out;
  for (const Candidate& candidate : candidates.words) {
    out += candidate.word;
    if (!candidate.help.empty()) out += '\t' + candidate.help;
    out += '\n';
  }
  if (candidates.paths == Candidates::Paths::files) out += ":files\n";
  if (candidates.paths == Candidates::Paths::directories) out += ":directories\n";
  if (candidates.continues) out += ":continues\n";
  return out;
}

}  // namespace syncline::cli
