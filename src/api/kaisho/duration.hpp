// Durations as people type them into a timer: "2h", "30m", "1.5h", "1h30m", "2h 15min", "90 minutes".
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace syncline::kaisho {

/// In seconds, more than zero and at most a year. Nothing for any other text.
[[nodiscard]] std::optional<std::int64_t> parse_duration(std::string_view text);

}  // namespace syncline::kaisho
