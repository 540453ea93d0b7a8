// The hash that tells a row of `conflict`, `value` and `receipt` from one that was changed on the disk: XXH3-64 over
// the table, all columns and the numbers that say where the row belongs, so that a whole row in another's place is
// noticed too. Versions of records have theirs in the row (record_row.hpp).
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <string_view>

#include "store/damage_list.hpp"
#include "store/sqlite/connection.hpp"

namespace syncline::sqlite {

/// Takes the columns one after the other, all but the largest, which comes last.
class RowHash {
 public:
  explicit RowHash(Damage::Table table) : seed_(static_cast<std::uint64_t>(table) + 1) {}

  void add(std::int64_t column);
  void add(std::string_view column);
  /// With the largest column, as it is stored in the column `hash`.
  [[nodiscard]] std::int64_t finish(std::string_view body);

 private:
  void fold();

  static constexpr std::size_t kBufferBytes = 1024;
  std::uint64_t seed_;
  std::size_t used_ = 0;
  std::array<char, kBufferBytes> buffer_;
};

/// How a query lists the columns of a table: those that are hashed, and `hash` behind them.
struct RowForm {
  Damage::Table table;
  std::string_view columns;
  /// A letter for each: an integer, or bytes.
  std::string_view kinds;
  int body;  // the largest
};
inline constexpr RowForm kConflictForm{
    .table = Damage::Table::conflict,
    .columns =
        "number, rule, state, at, pos, scope, id, updated_at, committed_at, origin, flags, doc, space, "
        "fingerprint",
    .kinds = "iiiiiibiiiibib",
    .body = 11};
inline constexpr RowForm kValueForm{
    .table = Damage::Table::value, .columns = "space, name, value", .kinds = "ibb", .body = 2};
inline constexpr RowForm kReceiptForm{.table = Damage::Table::receipt,
                                      .columns = "space, key, at, fingerprint, status, body",
                                      .kinds = "ibibib",
                                      .body = 5};

/// Binds the columns of a row in the order of its form, and its hash behind them. What is bound must outlive the step.
class Columns {
 public:
  Columns(const RowForm& form, Statement& statement) : form_(form), statement_(statement), hash_(form.table) {}

  void add(std::int64_t column);
  void add(std::string_view column);
  /// After the last one.
  void finish() { statement_.bind(count_ + 1, hash_.finish(body_)); }

 private:
  const RowForm& form_;
  Statement& statement_;
  RowHash hash_;
  int count_ = 0;
  std::string_view body_;
};

struct ChangedColumn {
  int column;
  std::int64_t value;
};
/// Of the current row of a query that lists the columns of `form` first; `changed` integers count instead of the row's.
[[nodiscard]] std::int64_t hash_of(const RowForm& form, const Statement& row,
                                   std::initializer_list<ChangedColumn> changed);

/// True if the columns of the current row are of the types that were written.
[[nodiscard]] bool has_its_types(const RowForm& form, const Statement& row);
/// True if the current row of such a query, with `hash` behind the columns, is what was written.
[[nodiscard]] bool is_as_written(const RowForm& form, const Statement& row);

}  // namespace syncline::sqlite
