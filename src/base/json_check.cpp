// Validation of untrusted JSON. explain_json() is the one validator: a single pass that keeps nothing and says what is
// wrong and where. simdjson is in front of it, to accept texts of common size at once; tests and ./dev fuzz hold the
// two against each other.
#include <simdjson.h>

#include <algorithm>
#include <array>
#include <bitset>
#include <charconv>
#include <limits>

#include "base/json.hpp"
#include "base/limits.hpp"
#include "base/text.hpp"

namespace syncline {
namespace {

/// simdjson needs memory in proportion to the text: larger ones it does not get.
constexpr std::size_t kSimdBytesMax = 1UL << 20U;

bool is_digit(char c) { return c >= '0' && c <= '9'; }

/// True for a number in JSON's grammar whose size is beyond every double. Those too close to zero are taken as zero.
bool is_too_large_real(std::string_view number) {
  double value = 0;
  if (std::from_chars(number.data(), number.data() + number.size(), value).ec != std::errc::result_out_of_range) {
    return false;
  }
  // from_chars says the same of both ends of the range. The exponent of the first digit that counts tells them apart.
  const std::size_t mark = number.find_first_of("eE");
  std::string_view digits = number.substr(0, mark);
  if (digits.front() == '-') digits.remove_prefix(1);
  const auto point = static_cast<std::int64_t>(std::min(digits.find('.'), digits.size()));
  const auto first = static_cast<std::int64_t>(digits.find_first_of("123456789"));
  std::int64_t exponent = 0;
  if (mark != std::string_view::npos) {
    std::string_view text = number.substr(mark + 1);
    if (text.front() == '+') text.remove_prefix(1);
    if (std::from_chars(text.data(), text.data() + text.size(), exponent).ec != std::errc{}) {
      return text.front() != '-';  // beyond 64 bits
    }
  }
  return exponent > first - point;
}

/// One pass over a text, from byte to byte. `position_` is where the first fault is.
class JsonChecker {
 public:
  JsonChecker(std::string_view text, int depth_max)
      : text_(text), depth_max_(std::min(depth_max, limits::kCheckedDepthMax)) {}

  JsonCheck run() {
    if (!is_utf8(text_)) return {JsonFault::not_utf8, "not valid UTF-8"};
    if (!read_text()) {
      if (fault_ == JsonFault::too_deep) return {fault_, "nested deeper than " + std::to_string(depth_max_)};
      return {JsonFault::malformed, std::string(expected_) + " at byte " + std::to_string(position_)};
    }
    if (!unsupported_.empty()) return {JsonFault::unsupported_value, std::string(unsupported_)};
    return {};
  }

 private:
  /// One value with blanks around it. Nesting is a stack of bits, true for an object.
  bool read_text() {
    for (;;) {
      skip_blanks();
      bool opened = false;
      if (!read_value_start(opened)) return false;
      if (opened && !close_if_empty()) {
        if (in_object() && !read_name()) return false;
        continue;
      }
      for (;;) {
        skip_blanks();
        if (depth_ == 0) return position_ == text_.size() || fail("end of text expected");
        if (next_is(',')) break;
        if (!next_is(in_object() ? '}' : ']')) return fail("',' or closing bracket expected");
        --depth_;
      }
      skip_blanks();
      if (in_object() && !read_name()) return false;
    }
  }

  /// Reads a scalar, or the opening bracket of an object or array.
  bool read_value_start(bool& opened) {
    switch (peek()) {
      case '{':
      case '[':
        if (depth_ == static_cast<std::size_t>(depth_max_)) {
          fault_ = JsonFault::too_deep;
          return false;
        }
        is_object_[depth_++] = text_[position_++] == '{';
        opened = true;
        return true;
      case '"': return read_string();
      case 't': return read_word("true");
      case 'f': return read_word("false");
      case 'n': return read_word("null");
      default: return read_number();
    }
  }

  bool close_if_empty() {
    skip_blanks();
    if (!next_is(in_object() ? '}' : ']')) return false;
    --depth_;
    return true;
  }

  bool read_name() {
    skip_blanks();
    if (peek() != '"') return fail("member name expected");
    if (!read_string()) return false;
    skip_blanks();
    return next_is(':') || fail("':' expected");
  }

  bool read_word(std::string_view word) {
    if (!text_.substr(position_).starts_with(word)) return fail("value expected");
    position_ += word.size();
    return true;
  }

  bool read_string() {
    ++position_;
    for (;;) {
      while (position_ < text_.size() && is_plain(text_[position_])) ++position_;
      if (position_ == text_.size()) return fail("end of string expected");
      if (next_is('"')) return true;
      if (text_[position_] != '\\') return fail("control character in a string");
      if (!read_escape()) return false;
    }
  }

  bool read_escape() {
    ++position_;
    const char letter = peek();
    if (letter != 'u') {
      if (letter == '\0' || std::string_view("\"\\/bfnrt").find(letter) == std::string_view::npos) {
        return fail("unknown escape");
      }
      ++position_;
      return true;
    }
    unsigned unit = 0;
    if (!read_code_unit(unit)) return false;
    const bool is_high = unit >= 0xD800 && unit < 0xDC00;
    const bool is_low = unit >= 0xDC00 && unit < 0xE000;
    if (is_low) note_lone_surrogate();
    if (!is_high) return true;
    if (!text_.substr(position_).starts_with("\\u")) return note_lone_surrogate();
    const std::size_t before = position_++;
    if (!read_code_unit(unit)) return false;
    if (unit >= 0xDC00 && unit < 0xE000) return true;
    position_ = before;  // an escape of its own
    return note_lone_surrogate();
  }

  /// From the 'u' on.
  bool read_code_unit(unsigned& unit) {
    ++position_;
    const std::string_view digits = text_.substr(std::min(position_, text_.size()), 4);
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), unit, 16);
    if (error != std::errc{} || digits.size() < 4 || end != digits.data() + 4) return fail("four digits expected");
    position_ += 4;
    return true;
  }

  bool read_number() {
    const std::size_t begin = position_;
    next_is('-');
    if (!is_digit(peek())) return fail("value expected");
    if (!next_is('0')) skip_digits();
    bool is_real = false;
    if (next_is('.')) {
      is_real = true;
      if (!is_digit(peek())) return fail("digit expected");
      skip_digits();
    }
    if (peek() == 'e' || peek() == 'E') {
      is_real = true;
      ++position_;
      if (!next_is('+')) next_is('-');
      if (!is_digit(peek())) return fail("digit expected");
      skip_digits();
    }
    const std::string_view number = text_.substr(begin, position_ - begin);
    // An integer of any length is kept as it is: it needs no room but its digits.
    if (is_real && is_too_large_real(number)) unsupported_ = "a number that no double holds";
    return true;
  }

  void skip_digits() {
    while (is_digit(peek())) ++position_;
  }
  void skip_blanks() {
    while (peek() == ' ' || peek() == '\n' || peek() == '\r' || peek() == '\t') ++position_;
  }
  static bool is_plain(char c) { return c != '"' && c != '\\' && static_cast<unsigned char>(c) >= 0x20; }
  /// The byte that comes next, NUL at the end: no rule expects a NUL.
  [[nodiscard]] char peek() const { return position_ < text_.size() ? text_[position_] : '\0'; }
  bool next_is(char c) {
    if (position_ == text_.size() || text_[position_] != c) return false;
    ++position_;
    return true;
  }
  [[nodiscard]] bool in_object() const { return depth_ > 0 && is_object_[depth_ - 1]; }
  bool fail(std::string_view expected) {
    expected_ = expected;
    return false;
  }
  /// Only an unsupported value: the grammar is still to be checked.
  bool note_lone_surrogate() {
    unsupported_ = "a lone surrogate";
    return true;
  }

  const std::string_view text_;
  const int depth_max_;
  std::size_t position_ = 0;
  std::bitset<limits::kCheckedDepthMax> is_object_;
  std::size_t depth_ = 0;
  JsonFault fault_ = JsonFault::malformed;
  std::string_view expected_;
  std::string_view unsupported_;
};

/// Quick answer for the common case; false means "look closer", not "wrong".
bool is_plainly_valid(std::string& text, int depth_max) {
  thread_local simdjson::dom::parser parser(kSimdBytesMax);
  if (parser.max_depth() != static_cast<std::size_t>(depth_max) &&
      parser.allocate(kSimdBytesMax, static_cast<std::size_t>(depth_max)) != simdjson::SUCCESS) {
    return false;
  }
  text.reserve(text.size() + simdjson::SIMDJSON_PADDING);
  return parser.parse(text.data(), text.size(), false).error() == simdjson::SUCCESS;
}

}  // namespace

JsonCheck explain_json(std::string_view text, int depth_max) { return JsonChecker(text, depth_max).run(); }

JsonCheck check_json(std::string& text, int depth_max) {
  if (text.size() <= kSimdBytesMax && is_plainly_valid(text, depth_max)) return {};
  return explain_json(text, depth_max);
}

void replace_lone_surrogates(std::string& text) {
  constexpr std::size_t kEscapeLength = 6;  // backslash, u, four digits
  const auto unit_at = [&](std::size_t at) -> unsigned {
    unsigned unit = 0;
    if (at + kEscapeLength > text.size() || text[at] != '\\' || text[at + 1] != 'u') return 0;
    const auto [end, error] = std::from_chars(text.data() + at + 2, text.data() + at + kEscapeLength, unit, 16);
    return error == std::errc{} && end == text.data() + at + kEscapeLength ? unit : 0;
  };
  const auto is_high = [](unsigned unit) { return unit >= 0xD800 && unit <= 0xDBFF; };
  const auto is_low = [](unsigned unit) { return unit >= 0xDC00 && unit <= 0xDFFF; };
  for (std::size_t at = text.find('\\'); at != std::string::npos; at = text.find('\\', at)) {
    const unsigned unit = unit_at(at);
    if (is_high(unit) && is_low(unit_at(at + kEscapeLength))) {
      at += 2 * kEscapeLength;
    } else if (is_high(unit) || is_low(unit)) {
      text.replace(at, kEscapeLength, "\\ufffd");
      at += kEscapeLength;
    } else {
      at += 2;  // any other escape, an escaped backslash too
    }
  }
}

void replace_non_numbers(std::string& text) {
  std::string mended;
  std::size_t copied = 0;
  for (std::size_t at = text.find_first_of("\"NI-"); at != std::string::npos; at = text.find_first_of("\"NI-", at)) {
    if (text[at] == '"') {
      for (++at; at < text.size() && text[at] != '"'; ++at) at += text[at] == '\\' ? 1 : 0;
      if (at < text.size()) ++at;
      continue;
    }
    constexpr std::array<std::string_view, 3> kNonNumbers = {"NaN", "Infinity", "-Infinity"};
    const auto found = std::ranges::find_if(
        kNonNumbers, [&](std::string_view name) { return std::string_view(text).substr(at).starts_with(name); });
    if (found == kNonNumbers.end()) {
      ++at;
      continue;
    }
    mended.append(text, copied, at - copied).append("null");
    at = copied = at + found->size();
  }
  if (copied == 0) return;
  mended.append(text, copied);
  text = std::move(mended);
}

}  // namespace syncline
