// What tells a row of the directory from one that was changed on the disk: XXH3-64 over its table and columns.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.hpp"

namespace syncline::sqlite {

/// Collects the columns of a row, each with its kind and length, so that none can pass for another.
class DirectoryHash {
 public:
  explicit DirectoryHash(std::string_view table) { add(table); }
  DirectoryHash& add(std::int64_t column) {
    bytes_.append(reinterpret_cast<const char*>(&column), sizeof column);
    return *this;
  }
  DirectoryHash& add(std::string_view column) {
    add(static_cast<std::int64_t>(column.size()));
    bytes_ += column;
    return *this;
  }
  [[nodiscard]] std::int64_t finish() const;

 private:
  std::string bytes_;
};

/// The error of a row that is no longer what was written.
[[nodiscard]] std::unexpected<Error> damaged_row(std::string_view what, std::int64_t number);

}  // namespace syncline::sqlite
