// Bytes: hashes, randomness and their text forms, over libsodium.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace syncline {

using Sha256 = std::array<unsigned char, 32>;

/// Must run once before anything else of this header; false if the system offers no randomness.
[[nodiscard]] bool initialise_crypto();

[[nodiscard]] Sha256 sha256(std::string_view bytes);
[[nodiscard]] std::string_view as_text(const Sha256& hash);

/// Compares without telling by its duration where the first difference is.
[[nodiscard]] bool equal_in_constant_time(std::string_view a, std::string_view b);

[[nodiscard]] std::string random_bytes(std::size_t count);
[[nodiscard]] std::uint64_t random_number();

[[nodiscard]] std::string to_hex(std::string_view bytes);
/// URL-safe alphabet, no padding.
[[nodiscard]] std::string to_base64url(std::string_view bytes);
/// Nothing for anything else than that alphabet, and for padding.
[[nodiscard]] std::optional<std::string> from_base64url(std::string_view text);

/// Standard alphabet, padded (RFC 4648 section 4).
[[nodiscard]] std::string to_base64(std::string_view bytes);
/// Nothing for anything else than the standard alphabet with its padding.
[[nodiscard]] std::optional<std::string> from_base64(std::string_view text);

/// CRC-32 (IEEE), the checksum at the end of a key that lets scanners recognise leaked ones.
[[nodiscard]] std::uint32_t crc32(std::string_view bytes);

/// A new time-ordered id: UUID version 7 (RFC 9562).
[[nodiscard]] std::string make_uuid7(std::int64_t unix_ms);

}  // namespace syncline
