#include "base/json.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <vector>

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
  for (std::size_t quote = text.find('"', begin);; quote = text.find('"', quote + 1)) {
    std::size_t backslashes = 0;
    while (quote - backslashes > begin && text[quote - backslashes - 1] == '\\') ++backslashes;
    if (backslashes % 2 == 0) return quote + 1;
  }
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
  for (;;) {
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

using Members = std::vector<std::pair<std::string, JsonView>>;

/// Members by name, one a name: of several with one name the last counts.
Members sorted_members(JsonView object) {
  Members members;
  object.for_each_member([&](std::string_view name, JsonView value) { members.emplace_back(name, value); });
  std::ranges::reverse(members);
  std::ranges::stable_sort(members, {}, &Members::value_type::first);
  const auto repeated = std::ranges::unique(members, {}, &Members::value_type::first);
  members.erase(repeated.begin(), repeated.end());
  return members;
}

bool same_members(JsonView a, JsonView b) {
  return std::ranges::equal(sorted_members(a), sorted_members(b), [](const auto& x, const auto& y) {
    return x.first == y.first && same_json(x.second, y.second);
  });
}

bool same_elements(JsonView a, JsonView b) {
  std::vector<JsonView> elements;
  a.for_each_element([&](JsonView element) { elements.push_back(element); });
  std::size_t index = 0;
  bool same = true;
  b.for_each_element([&](JsonView element) {
    same = same && index < elements.size() && same_json(elements[index], element);
    ++index;
  });
  return same && index == elements.size();
}

}  // namespace

JsonView::JsonView(std::string_view validated) : text_(trimmed(validated)) {}

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

bool same_json(JsonView a, JsonView b) {
  if (a.raw() == b.raw()) return true;
  if (a.kind() != b.kind()) return false;
  switch (a.kind()) {
    case JsonKind::object: return same_members(a, b);
    case JsonKind::array: return same_elements(a, b);
    case JsonKind::string: return a.as_string() == b.as_string();
    case JsonKind::number: {
      const auto x = a.as_integer();
      const auto y = b.as_integer();
      return x && y ? *x == *y : a.as_number() == b.as_number();
    }
    default: return false;  // null and booleans of one kind that differ in text differ
  }
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
