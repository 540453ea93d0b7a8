#include "store/sqlite/record_row.hpp"

#define XXH_INLINE_ALL
#include <xxhash.h>

#include <bit>
#include <cstring>

namespace syncline::sqlite {
namespace {

static_assert(std::endian::native == std::endian::little, "rows are stored little-endian");

constexpr std::size_t kHash = 0, kFlags = 8, kRule = 9, kCollection = 10, kIdLength = 12, kUpdatedAt = 16, kLift = 24,
                      kClaimedAt = 32, kCommittedAt = 40, kOrigin = 48, kPrevious = 56, kHeaderBytes = 64,
                      kBeforeBytes = 16;
constexpr std::uint8_t kIsDeleted = 1, kHasBefore = 2;

template <class Number>
Number get(std::string_view row, std::size_t at) {
  Number number{};
  std::memcpy(&number, row.data() + at, sizeof number);
  return number;
}

template <class Number>
void set(std::string& row, std::size_t at, Number number) {
  std::memcpy(row.data() + at, &number, sizeof number);
}

std::uint64_t hash_of(std::int64_t pos, std::string_view row) {
  return XXH3_64bits_withSeed(row.data() + kFlags, row.size() - kFlags, static_cast<std::uint64_t>(pos));
}

}  // namespace

void write_row(std::string& row, std::int64_t pos, const Record& version, std::int64_t collection,
               const std::optional<HiddenStamps>& before) {
  row.resize(kHeaderBytes);
  set(row, kFlags, static_cast<std::uint8_t>((version.deleted ? kIsDeleted : 0) | (before ? kHasBefore : 0)));
  set(row, kRule, static_cast<std::uint8_t>(version.rule));
  set(row, kCollection, static_cast<std::uint16_t>(collection));
  set(row, kIdLength, static_cast<std::uint32_t>(version.id.size()));
  set(row, kUpdatedAt, version.updated_at.micros);
  set(row, kLift, version.effective_at.micros - version.updated_at.micros);
  set(row, kClaimedAt, version.claimed_at.micros);
  set(row, kCommittedAt, version.committed_at.micros);
  set(row, kOrigin, version.origin.value);
  set(row, kPrevious, version.previous);
  if (before) {
    row.resize(kHeaderBytes + kBeforeBytes);
    set(row, kHeaderBytes, before->effective_at.micros);
    set(row, kHeaderBytes + 8, before->claimed_at.micros);
  }
  row += version.id;
  row += version.doc;
  set(row, kHash, hash_of(pos, row));
}

std::optional<RecordRow> parse_row(std::string_view row) {
  if (row.size() < kHeaderBytes) return std::nullopt;
  const auto flags = get<std::uint8_t>(row, kFlags);
  const std::size_t id_at = kHeaderBytes + ((flags & kHasBefore) != 0 ? kBeforeBytes : 0);
  const std::size_t id_length = get<std::uint32_t>(row, kIdLength);
  if (row.size() < id_at || id_length > row.size() - id_at) return std::nullopt;
  RecordRow parsed{.collection = get<std::uint16_t>(row, kCollection), .version = {}, .before = {}};
  if ((flags & kHasBefore) != 0) {
    parsed.before = {.effective_at = {get<std::int64_t>(row, kHeaderBytes)},
                     .claimed_at = {get<std::int64_t>(row, kHeaderBytes + 8)}};
  }
  RecordView& version = parsed.version;
  version.deleted = (flags & kIsDeleted) != 0;
  version.rule = static_cast<Rule>(get<std::uint8_t>(row, kRule));
  version.updated_at = {get<std::int64_t>(row, kUpdatedAt)};
  // A damaged row may say anything, so the sum may pass the end of the numbers.
  version.effective_at = {static_cast<std::int64_t>(static_cast<std::uint64_t>(version.updated_at.micros) +
                                                    get<std::uint64_t>(row, kLift))};
  version.claimed_at = {get<std::int64_t>(row, kClaimedAt)};
  version.committed_at = {get<std::int64_t>(row, kCommittedAt)};
  version.origin = {get<std::int64_t>(row, kOrigin)};
  version.previous = get<std::int64_t>(row, kPrevious);
  version.id = row.substr(id_at, id_length);
  version.doc = row.substr(id_at + id_length);
  return parsed;
}

bool is_as_written(std::int64_t pos, std::string_view row) {
  return row.size() >= kHeaderBytes && get<std::uint64_t>(row, kHash) == hash_of(pos, row);
}

void spoil_row(std::string& row) { set(row, kHash, ~get<std::uint64_t>(row, kHash)); }

}  // namespace syncline::sqlite
