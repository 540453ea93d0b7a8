// Clock entries as the phone's routes show them, and as rows of CSV.
#pragma once

#include <string>

#include "base/time_zone.hpp"
#include "wire/kaisho_rows.hpp"

namespace syncline::kaisho {

/// The collection of the entries.
[[nodiscard]] const std::string& entry_collection();

/// The entry with what only the phone is shown, without braces.
[[nodiscard]] Result<std::string> clock_members(Snapshot& snapshot, const Record& entry);
/// The same as an object.
[[nodiscard]] Result<std::string> clock_text(Snapshot& snapshot, const Record& entry);

/// The names of the columns of CSV, and a row of them. Times are those of clocks of the zone.
void append_entry_header(std::string& csv);
void append_entry_row(std::string& csv, const RecordView& entry, const TimeZone& zone);

}  // namespace syncline::kaisho
