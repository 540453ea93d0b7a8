// Validation of untrusted JSON: simdjson for what is common, Boost.JSON's event parser where simdjson would need
// memory in proportion to the text (large ones) or cannot say why it refused (unsupported values against bad grammar).
#include <simdjson.h>

#include <algorithm>
#include <array>
#include <charconv>

#include <boost/json/basic_parser_impl.hpp>
#include <cmath>

#include "base/json.hpp"
#include "base/text.hpp"

namespace syncline {
namespace {

/// Above this size the flat-memory parser reads the text.
constexpr std::size_t kSimdBytesMax = 1UL << 20U;

/// Receives parse events, keeps nothing, and notes numbers that nothing can hold.
struct NullHandler {
  static constexpr std::size_t max_object_size = std::size_t(-1);
  static constexpr std::size_t max_array_size = std::size_t(-1);
  static constexpr std::size_t max_key_size = std::size_t(-1);
  static constexpr std::size_t max_string_size = std::size_t(-1);

  using Code = boost::json::error_code;
  bool on_document_begin(Code&) { return true; }
  bool on_document_end(Code&) { return true; }
  bool on_object_begin(Code&) { return true; }
  bool on_object_end(std::size_t, Code&) { return true; }
  bool on_array_begin(Code&) { return true; }
  bool on_array_end(std::size_t, Code&) { return true; }
  bool on_key_part(boost::json::string_view, std::size_t, Code&) { return true; }
  bool on_key(boost::json::string_view, std::size_t, Code&) { return true; }
  bool on_string_part(boost::json::string_view, std::size_t, Code&) { return true; }
  bool on_string(boost::json::string_view, std::size_t, Code&) { return true; }
  bool on_number_part(boost::json::string_view digits, Code&) {
    note_number_text(digits);
    return true;
  }
  bool on_int64(std::int64_t, boost::json::string_view, Code&) { return end_number(); }
  bool on_uint64(std::uint64_t, boost::json::string_view, Code&) { return end_number(); }
  bool on_double(double value, boost::json::string_view digits, Code&) {
    note_number_text(digits);
    if (!std::isfinite(value) || !number_is_real) unsupported = true;
    return end_number();
  }
  bool on_bool(bool, Code&) { return true; }
  bool on_null(Code&) { return true; }
  bool on_comment_part(boost::json::string_view, Code&) { return true; }
  bool on_comment(boost::json::string_view, Code&) { return true; }

  bool unsupported = false;

 private:
  void note_number_text(boost::json::string_view digits) {
    for (const char c : digits) number_is_real = number_is_real || c == '.' || c == 'e' || c == 'E';
  }
  bool end_number() {
    number_is_real = false;
    return true;
  }

  bool number_is_real = false;
};

bool is_deep(std::string_view text, int depth_max) {
  int depth = 0;
  bool in_string = false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (in_string) {
      if (c == '\\') {
        ++i;
      } else if (c == '"') {
        in_string = false;
      }
    } else if (c == '"') {
      in_string = true;
    } else if (c == '{' || c == '[') {
      if (++depth > depth_max) return true;
    } else if (c == '}' || c == ']') {
      --depth;
    }
  }
  return false;
}

bool is_hex_digit(char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F'); }

bool is_digit(char c) { return c >= '0' && c <= '9'; }

/// True at the backslash of an escaped surrogate half.
bool is_escaped_surrogate(std::string_view text, std::size_t at) {
  return at + 5 < text.size() && text[at + 1] == 'u' && (text[at + 2] == 'd' || text[at + 2] == 'D') &&
         std::string_view("89abcdefABCDEF").find(text[at + 3]) != std::string_view::npos &&
         is_hex_digit(text[at + 4]) && is_hex_digit(text[at + 5]);
}

/// The text without what Boost.JSON reports as bad grammar although it is only an unsupported value: surrogate halves
/// become spaces and exponents lose their digits after the third.
std::string defused(std::string_view text) {
  std::string copy;
  copy.reserve(text.size());
  bool in_string = false;
  std::size_t exponent_digits = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (in_string && c == '\\' && is_escaped_surrogate(text, i)) {
      copy += ' ';
      i += 5;
    } else if (in_string && c == '\\' && i + 1 < text.size()) {
      copy += text.substr(i++, 2);
    } else if (!in_string && exponent_digits > 0 && is_digit(c)) {
      if (++exponent_digits <= 4) copy += c;
    } else {
      if (c == '"') in_string = !in_string;
      const bool sign = (c == '+' || c == '-') && exponent_digits == 1;
      if (!sign) exponent_digits = !in_string && (c == 'e' || c == 'E') ? 1 : 0;
      copy += c;
    }
  }
  return copy;
}

/// Grammar and values only; UTF-8 and depth are known to be fine.
JsonCheck check_grammar(std::string_view text, int depth_max) {
  boost::json::parse_options options;
  options.max_depth = static_cast<std::size_t>(depth_max);
  boost::json::basic_parser<NullHandler> parser(options);
  boost::json::error_code code;
  const std::size_t read = parser.write_some(false, text.data(), text.size(), code);
  if (code) return {JsonFault::malformed, code.message() + " at byte " + std::to_string(read)};
  if (text.find_first_not_of(" \t\r\n", read) != std::string_view::npos) {
    return {JsonFault::malformed, "extra text after the value at byte " + std::to_string(read)};
  }
  if (parser.handler().unsupported) {
    return {JsonFault::unsupported_value, "a number that fits neither a double nor a 64-bit integer"};
  }
  return {};
}

JsonCheck check_with_events(std::string_view text, int depth_max) {
  if (is_deep(text, depth_max)) return {JsonFault::too_deep, "nested deeper than " + std::to_string(depth_max)};
  if (!is_utf8(text)) return {JsonFault::not_utf8, "not valid UTF-8"};
  JsonCheck found = check_grammar(text, depth_max);
  if (found.fault != JsonFault::malformed) return found;
  if (check_grammar(defused(text), depth_max).fault == JsonFault::malformed) return found;
  return {JsonFault::unsupported_value,
          "a lone surrogate, or a number that fits neither a double nor a 64-bit integer"};
}

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

JsonCheck check_json(std::string& text, int depth_max) {
  if (text.size() <= kSimdBytesMax && is_plainly_valid(text, depth_max)) return {};
  return check_with_events(text, depth_max);
}

void mend_lone_surrogates(std::string& text) {
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

void mend_non_numbers(std::string& text) {
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
