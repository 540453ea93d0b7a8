// JSON in three pieces. check_json validates untrusted text once, completely. JsonView then walks that validated text
// and hands out raw slices, so documents are stored and answered byte for byte as they came. JsonWriter builds answers.
// JsonView never validates: giving it unchecked text is a bug of ours.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.hpp"

namespace syncline {

enum class JsonFault {
  none,
  malformed,
  not_utf8,
  too_deep,
  /// Well-formed, but with a lone surrogate or a number that no double holds. Integers may have any number of digits.
  unsupported_value,
};

struct JsonCheck {
  JsonFault fault = JsonFault::none;
  std::string detail;
};

/// Validates a whole text: grammar, UTF-8, nesting up to `depth_max`, values. May grow the text's capacity (never its
/// size): the parser wants padding behind it. Memory stays flat for large texts, whatever their shape.
[[nodiscard]] JsonCheck check_json(std::string& text, int depth_max);

/// The same verdict without the shortcut for texts of common size; `detail` says what is wrong and at which byte.
/// `depth_max`: up to limits::kCheckedDepthMax.
[[nodiscard]] JsonCheck explain_json(std::string_view text, int depth_max);

/// Replaces escaped halves of a surrogate pair that stand alone by the escape of U+FFFD: some programs write them for
/// bytes that are no text. `text` is well-formed JSON; its size stays.
void replace_lone_surrogates(std::string& text);

/// Replaces what is no JSON but written by some programs for numbers that are none (NaN, Infinity, -Infinity) by null.
void replace_non_numbers(std::string& text);

enum class JsonKind { null, boolean, number, string, array, object };

/// A value inside validated text. Cheap to copy; valid as long as the text.
class JsonView {
 public:
  JsonView() = default;
  explicit JsonView(std::string_view validated);

  [[nodiscard]] std::string_view raw() const { return text_; }
  [[nodiscard]] JsonKind kind() const;
  [[nodiscard]] bool is_object() const { return kind() == JsonKind::object; }
  [[nodiscard]] bool is_array() const { return kind() == JsonKind::array; }
  [[nodiscard]] bool is_string() const { return kind() == JsonKind::string; }

  /// Unescaped; nothing if this is not a string.
  [[nodiscard]] std::optional<std::string> as_string() const;
  /// What stands between the quotes, if this is a string without escapes: no copy.
  [[nodiscard]] std::optional<std::string_view> as_plain_string() const;
  /// Nothing if this is not an integer of 64 bits in plain digits.
  [[nodiscard]] std::optional<std::int64_t> as_integer() const;
  /// Nothing if this is not a number.
  [[nodiscard]] std::optional<double> as_number() const;
  [[nodiscard]] std::optional<bool> as_boolean() const;

  /// The member of that name, the last one if it stands there several times. Nothing if this is not an object.
  [[nodiscard]] std::optional<JsonView> find(std::string_view name) const;

  /// The same, but nothing also for null.
  [[nodiscard]] std::optional<JsonView> find_set(std::string_view name) const;
  /// The string at that member, unescaped; empty if there is none.
  [[nodiscard]] std::string text_of(std::string_view name) const;

  /// Nesting: 0 for a scalar, 1 for an array or object of scalars.
  [[nodiscard]] int depth() const;

  /// Calls visit(name, value) for each member in order of appearance. Names are unescaped.
  template <typename Visit>
  void for_each_member(Visit&& visit) const {
    std::size_t position = 1;
    std::string scratch;
    while (next_item(position)) {
      const std::string_view name = read_name(position, scratch);
      visit(name, read_value(position));
    }
  }

  /// Calls visit(value) for each element in order.
  template <typename Visit>
  void for_each_element(Visit&& visit) const {
    std::size_t position = 1;
    while (next_item(position)) visit(read_value(position));
  }

 private:
  [[nodiscard]] bool next_item(std::size_t& position) const;
  [[nodiscard]] std::string_view read_name(std::size_t& position, std::string& scratch) const;
  [[nodiscard]] JsonView read_value(std::size_t& position) const;

  std::string_view text_ = "null";
  int depth_ = -1;  // not counted yet
};

/// A text that is the same for all spellings of a value, to compare and to look up; not for anybody to read.
[[nodiscard]] std::string canonical_json(JsonView value);

/// True when two values mean the same: member order and white space do not count, numbers compare by value.
[[nodiscard]] bool same_json(JsonView a, JsonView b);

/// Appends `text` quoted and escaped. `text` must be UTF-8; control characters are escaped.
void append_json_string(std::string& out, std::string_view text);

/// Appends JSON to a string, with the commas where they belong. The caller nests begin and end correctly.
class JsonWriter {
 public:
  explicit JsonWriter(std::string& out) : out_(out) {}

  JsonWriter& begin_object() { return open('{'); }
  JsonWriter& end_object() { return close('}'); }
  JsonWriter& begin_array() { return open('['); }
  JsonWriter& end_array() { return close(']'); }
  JsonWriter& name(std::string_view name);
  JsonWriter& string(std::string_view value);
  JsonWriter& integer(std::int64_t value);
  JsonWriter& number(double value);
  JsonWriter& boolean(bool value);
  JsonWriter& null();
  /// A value that is JSON already.
  JsonWriter& raw(std::string_view json);

  // A member of an object: its name and its value.
  JsonWriter& string(std::string_view member, std::string_view value) { return name(member).string(value); }
  JsonWriter& integer(std::string_view member, std::int64_t value) { return name(member).integer(value); }
  JsonWriter& boolean(std::string_view member, bool value) { return name(member).boolean(value); }
  JsonWriter& raw(std::string_view member, std::string_view json) { return name(member).raw(json); }

 private:
  JsonWriter& open(char bracket);
  JsonWriter& close(char bracket);
  void separate();

  std::string& out_;
  bool first_ = true;
};

}  // namespace syncline
