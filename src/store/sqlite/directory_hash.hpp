// The hash that tells a row of the directory from one that was changed on the disk: XXH3-64 over the table and all
// columns.
#pragma once

#define XXH_INLINE_ALL
#include <xxhash.h>

#include <bit>
#include <cstdint>
#include <string>
#include <string_view>

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
  [[nodiscard]] std::int64_t finish() const {
    return std::bit_cast<std::int64_t>(XXH3_64bits(bytes_.data(), bytes_.size()));
  }

 private:
  std::string bytes_;
};

}  // namespace syncline::sqlite
