// How the tables `record` and `history` keep one version of a record: its place, and one blob with everything else, so
// that SQLite looks up one column and the hash is over bytes that lie together. All numbers are little-endian.
//
//   bytes   0  hash: XXH3-64 of everything behind it, with the place as its seed, so that a good row in the place of
//              another is noticed too
//           8  flags: 1 if deleted, 2 if `before` follows     9  rule     10  number of the collection (2 bytes)     12
//           length of the id (4 bytes)
//          16  updated_at      24  effective_at - updated_at      32  claimed_at      40  committed_at
//          48  origin          56  previous: the seq of the version that this one replaced; 0: none
//          64  before: effective_at and claimed_at of the version that this one replaced, if its own row has others
//              id, document
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "core/record.hpp"
#include "store/sqlite/raised_stamps.hpp"

namespace syncline::sqlite {

/// What a row says, whether it is what was written or not.
struct RecordRow {
  std::int64_t collection = 0;
  RecordView version;  // without seq and collection; texts in the row
  std::optional<HiddenStamps> before;
};

/// Makes `row` that of a version; `pos` is the place where it will be.
void write_row(std::string& row, std::int64_t pos, const Record& version, std::int64_t collection,
               const std::optional<HiddenStamps>& before = {});
/// Nothing if the bytes cannot be a row.
[[nodiscard]] std::optional<RecordRow> parse_row(std::string_view row);
/// True if the bytes are a row that was written for this place.
[[nodiscard]] bool is_as_written(std::int64_t pos, std::string_view row);

/// Makes a row that was written one that is damaged.
void spoil_row(std::string& row);

}  // namespace syncline::sqlite
