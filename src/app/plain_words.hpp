// Values of JSON as people read them: times in the zone of this machine, sizes with a unit, names in words. For the
// main thread: the zone is the one of the process.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/json.hpp"
#include "base/time.hpp"

namespace syncline::app {

/// "2026-11-22 16:40:05" in the zone of this process.
[[nodiscard]] std::string to_local_time(Timestamp time);
/// What people call that zone: "Europe/Berlin" or "UTC"; its abbreviation if it has no such name.
[[nodiscard]] std::string local_zone();
/// The time in a string like "2026-11-22T15:40:05.004670Z"; nothing in any other value.
[[nodiscard]] std::optional<Timestamp> find_time(JsonView value);

/// "created_at" and "createdAt" as "created at".
[[nodiscard]] std::string to_words(std::string_view member);

/// A member's value within a line: times as above, sizes as "1.2 MB" if the member's name ends with "bytes", strings
/// without quotes, null and empty strings as "-", and nothing that a terminal would take for an order.
[[nodiscard]] std::string to_cell(std::string_view member, JsonView value);

}  // namespace syncline::app
