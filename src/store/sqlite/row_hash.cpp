#include "store/sqlite/row_hash.hpp"

#define XXH_INLINE_ALL
#include <xxhash.h>

#include <cstring>

namespace syncline::sqlite {
namespace {

std::int64_t as_column(std::uint64_t hash) {
  std::int64_t column = 0;
  std::memcpy(&column, &hash, sizeof column);
  return column;
}

}  // namespace

void RowHash::fold() {
  seed_ = XXH3_64bits_withSeed(buffer_.data(), used_, seed_);
  used_ = 0;
}

void RowHash::add(std::int64_t column) {
  if (used_ + sizeof column > kBufferBytes) fold();
  std::memcpy(buffer_.data() + used_, &column, sizeof column);
  used_ += sizeof column;
}

void RowHash::add(std::string_view column) {
  // With its length, so that no byte can pass from one column to the next.
  add(static_cast<std::int64_t>(column.size()));
  if (column.size() > kBufferBytes - used_) fold();
  if (column.size() > kBufferBytes) {
    seed_ = XXH3_64bits_withSeed(column.data(), column.size(), seed_);
    return;
  }
  std::memcpy(buffer_.data() + used_, column.data(), column.size());
  used_ += column.size();
}

std::int64_t RowHash::finish(std::string_view body) {
  fold();
  return as_column(XXH3_64bits_withSeed(body.data(), body.size(), seed_));
}

void Columns::add(std::int64_t column) {
  statement_.bind(++count_, column);
  hash_.add(column);
}

void Columns::add(std::string_view column) {
  const bool is_body = count_ == form_.body;
  statement_.bind_bytes(++count_, column);
  if (is_body) {
    body_ = column;
  } else {
    hash_.add(column);
  }
}

std::int64_t hash_of(const RowForm& form, const Statement& row, std::initializer_list<ChangedColumn> changed) {
  RowHash hash(form.table);
  for (int column = 0; column < static_cast<int>(form.kinds.size()); ++column) {
    if (column == form.body) continue;
    if (form.kinds[static_cast<std::size_t>(column)] == 'b') {
      hash.add(row.bytes(column));
      continue;
    }
    std::int64_t value = row.integer(column);
    for (const ChangedColumn& change : changed) {
      if (change.column == column) value = change.value;
    }
    hash.add(value);
  }
  return hash.finish(row.bytes(form.body));
}

bool has_its_types(const RowForm& form, const Statement& row) {
  for (int column = 0; column < static_cast<int>(form.kinds.size()); ++column) {
    // A bit may turn a number into nothing or bytes into text, which reads the same.
    const bool is_number = form.kinds[static_cast<std::size_t>(column)] == 'i';
    if (row.type(column) != (is_number ? ColumnType::integer : ColumnType::bytes)) return false;
  }
  return true;
}

bool is_as_written(const RowForm& form, const Statement& row) {
  const int hash_column = static_cast<int>(form.kinds.size());
  return row.type(hash_column) == ColumnType::integer && has_its_types(form, row) &&
         row.integer(hash_column) == hash_of(form, row, {});
}

}  // namespace syncline::sqlite
