// The days and periods that the phone asks for, all in UTC.
#pragma once

#include <optional>
#include <string_view>

#include "api/call.hpp"

namespace syncline::kaisho {

/// From the first moment, up to but without the second.
struct Period {
  Timestamp from;
  Timestamp until;
};

/// A day (YYYY-MM-DD) or a moment. Nothing for other text.
[[nodiscard]] std::optional<Period> parse_period(std::string_view text);

/// What the query parameters from, to and period ask for; invalid_argument for what is no period or day.
[[nodiscard]] Result<Period> period_in_query(const api::Call& call, Timestamp now);

/// Noon of the day.
[[nodiscard]] Timestamp noon_of(Timestamp time);

}  // namespace syncline::kaisho
