// The days and periods that people ask for, in the zone that the request names; in UTC if it names none.
#pragma once

#include <optional>
#include <string_view>

#include "api/call.hpp"
#include "base/time_zone.hpp"

namespace syncline::kaisho {

/// From the first moment, up to but without the second.
struct Period {
  Timestamp from;
  Timestamp until;
};

/// What the query parameter zone asks for; invalid_argument, with the name, for an unknown one.
[[nodiscard]] Result<TimeZone> zone_in_query(const api::Call& call);

/// What the query parameters from, to and period ask for; invalid_argument for what is no period or day.
[[nodiscard]] Result<Period> period_in_query(const api::Call& call, const TimeZone& zone, Timestamp now);

}  // namespace syncline::kaisho
