#include "runner/command_line.hpp"

#include "base/text.hpp"

namespace syncline::runner {
namespace {

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

}  // namespace syncline::runner
