#include "core/command_pattern.hpp"

#include <algorithm>
#include <array>

#include "base/bytes.hpp"
#include "base/text.hpp"

namespace syncline {
namespace {

constexpr std::string_view kExactly = "exactly: ";

/// What no shell treats specially outside quotes. Everything that is not listed makes a line not simple.
bool is_plain(char c) {
  const bool is_letter_or_digit = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
  return is_letter_or_digit || std::string_view("_-./:=,+@%").find(c) != std::string_view::npos ||
         static_cast<unsigned char>(c) >= 0x80;
}

/// Control characters would be something else on a terminal than in a log.
bool is_printable(char c) { return static_cast<unsigned char>(c) >= 0x20 && c != 0x7F; }

/// True when '*' fits the word: '*' in the pattern is any run of characters.
bool word_matches(std::string_view pattern, std::string_view word) {
  std::size_t p = 0;
  std::size_t w = 0;
  std::size_t star = std::string_view::npos;
  std::size_t resume = 0;
  while (w < word.size()) {
    if (p < pattern.size() && pattern[p] == '*') {
      star = p++;
      resume = w;
    } else if (p < pattern.size() && pattern[p] == word[w]) {
      ++p;
      ++w;
    } else if (star != std::string_view::npos) {
      p = star + 1;
      w = ++resume;
    } else {
      return false;
    }
  }
  while (p < pattern.size() && pattern[p] == '*') ++p;
  return p == pattern.size();
}

/// Reads one word of a line.
class WordReader {
 public:
  explicit WordReader(std::string_view line) : line_(line) {}

  /// Nothing at the end, or when the line turns out not to be simple.
  std::optional<std::string> next() {
    while (at_ < line_.size() && line_[at_] == ' ') ++at_;
    if (at_ == line_.size()) return std::nullopt;
    std::string word;
    while (simple_ && at_ < line_.size() && line_[at_] != ' ') take(word);
    return simple_ ? std::optional(std::move(word)) : std::nullopt;
  }
  [[nodiscard]] bool is_simple() const { return simple_; }

 private:
  void take(std::string& word) {
    const char c = line_[at_++];
    if (c == '\'') {
      take_quoted('\'', "", word);
    } else if (c == '"') {
      take_quoted('"', "\"\\", word);
    } else if (c == '\\') {
      if (at_ == line_.size() || !is_printable(line_[at_])) {
        simple_ = false;
      } else {
        word += line_[at_++];
      }
    } else if (is_plain(c)) {
      word += c;
    } else {
      simple_ = false;
    }
  }

  /// Up to the closing quote. In double quotes a backslash may stand before one of `escapable`; `$` and backquotes
  /// would be expanded there.
  void take_quoted(char quote, std::string_view escapable, std::string& word) {
    const bool expands = quote == '"';
    while (at_ < line_.size() && line_[at_] != quote) {
      char c = line_[at_++];
      if (!is_printable(c) || (expands && (c == '$' || c == '`' || c == '!'))) {
        simple_ = false;
        return;
      }
      if (expands && c == '\\') {
        if (at_ == line_.size() || escapable.find(line_[at_]) == std::string_view::npos) {
          simple_ = false;
          return;
        }
        c = line_[at_++];
      }
      word += c;
    }
    if (at_ == line_.size()) {
      simple_ = false;  // the quote is not closed
    } else {
      ++at_;
    }
  }

  const std::string_view line_;
  std::size_t at_ = 0;
  bool simple_ = true;
};

}  // namespace

std::optional<std::vector<std::string>> split_simple_line(std::string_view line) {
  std::vector<std::string> words;
  WordReader reader(line);
  while (auto word = reader.next()) words.push_back(*std::move(word));
  if (!reader.is_simple() || words.empty()) return std::nullopt;
  // NAME=value before a program is an assignment, and an empty name is no program.
  if (words.front().empty() || words.front().find('=') != std::string::npos) return std::nullopt;
  return words;
}

Result<Pattern> Pattern::parse(std::string_view text) {
  const auto refuse = [&](std::string_view what) {
    return fail(ErrorCode::invalid_argument, "pattern '" + std::string(text) + "' " + std::string(what));
  };
  Pattern pattern;
  pattern.text_ = std::string(trim(text));
  for (const std::string_view word : split(pattern.text_, ' ')) {
    if (!word.empty()) pattern.words_.emplace_back(word);
  }
  if (pattern.words_.empty()) return refuse("is empty");
  if (pattern.words_.front().find('*') != std::string::npos) return refuse("must not have * in its first word");
  for (const std::string& word : pattern.words_) {
    for (const char c : word) {
      if (c != '*' && !is_plain(c)) return refuse("must not contain '" + std::string(1, c) + "'");
    }
  }
  pattern.any_further_ = pattern.words_.back() == "*";
  if (pattern.any_further_) pattern.words_.pop_back();
  return pattern;
}

bool Pattern::matches(const std::vector<std::string>& words) const {
  if (words.size() < words_.size() || (words.size() > words_.size() && !any_further_)) return false;
  for (std::size_t i = 0; i < words_.size(); ++i) {
    if (!word_matches(words_[i], words[i])) return false;
  }
  return true;
}

bool Pattern::may_mean(const std::vector<std::string>& words) const {
  if (words.size() < words_.size() || (words.size() > words_.size() && !any_further_)) return false;
  // "git" is meant by "/usr/bin/git"; a pattern that names a path itself is meant by that path.
  const std::string& program = words.front();
  const std::string name = program.substr(program.rfind('/') + 1);
  if (program != words_.front() && name != words_.front()) return false;
  return std::all_of(words_.begin() + 1, words_.end(), [&](const std::string& wanted) {
    return std::any_of(words.begin() + 1, words.end(),
                       [&](const std::string& word) { return word_matches(wanted, word); });
  });
}

std::string to_option_name(std::string_view name) {
  std::string option;
  for (std::size_t i = 0; i < name.size(); ++i) {
    const bool upper = name[i] >= 'A' && name[i] <= 'Z';
    const bool after_lower = i > 0 && name[i - 1] >= 'a' && name[i - 1] <= 'z';
    if (upper && after_lower) option += '-';
    option += upper ? static_cast<char>(name[i] + 32) : name[i];
  }
  return option;
}

std::optional<std::vector<std::string>> words_of_command(CommandType type, const JsonObject& fields) {
  switch (type) {
    case CommandType::execute_bash: return split_simple_line(fields.text_of("command"));
    case CommandType::aws_operation:
      return std::vector{fields.text_of("service"), to_option_name(fields.text_of("operation"))};
    default: return std::nullopt;
  }
}

std::string fingerprint_of_command(CommandType type, const JsonObject& fields) {
  constexpr std::array<std::string_view, 12> kWhatIsAsked = {"command",  "workingDir", "path",      "content",
                                                             "encoding", "service",    "operation", "parameters",
                                                             "query",    "glob",       "regex",     "maxResults"};
  std::string asked(to_text(type));
  for (const std::string_view name : kWhatIsAsked) {
    const auto value = fields.find(name);
    std::string text = value ? canonical_json(*value) : std::string();
    if (name == "operation" && value && value->is_string()) {
      std::string spelled;
      append_json_string(spelled, to_option_name(value->as_string().value_or("")));
      text = canonical_json(JsonView(spelled));
    }
    asked += '\n' + text;
  }
  return to_hex(as_text(sha256(asked)));
}

std::string exact_pattern(std::string_view subject, std::string_view fingerprint) {
  return std::string(kExactly) + std::string(subject) + " (" + std::string(fingerprint) + ")";
}

bool pattern_covers(std::string_view pattern, CommandType type, const JsonObject& fields) {
  if (pattern.starts_with(kExactly)) return pattern.ends_with(" (" + fingerprint_of_command(type, fields) + ")");
  const auto parsed = Pattern::parse(pattern);
  const auto words = words_of_command(type, fields);
  return parsed && words && parsed->matches(*words);
}

}  // namespace syncline
