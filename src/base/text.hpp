// Small text helpers that several layers need: UTF-8, percent-encoding, splitting, numbers.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace syncline {

/// True when the bytes are well-formed UTF-8 (no surrogates, no overlong forms).
[[nodiscard]] bool is_utf8(std::string_view bytes);

inline constexpr std::string_view kReplacementCharacter = "\xEF\xBF\xBD";  // U+FFFD
/// Bytes of the character that begins a text that is not empty: 0 if the end cuts it short, nothing if it is none.
[[nodiscard]] std::optional<std::size_t> character_length(std::string_view text);
/// The same text with U+FFFD for each byte that is no part of a character.
[[nodiscard]] std::string to_valid_utf8(std::string_view bytes);

/// True for the code points that change how a terminal shows what stands around them, and are no text themselves: the
/// control characters up to U+009F, and those that turn the direction of writing or end a line unseen.
[[nodiscard]] bool is_control_or_bidi(char32_t code_point);
/// The code point at the beginning of well-formed UTF-8 that is not empty.
[[nodiscard]] char32_t first_code_point(std::string_view text);
/// True if a text has such a code point, or is not UTF-8.
[[nodiscard]] bool has_control_or_bidi(std::string_view text);

/// The longest beginning of at most `bytes_max` bytes that does not end within a character.
[[nodiscard]] std::string_view cut_utf8(std::string_view text, std::size_t bytes_max);

/// Undoes %XX. Nothing when an escape is broken.
[[nodiscard]] std::optional<std::string> percent_decode(std::string_view text);
/// Escapes all but the unreserved characters of RFC 3986.
[[nodiscard]] std::string percent_encode(std::string_view text);

/// For text and quoted attributes of HTML.
[[nodiscard]] std::string escape_html(std::string_view text);

/// The parts between separators; an empty text has one empty part.
[[nodiscard]] std::vector<std::string_view> split(std::string_view text, char separator);
[[nodiscard]] std::string join(std::span<const std::string_view> parts, std::string_view separator);
[[nodiscard]] std::string_view trim(std::string_view text);
/// Of ASCII letters; others stay as they are.
[[nodiscard]] std::string lower_case(std::string_view text);
[[nodiscard]] bool equal_ignoring_case(std::string_view a, std::string_view b);

/// The one of `known` that `word` was probably meant to be; empty if more differs than a slip explains.
[[nodiscard]] std::string_view nearest_word(std::string_view word, std::span<const std::string_view> known);

/// Decimal digits only, with an optional minus; nothing on overflow or anything else.
[[nodiscard]] std::optional<std::int64_t> parse_integer(std::string_view text);

}  // namespace syncline
