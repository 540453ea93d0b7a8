#include "base/json.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <map>

namespace syncline {
namespace {

bool is_blank(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }

std::size_t skip_blank(std::string_view text, std::size_t position) {
  while (position < text.size() && is_blank(text[position])) ++position;
  return position;
}

/// `position` stands on an opening quote; returns the position behind the closing one: the first quote with an even
/// number of backslashes before it.
std::size_t skip_string(std::string_view text, std::size_t position) {
  const std::size_t begin = position + 1;
  for (std::size_t quote = text.find('"', begin); quote != std::string_view::npos; quote = text.find('"', quote + 1)) {
    std::size_t backslashes = 0;
    while (quote - backslashes > begin && text[quote - backslashes - 1] == '\\') ++backslashes;
    if (backslashes % 2 == 0) return quote + 1;
  }
  return text.size();
}

/// `position` stands on the first character of a value; returns the position behind it and its nesting.
std::size_t skip_value(std::string_view text, std::size_t position, int& depth_seen) {
  depth_seen = 0;
  const char first = text[position];
  if (first == '"') return skip_string(text, position);
  if (first != '{' && first != '[') {
    while (position < text.size() && text[position] != ',' && text[position] != '}' && text[position] != ']' &&
           !is_blank(text[position])) {
      ++position;
    }
    return position;
  }
  int depth = 0;
  while (position < text.size()) {
    switch (text[position]) {
      case '"': position = skip_string(text, position); continue;
      case '{':
      case '[': depth_seen = std::max(depth_seen, ++depth); break;
      case '}':
      case ']':
        if (--depth == 0) return position + 1;
        break;
      default: break;
    }
    ++position;
  }
  return position;
}

unsigned hex4(std::string_view text) {
  unsigned value = 0;
  std::from_chars(text.data(), text.data() + 4, value, 16);
  return value;
}

void append_utf8(std::string& out, unsigned code) {
  if (code < 0x80U) {
    out += static_cast<char>(code);
  } else if (code < 0x800U) {
    out += static_cast<char>(0xC0U | (code >> 6U));
    out += static_cast<char>(0x80U | (code & 0x3FU));
  } else if (code < 0x10000U) {
    out += static_cast<char>(0xE0U | (code >> 12U));
    out += static_cast<char>(0x80U | ((code >> 6U) & 0x3FU));
    out += static_cast<char>(0x80U | (code & 0x3FU));
  } else {
    out += static_cast<char>(0xF0U | (code >> 18U));
    out += static_cast<char>(0x80U | ((code >> 12U) & 0x3FU));
    out += static_cast<char>(0x80U | ((code >> 6U) & 0x3FU));
    out += static_cast<char>(0x80U | (code & 0x3FU));
  }
}

constexpr bool is_high_surrogate(unsigned code) { return code >= 0xD800U && code < 0xDC00U; }
constexpr bool is_low_surrogate(unsigned code) { return code >= 0xDC00U && code < 0xE000U; }

/// Reads the four hex digits at `position` (and a following low half) and moves behind them. A lone half becomes
/// U+FFFD: it only gets here in a document that is about to be refused.
void append_escaped_code(std::string& out, std::string_view text, std::size_t& position) {
  unsigned code = hex4(text.substr(position));
  position += 4;
  if (is_high_surrogate(code) && text.substr(position, 2) == "\\u") {
    const unsigned low = hex4(text.substr(position + 2));
    if (is_low_surrogate(low)) {
      code = 0x10000U + ((code - 0xD800U) << 10U) + (low - 0xDC00U);
      position += 6;
    }
  }
  append_utf8(out, code >= 0xD800U && code < 0xE000U ? 0xFFFDU : code);
}

/// Undoes the escapes of what stands between the quotes.
void append_unescaped(std::string& out, std::string_view inner) {
  for (std::size_t position = 0; position < inner.size();) {
    const std::size_t escape = inner.find('\\', position);
    out.append(inner.substr(position, escape - position));
    if (escape == std::string_view::npos) return;
    position = escape + 2;
    switch (inner[escape + 1]) {
      case 'n': out += '\n'; break;
      case 't': out += '\t'; break;
      case 'r': out += '\r'; break;
      case 'b': out += '\b'; break;
      case 'f': out += '\f'; break;
      case 'u': append_escaped_code(out, inner, position); break;
      default: out += inner[escape + 1]; break;
    }
  }
}

std::string_view trimmed(std::string_view text) {
  const std::size_t begin = skip_blank(text, 0);
  std::size_t end = text.size();
  while (end > begin && is_blank(text[end - 1])) --end;
  return text.substr(begin, end - begin);
}

/// Integers as digits whatever their spelling, other numbers in their shortest form. Integers beyond 64 bits are their
/// digits: as doubles, several would be one.
void append_canonical_number(std::string& out, JsonView number) {
  constexpr double kExactMax = 9007199254740992.0;  // 2^53: above it a double stands for several integers
  char digits[40];
  const double value = number.as_number().value_or(0);
  if (const auto integer = number.as_integer()) {
    out.append(digits, std::to_chars(digits, digits + sizeof digits, *integer).ptr);
  } else if (number.raw().find_first_of(".eE") == std::string_view::npos) {
    out += number.raw();
  } else if (value == std::floor(value) && std::fabs(value) < kExactMax) {
    out.append(digits, std::to_chars(digits, digits + sizeof digits, static_cast<std::int64_t>(value)).ptr);
  } else {
    out.append(digits, std::to_chars(digits, digits + sizeof digits, value).ptr);
  }
}

void append_canonical(std::string& out, JsonView value);

void append_canonical_object(std::string& out, JsonView object) {
  std::map<std::string, JsonView> members;  // of several with one name the last counts
  object.for_each_member([&](std::string_view name, JsonView value) { members[std::string(name)] = value; });
  out += '{';
  for (const auto& [name, value] : members) {
    append_json_string(out, name);
    out += ':';
    append_canonical(out, value);
    out += ',';
  }
  out += '}';
}

void append_canonical(std::string& out, JsonView value) {
  switch (value.kind()) {
    case JsonKind::object: return append_canonical_object(out, value);
    case JsonKind::array:
      out += '[';
      value.for_each_element([&](JsonView element) {
        append_canonical(out, element);
        out += ',';
      });
      out += ']';
      return;
    case JsonKind::string: return append_json_string(out, value.as_string().value_or(""));
    case JsonKind::number: return append_canonical_number(out, value);
    default: out += value.raw();
  }
}

}  // namespace

JsonView::JsonView(std::string_view validated) : text_(trimmed(validated)) {
  if (text_.empty()) text_ = "null";  // the document of a deleted record
}

JsonKind JsonView::kind() const {
  switch (text_.front()) {
    case '{': return JsonKind::object;
    case '[': return JsonKind::array;
    case '"': return JsonKind::string;
    case 't':
    case 'f': return JsonKind::boolean;
    case 'n': return JsonKind::null;
    default: return JsonKind::number;
  }
}

std::optional<std::string> JsonView::as_string() const {
  if (!is_string()) return std::nullopt;
  std::string out;
  out.reserve(text_.size());
  append_unescaped(out, text_.substr(1, text_.size() - 2));
  return out;
}

std::optional<std::string_view> JsonView::as_plain_string() const {
  if (!is_string()) return std::nullopt;
  const std::string_view inner = text_.substr(1, text_.size() - 2);
  if (inner.find('\\') != std::string_view::npos) return std::nullopt;
  return inner;
}

std::optional<std::int64_t> JsonView::as_integer() const {
  if (kind() != JsonKind::number) return std::nullopt;
  std::int64_t value = 0;
  const auto [end, error] = std::from_chars(text_.data(), text_.data() + text_.size(), value);
  if (error != std::errc{} || end != text_.data() + text_.size()) return std::nullopt;
  return value;
}

std::optional<double> JsonView::as_number() const {
  if (kind() != JsonKind::number) return std::nullopt;
  double value = 0;
  const auto [end, error] = std::from_chars(text_.data(), text_.data() + text_.size(), value);
  if (error != std::errc{}) return std::nullopt;
  return value;
}

std::optional<bool> JsonView::as_boolean() const {
  if (kind() != JsonKind::boolean) return std::nullopt;
  return text_.front() == 't';
}

std::optional<JsonView> JsonView::find(std::string_view wanted) const {
  if (!is_object()) return std::nullopt;
  std::optional<JsonView> found;
  for_each_member([&](std::string_view name, JsonView value) {
    if (name == wanted) found = value;
  });
  return found;
}

std::optional<JsonView> JsonView::find_set(std::string_view name) const {
  auto value = find(name);
  if (value && value->kind() == JsonKind::null) value.reset();
  return value;
}

std::string JsonView::text_of(std::string_view name) const {
  const auto value = find(name);
  return value ? value->as_string().value_or("") : "";
}

int JsonView::depth() const {
  int depth = depth_;
  if (depth < 0) skip_value(text_, 0, depth);
  return depth;
}

bool JsonView::next_item(std::size_t& position) const {
  position = skip_blank(text_, position);
  if (text_[position] == ',') position = skip_blank(text_, position + 1);
  return text_[position] != '}' && text_[position] != ']';
}

std::string_view JsonView::read_name(std::size_t& position, std::string& scratch) const {
  const std::size_t begin = position;
  position = skip_string(text_, position);
  std::string_view name = text_.substr(begin + 1, position - begin - 2);
  if (name.find('\\') != std::string_view::npos) {
    scratch.clear();
    append_unescaped(scratch, name);
    name = scratch;
  }
  position = skip_blank(text_, skip_blank(text_, position) + 1);  // over the colon
  return name;
}

JsonView JsonView::read_value(std::size_t& position) const {
  int depth = 0;
  const std::size_t begin = position;
  position = skip_value(text_, position, depth);
  JsonView value;
  value.text_ = text_.substr(begin, position - begin);
  value.depth_ = depth;
  return value;
}

std::string canonical_json(JsonView value) {
  std::string out;
  append_canonical(out, value);
  return out;
}

bool same_json(JsonView a, JsonView b) {
  return a.raw() == b.raw() || (a.kind() == b.kind() && canonical_json(a) == canonical_json(b));
}

namespace {

/// True for the bytes that may not stand in a JSON string as they are (and DEL, which terminals act on).
constexpr std::array<bool, 256> kEscaped = [] {
  std::array<bool, 256> table{};
  for (std::size_t c = 0; c < 0x20; ++c) table[c] = true;
  table['"'] = table['\\'] = table[0x7F] = true;
  return table;
}();

void append_escape(std::string& out, unsigned char c) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  switch (c) {
    case '"': out += "\\\""; break;
    case '\\': out += "\\\\"; break;
    case '\n': out += "\\n"; break;
    case '\r': out += "\\r"; break;
    case '\t': out += "\\t"; break;
    default:
      out += "\\u00";
      out += kDigits[c >> 4U];
      out += kDigits[c & 15U];
  }
}

}  // namespace

void append_json_string(std::string& out, std::string_view text) {
  out += '"';
  std::size_t plain = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto c = static_cast<unsigned char>(text[i]);
    if (!kEscaped[c]) continue;
    out.append(text.substr(plain, i - plain));
    plain = i + 1;
    append_escape(out, c);
  }
  out.append(text.substr(plain));
  out += '"';
}

void JsonWriter::separate() {
  if (!first_) out_ += ',';
  first_ = false;
}

JsonWriter& JsonWriter::open(char bracket) {
  separate();
  out_ += bracket;
  first_ = true;
  return *this;
}

JsonWriter& JsonWriter::close(char bracket) {
  out_ += bracket;
  first_ = false;
  return *this;
}

JsonWriter& JsonWriter::name(std::string_view name) {
  separate();
  append_json_string(out_, name);
  out_ += ':';
  first_ = true;  // the value that follows takes no comma
  return *this;
}

JsonWriter& JsonWriter::string(std::string_view value) {
  separate();
  append_json_string(out_, value);
  return *this;
}

JsonWriter& JsonWriter::integer(std::int64_t value) {
  separate();
  char digits[24];
  out_.append(digits, std::to_chars(digits, digits + sizeof digits, value).ptr);
  return *this;
}

JsonWriter& JsonWriter::number(double value) {
  separate();
  if (!std::isfinite(value)) value = 0;
  char digits[40];
  out_.append(digits, std::to_chars(digits, digits + sizeof digits, value).ptr);
  return *this;
}

JsonWriter& JsonWriter::boolean(bool value) {
  separate();
  out_ += value ? "true" : "false";
  return *this;
}

JsonWriter& JsonWriter::null() {
  separate();
  out_ += "null";
  return *this;
}

JsonWriter& JsonWriter::raw(std::string_view json) {
  separate();
  out_ += json;
  return *this;
}

}  // namespace syncline
