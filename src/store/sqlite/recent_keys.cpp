#include "store/sqlite/recent_keys.hpp"

#include <algorithm>
#include <cstring>
#include <tuple>
#include <utility>

#include "store/sqlite/layout.hpp"

namespace syncline::sqlite {

std::string_view RecentKeys::copy(std::string_view id) {
  if (id.empty()) return {};
  auto* bytes = static_cast<char*>(pool_.allocate(id.size(), 1));
  std::memcpy(bytes, id.data(), id.size());
  return {bytes, id.size()};
}

void RecentKeys::release(std::string_view id) {
  if (!id.empty()) pool_.deallocate(const_cast<char*>(id.data()), id.size(), 1);  // NOLINT: ours, from copy()
}

std::multiset<std::int64_t>::iterator RecentKeys::add_pin() {
  const MutexLock lock(mutex_);
  return pins_.insert(commits_);
}

void RecentKeys::remove_pin(std::multiset<std::int64_t>::iterator at) {
  const MutexLock lock(mutex_);
  pins_.erase(at);
}

RecentKeys::Found RecentKeys::find(std::int64_t scope, std::string_view id, Seq head) const {
  const Key key{scope, id};
  const std::uint64_t hash = KeyFilter::hash_of(scope, id);
  const SharedLock lock(mutex_);
  for (const Generation* generation : {&young_, &merging_}) {
    if (!generation->filter.may_contain(hash)) continue;
    const auto found = generation->keys.find(key);
    if (found != generation->keys.end() && seq_of(found->second.pos) <= head) return {found->second, true};
  }
  Found newest;
  if (kept_.empty()) return newest;
  const auto [begin, end] = kept_.equal_range(key);
  for (auto at = begin; at != end; ++at) {
    if (seq_of(at->second.pos) <= head && at->second.pos > newest.place.pos) newest.place = at->second;
  }
  return newest;
}

RecentKeys::Page RecentKeys::list(std::int64_t scope, std::string_view after, Seq head, std::size_t count_max) const {
  Page page;
  const SharedLock lock(mutex_);
  int age = 0;
  const auto collect = [&](const auto& keys) {
    std::size_t count = 0;
    for (auto at = keys.upper_bound(Key{scope, after}); at != keys.end() && at->first.scope == scope; ++at) {
      if (seq_of(at->second.pos) > head) continue;
      page.keys.push_back({std::string(at->first.id), at->second, age});
      if (++count < count_max) continue;
      // Whether more follow is not known: all sources are complete up to here.
      if (!page.through || page.keys.back().id < *page.through) page.through = page.keys.back().id;
      break;
    }
    ++age;
  };
  collect(young_.keys);
  collect(merging_.keys);
  collect(kept_);
  std::ranges::sort(page.keys, [](const Listed& a, const Listed& b) {
    return std::tie(a.id, b.place.pos, a.age) < std::tie(b.id, a.place.pos, b.age);
  });
  const auto same = std::ranges::unique(page.keys, {}, &Listed::id);  // the first one has the greatest place
  page.keys.erase(same.begin(), same.end());
  if (page.through) {
    std::erase_if(page.keys, [&](const Listed& listed) { return listed.id > *page.through; });
  }
  return page;
}

std::optional<RecordKey> RecentKeys::find_key(std::int64_t pos) const {
  const SharedLock lock(mutex_);
  std::optional<RecordKey> found;
  const auto look = [&](const auto& keys) {
    for (const auto& [key, place] : keys) {
      if (place.pos == pos) found = RecordKey{key.scope, std::string(key.id)};
    }
  };
  look(young_.keys);
  if (!found) look(merging_.keys);
  if (!found) look(kept_);
  return found;
}

bool RecentKeys::has_gap(std::int64_t space) const {
  if (!has_gaps_) return false;
  const SharedLock lock(mutex_);
  return gaps_.contains(space);
}

void RecentKeys::load(std::int64_t scope, std::string_view id, std::int64_t pos) {
  const MutexLock lock(mutex_);
  const Key key{scope, id};
  const auto at = merging_.keys.lower_bound(key);
  if (at != merging_.keys.end() && !Less()(key, at->first)) {
    at->second = {.pos = pos};
  } else {
    merging_.keys.emplace_hint(at, Key{scope, copy(id)}, Place{.pos = pos});
    note_in_filter(merging_, key);
  }
}

void RecentKeys::load_raised(std::int64_t scope, std::string_view id, const Place& place, bool is_in_table) {
  const MutexLock lock(mutex_);
  const Key key{scope, id};
  const auto at = merging_.keys.lower_bound(key);
  if (at != merging_.keys.end() && !Less()(key, at->first)) {
    // It may have been replaced since.
    if (at->second.pos == place.pos) at->second = place;
  } else if (!is_in_table) {
    merging_.keys.emplace_hint(at, Key{scope, copy(id)}, place);
    note_in_filter(merging_, key);
  }
}

void RecentKeys::load_space(std::int64_t space, Seq through) {
  const MutexLock lock(mutex_);
  merging_.heads_before.emplace(space, through);
}

void RecentKeys::note_gap(std::int64_t space, Seq through) {
  const MutexLock lock(mutex_);
  gaps_.emplace(space, through);
  has_gaps_ = true;
}

void RecentKeys::keep(const Key& key, const Place& place) {
  kept_in_order_.push_back({commits_ + 1, kept_.emplace(Key{key.scope, copy(key.id)}, place)});
}

void RecentKeys::remove_kept(const Kept& kept) {
  const std::string_view id = kept.at->first.id;
  kept_.erase(kept.at);
  release(id);
}

RecentKeys::Map::node_type RecentKeys::take_merging(const Key& key) {
  if (!merging_.filter.may_contain(KeyFilter::hash_of(key.scope, key.id))) return {};
  return merging_.keys.extract(key);
}

void RecentKeys::note_in_filter(Generation& generation, const Key& key) {
  if (!generation.filter.add(KeyFilter::hash_of(key.scope, key.id))) return;
  for (const auto& [other, place] : generation.keys)
    (void)generation.filter.add(KeyFilter::hash_of(other.scope, other.id));
}

void RecentKeys::put(std::int64_t scope, std::string_view id, std::int64_t pos) {
  const MutexLock lock(mutex_);
  const Key key{scope, id};
  Put put{Put::Kind::added, young_.keys.lower_bound(key), {}};
  const bool is_young = put.at != young_.keys.end() && !Less()(key, put.at->first);
  if (is_young) {
    put.kind = Put::Kind::replaced;
    put.previous = std::exchange(put.at->second, Place{.pos = pos});
  } else if (auto node = take_merging(key); !node.empty()) {
    put.kind = Put::Kind::moved;
    put.previous = std::exchange(node.mapped(), Place{.pos = pos});
    put.at = young_.keys.insert(put.at, std::move(node));
  } else {
    put.at = young_.keys.emplace_hint(put.at, Key{scope, copy(id)}, Place{.pos = pos});
  }
  if (!is_young) note_in_filter(young_, key);
  // A reader may begin before this transaction is committed.
  if (put.kind != Put::Kind::added) keep(put.at->first, put.previous);
  young_.heads_before.try_emplace(space_of_scope(scope), Seq{seq_of(pos).value - 1});
  journal_.push_back(put);
}

void RecentKeys::raise(std::int64_t scope, std::string_view id, const Place& place) {
  const MutexLock lock(mutex_);
  const Key key{scope, id};
  const auto at = young_.keys.lower_bound(key);
  if (at != young_.keys.end() && !Less()(key, at->first)) {
    if (at->second.pos == place.pos) journal_.push_back({Put::Kind::raised, at, std::exchange(at->second, place)});
    return;
  }
  // An entry of the older generation stays where it is: the tail that it can be read from ends with that generation.
  journal_.push_back({Put::Kind::added, young_.keys.emplace_hint(at, Key{scope, copy(id)}, place), {}});
  note_in_filter(young_, key);
}

void RecentKeys::take_back(std::size_t count) {
  const MutexLock lock(mutex_);
  for (; journal_.size() > count; journal_.pop_back()) {
    const Put& put = journal_.back();
    if (put.kind == Put::Kind::raised) {
      put.at->second = put.previous;
      continue;
    }
    if (put.kind != Put::Kind::added) {
      remove_kept(kept_in_order_.back());
      kept_in_order_.pop_back();
    }
    if (put.kind == Put::Kind::replaced) {
      put.at->second = put.previous;
      continue;
    }
    auto node = young_.keys.extract(put.at);
    if (put.kind == Put::Kind::moved) {
      node.mapped() = put.previous;
      merging_.keys.insert(std::move(node));
    } else {
      release(node.key().id);
    }
  }
}

std::vector<RecentKeys::Entry> RecentKeys::next_to_merge(std::size_t count_max) const {
  const SharedLock lock(mutex_);
  std::vector<Entry> entries;
  entries.reserve(std::min(count_max, merging_.keys.size()));
  for (const auto& [key, place] : merging_.keys) {
    if (entries.size() == count_max) break;
    entries.push_back({key.scope, key.id, place});
  }
  return entries;
}

void RecentKeys::retire(Map& from, Map::iterator at) {
  auto node = from.extract(at);
  if (pins_.empty()) {
    release(node.key().id);
  } else {
    kept_in_order_.push_back({commits_, kept_.insert(std::move(node))});
  }
}

void RecentKeys::commit(std::size_t merged) {
  const MutexLock lock(mutex_);
  journal_.clear();
  commits_ += 1;
  for (; merged > 0; --merged) retire(merging_.keys, merging_.keys.begin());
  drop_unneeded();
}

void RecentKeys::end_generation() {
  const MutexLock lock(mutex_);
  merging_.heads_before.clear();
}

void RecentKeys::drop_unneeded() {
  while (!kept_in_order_.empty() && (pins_.empty() || kept_in_order_.front().until <= *pins_.begin())) {
    remove_kept(kept_in_order_.front());
    kept_in_order_.pop_front();
  }
}

void RecentKeys::turn() {
  const MutexLock lock(mutex_);
  // The maps share their pool, so this moves no entry.
  merging_.keys.swap(young_.keys);
  merging_.heads_before.swap(young_.heads_before);
  std::swap(merging_.filter, young_.filter);
  young_.filter.clear();
}

void RecentKeys::forget_spaces(const std::vector<std::int64_t>& spaces) {
  const MutexLock lock(mutex_);
  commits_ += 1;
  for (const std::int64_t space : spaces) {
    for (Generation* generation : {&young_, &merging_}) {
      generation->heads_before.erase(space);
      auto at = generation->keys.lower_bound(Key{pack_scope(space, 0), {}});
      while (at != generation->keys.end() && space_of_scope(at->first.scope) == space) {
        retire(generation->keys, std::exchange(at, std::next(at)));
      }
    }
    gaps_.erase(space);
  }
}

std::int64_t RecentKeys::next_commit() const {
  const SharedLock lock(mutex_);
  return commits_ + 1;
}

std::int64_t RecentKeys::oldest_reader() const {
  const SharedLock lock(mutex_);
  return pins_.empty() ? commits_ : *pins_.begin();
}

std::size_t RecentKeys::young_size() const {
  const SharedLock lock(mutex_);
  return young_.keys.size();
}

std::size_t RecentKeys::merging_size() const {
  const SharedLock lock(mutex_);
  return merging_.keys.size();
}

Seq RecentKeys::merged_through(std::int64_t space, Seq head) const {
  const SharedLock lock(mutex_);
  if (const auto gap = gaps_.find(space); gap != gaps_.end()) return gap->second;
  for (const Generation* generation : {&merging_, &young_}) {
    const auto before = generation->heads_before.find(space);
    if (before != generation->heads_before.end()) return before->second;
  }
  return head;
}

}  // namespace syncline::sqlite
