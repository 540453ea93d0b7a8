// The stamps that merges compare, where they were raised after the record had been written: the same content came with
// a later stamp, which is what clients do all day that send everything they have. Nobody pulls such a change, so the
// record's row stays as it is, and the stamps are kept with its key:
//
//   RecentKeys    in memory, with the place of the record (recent_keys.hpp)
//   raised        one row per commit and space, in the order of the commits, until the keys are in their table and no
//                 tail has the record any more
//   key.raised    in the key table
//
// Once the record is replaced, the row of the next version has them (record_row.hpp).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.hpp"
#include "store/hidden_stamps.hpp"

namespace syncline::sqlite {

class Connection;
class RecentKeys;

/// Where the newest version of a record is, with its stamps if the row does not have them.
struct Place {
  std::int64_t pos = 0;  // 0: nowhere
  HiddenStamps raised{{kNotRaised}, {}};

  [[nodiscard]] bool is_raised() const { return raised.effective_at.micros != kNotRaised; }

  /// No stamp.
  static constexpr std::int64_t kNotRaised = INT64_MIN;
};

/// The column `raised` of the key, empty if they are not: effective_at, claimed_at, and a RowHash of them, the key
/// and the place, little-endian. Bytes without a hash would let one flipped bit keep a record from ever being written
/// again.
[[nodiscard]] std::string raised_column(std::int64_t scope, std::string_view id, const Place& place);
/// Nothing if that is not what was written for the key and its place.
[[nodiscard]] std::optional<HiddenStamps> read_raised_column(std::int64_t scope, std::string_view id, std::int64_t pos,
                                                             std::string_view column);

/// Adds one record to what will be a row of `raised`.
void append_raised(std::string& stamps, std::int64_t scope, std::string_view id, const Place& place);
/// What is stored of it: the same behind a RowHash of it and the row's number.
[[nodiscard]] std::string sealed_raised(std::int64_t number, std::string_view stamps);
/// Passes the rows of `raised` on to the keys, in their order, after the tails (key_table.hpp); without tails, those
/// that the key table has already are left out. A row that is not what was written is passed over, with a line in the
/// log.
[[nodiscard]] Result<> load_raised(Connection& connection, RecentKeys& keys, bool has_tails);
/// Rows of `raised` up to this number are in the key table: `raised_merged_through` in `meta`.
[[nodiscard]] Result<std::int64_t> read_raised_merged_through(Connection& connection);

}  // namespace syncline::sqlite
