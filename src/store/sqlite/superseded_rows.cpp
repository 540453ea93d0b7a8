#include "store/sqlite/superseded_rows.hpp"

#define XXH_INLINE_ALL
#include <xxhash.h>

#include <algorithm>
#include <bit>
#include <cstring>

#include "store/sqlite/layout.hpp"

namespace syncline::sqlite {
namespace {

constexpr std::int64_t kMask = kChunkRows - 1;

// A stored chunk: the hash of what follows, how many rows are gone, the bits.
constexpr std::size_t kGoneAt = sizeof(std::uint64_t);
constexpr std::size_t kBitsAt = kGoneAt + sizeof(std::int64_t);
constexpr std::size_t kStoredBytes = kBitsAt + sizeof(SupersededRows::Bits);

std::uint64_t hash_of(std::int64_t chunk, std::string_view stored) {
  return XXH3_64bits_withSeed(stored.data() + kGoneAt, stored.size() - kGoneAt, static_cast<std::uint64_t>(chunk));
}

std::int64_t space_of_chunk(std::int64_t chunk) { return chunk >> (kSeqBits - kChunkBits); }

std::size_t word_of(std::int64_t pos) { return static_cast<std::size_t>(pos & kMask) / 64; }
std::uint64_t bit_of(std::int64_t pos) { return std::uint64_t{1} << (static_cast<std::uint64_t>(pos) % 64); }

}  // namespace

bool SupersededRows::View::contains(std::int64_t pos) const {
  return has_marks && (bits.at(word_of(pos)) & bit_of(pos)) != 0;
}

std::int64_t SupersededRows::View::next_unmarked(std::int64_t pos) const {
  const std::int64_t end = (chunk + 1) << kChunkBits;
  while (pos < end) {
    const std::uint64_t free = ~bits.at(word_of(pos)) & ~(bit_of(pos) - 1);
    const std::int64_t word_begin = pos - pos % 64;
    if (free != 0) return word_begin + std::countr_zero(free);
    pos = word_begin + 64;
  }
  return end;
}

void SupersededRows::look(std::int64_t chunk, Seq head, View& view) const {
  view.chunk = chunk;
  const SharedLock lock(mutex_);
  const auto found = chunks_.find(chunk);
  view.has_marks = found != chunks_.end() && found->second.marked > 0;
  if (!view.has_marks) return;
  view.bits = found->second.bits;
  const std::int64_t end = (chunk + 1) << kChunkBits;
  for (auto at = fresh_.lower_bound(chunk << kChunkBits); at != fresh_.end() && at->first < end; ++at) {
    if (at->second > head) view.bits.at(word_of(at->first)) &= ~bit_of(at->first);
  }
}

bool SupersededRows::contains(std::int64_t pos, Seq head) const {
  const SharedLock lock(mutex_);
  const auto found = chunks_.find(chunk_of(pos));
  if (found == chunks_.end() || (found->second.bits.at(word_of(pos)) & bit_of(pos)) == 0) return false;
  const auto fresh = fresh_.find(pos);
  return fresh == fresh_.end() || fresh->second <= head;
}

bool SupersededRows::set_mark(std::int64_t pos) {
  Chunk& chunk = chunks_[chunk_of(pos)];
  std::uint64_t& word = chunk.bits.at(word_of(pos));
  if ((word & bit_of(pos)) != 0) return false;
  word |= bit_of(pos);
  chunk.marked += 1;
  return true;
}

bool SupersededRows::load_chunk(std::int64_t chunk, std::string_view stored) {
  if (stored.size() != kStoredBytes) return false;
  std::uint64_t hash = 0;
  std::memcpy(&hash, stored.data(), sizeof hash);
  if (hash != hash_of(chunk, stored)) return false;
  Chunk loaded;
  std::memcpy(&loaded.gone, stored.data() + kGoneAt, sizeof loaded.gone);
  std::memcpy(loaded.bits.data(), stored.data() + kBitsAt, sizeof loaded.bits);
  for (const std::uint64_t word : loaded.bits) loaded.marked += std::popcount(word);
  const MutexLock lock(mutex_);
  chunks_[chunk] = loaded;
  return true;
}

void SupersededRows::load(std::int64_t pos) {
  const MutexLock lock(mutex_);
  if (set_mark(pos)) merging_dirty_.insert(chunk_of(pos));
}

void SupersededRows::mark(std::int64_t pos, Seq by, std::int64_t commit) {
  const MutexLock lock(mutex_);
  if (!set_mark(pos)) return;
  journal_.push_back(pos);
  // A reader may begin before this transaction is committed.
  fresh_.emplace(pos, by);
  fresh_in_order_.push_back({commit, pos});
  young_dirty_.insert(chunk_of(pos));
}

void SupersededRows::take_back(std::size_t count) {
  const MutexLock lock(mutex_);
  storing_.clear();
  for (; journal_.size() > count; journal_.pop_back()) {
    const std::int64_t pos = journal_.back();
    Chunk& chunk = chunks_.at(chunk_of(pos));
    chunk.bits.at(word_of(pos)) &= ~bit_of(pos);
    chunk.marked -= 1;
    fresh_.erase(pos);
    fresh_in_order_.pop_back();
  }
}

void SupersededRows::commit(std::int64_t oldest) {
  const MutexLock lock(mutex_);
  journal_.clear();
  for (const std::int64_t chunk : storing_) merging_dirty_.erase(chunk);
  storing_.clear();
  while (!fresh_in_order_.empty() && fresh_in_order_.front().until <= oldest) {
    fresh_.erase(fresh_in_order_.front().pos);
    fresh_in_order_.pop_front();
  }
}

std::vector<std::int64_t> SupersededRows::next_to_store(std::size_t count_max) {
  for (const std::int64_t chunk : merging_dirty_) {
    if (storing_.size() == count_max) break;
    storing_.push_back(chunk);
  }
  return storing_;
}

std::string SupersededRows::stored_form(std::int64_t chunk) const {
  std::string stored(kStoredBytes, '\0');
  const SharedLock lock(mutex_);
  const auto found = chunks_.find(chunk);
  if (found != chunks_.end()) {
    std::memcpy(stored.data() + kGoneAt, &found->second.gone, sizeof found->second.gone);
    std::memcpy(stored.data() + kBitsAt, found->second.bits.data(), sizeof found->second.bits);
  }
  const std::uint64_t hash = hash_of(chunk, stored);
  std::memcpy(stored.data(), &hash, sizeof hash);
  return stored;
}

void SupersededRows::turn() {
  merging_dirty_.merge(young_dirty_);
  young_dirty_.clear();
}

std::optional<std::int64_t> SupersededRows::find_sparse_chunk(std::int64_t from, int percent) const {
  const SharedLock lock(mutex_);
  for (auto at = chunks_.lower_bound(from); at != chunks_.end(); ++at) {
    const Chunk& chunk = at->second;
    const std::int64_t superseded = chunk.marked - chunk.gone;
    if (superseded > 0 && superseded * 100 >= (kChunkRows - chunk.gone) * percent) return at->first;
  }
  return std::nullopt;
}

void SupersededRows::note_gone(std::int64_t chunk, std::int64_t count) {
  const MutexLock lock(mutex_);
  const auto found = chunks_.find(chunk);
  if (found == chunks_.end() || count == 0) return;
  found->second.gone = std::min(found->second.marked, found->second.gone + count);
  young_dirty_.insert(chunk);
}

void SupersededRows::take_over(SupersededRows& made) {
  const MutexLock lock(mutex_);
  const MutexLock made_lock(made.mutex_);
  chunks_.swap(made.chunks_);
}

void SupersededRows::forget_spaces(const std::vector<std::int64_t>& spaces) {
  const auto is_gone = [&](std::int64_t chunk) {
    return std::ranges::find(spaces, space_of_chunk(chunk)) != spaces.end();
  };
  const MutexLock lock(mutex_);
  std::erase_if(chunks_, [&](const auto& entry) { return is_gone(entry.first); });
  std::erase_if(young_dirty_, is_gone);
  std::erase_if(merging_dirty_, is_gone);
}

}  // namespace syncline::sqlite
