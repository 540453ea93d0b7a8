#include "store/damage_list.hpp"

#include <chrono>
#include <utility>

#include "base/log.hpp"

namespace syncline {
namespace {

constexpr std::int64_t kLoggedPerMinute = 20;

}  // namespace

std::string_view to_text(Damage::Table table) {
  switch (table) {
    case Damage::Table::record: return "record";
    case Damage::Table::history: return "history";
    case Damage::Table::conflict: return "conflict";
    case Damage::Table::value: return "value";
    case Damage::Table::receipt: return "receipt";
    case Damage::Table::key_index: return "key_index";
  }
  return "record";
}

std::string describe(const Damage& damage) {
  std::string text = "a row of table " + std::string(to_text(damage.table)) + " is damaged: ";
  if (damage.space.name.empty()) {
    text += "no space can be told";
  } else {
    text += "space " + damage.space.name + " of account " + std::to_string(damage.space.account.value);
  }
  if (!damage.collection.empty()) text += ", collection " + damage.collection;
  if (!damage.id.empty()) text += ", id " + damage.id;
  if (damage.seq.value != 0) text += ", seq " + std::to_string(damage.seq.value);
  if (damage.number != 0) text += ", number " + std::to_string(damage.number);
  return text;
}

DamageList::Key DamageList::key_of(const Damage& damage) {
  // A version has one row for each seq, whatever is known of its key.
  const bool is_version = damage.table == Damage::Table::record || damage.table == Damage::Table::history;
  const bool has_own_number = is_version || damage.number != 0;
  return {damage.table, damage.space, damage.seq, damage.number, has_own_number ? std::string() : damage.id};
}

void DamageList::note(const Damage& damage) {
  std::int64_t unlogged = 0;
  {
    const MutexLock lock(mutex_);
    if (rows_.size() >= kRowsMax) return;
    const auto [at, is_new] = rows_.emplace(key_of(damage), damage);
    if (!is_new) return;
    size_ = static_cast<std::int64_t>(rows_.size());
    const auto now = Deadline::clock::now();
    if (now >= minute_ends_) {
      minute_ends_ = now + std::chrono::minutes(1);
      logged_ = 0;
    }
    if (++logged_ > kLoggedPerMinute) {
      unlogged_ += 1;
      return;
    }
    unlogged = std::exchange(unlogged_, 0);
  }
  log(LogLevel::error, "damaged_row",
      {{"table", to_text(damage.table)},
       {"account", damage.space.account.value},
       {"space", damage.space.name},
       {"collection", damage.collection},
       {"id", damage.id},
       {"seq", damage.seq.value},
       {"number", damage.number},
       {"not_logged_before", unlogged}});
}

void DamageList::forget(const SpaceName& space, Seq seq) {
  if (size_ == 0) return;
  const MutexLock lock(mutex_);
  rows_.erase(key_of({.table = Damage::Table::record, .space = space, .seq = seq}));
  size_ = static_cast<std::int64_t>(rows_.size());
}

void DamageList::forget(AccountNumber account) {
  const MutexLock lock(mutex_);
  std::erase_if(rows_, [&](const auto& row) { return row.second.space.account == account; });
  size_ = static_cast<std::int64_t>(rows_.size());
}

void DamageList::forget_all() {
  const MutexLock lock(mutex_);
  rows_.clear();
  size_ = 0;
}

std::optional<Damage> DamageList::find(const SpaceName& space, Seq seq) const {
  if (size_ == 0) return std::nullopt;
  const MutexLock lock(mutex_);
  const auto found = rows_.find(key_of({.table = Damage::Table::record, .space = space, .seq = seq}));
  if (found == rows_.end()) return std::nullopt;
  return found->second;
}

std::vector<Damage> DamageList::list(const std::optional<SpaceName>& space) const {
  std::vector<Damage> found;
  if (size_ == 0) return found;
  const MutexLock lock(mutex_);
  for (const auto& [key, damage] : rows_) {
    if (!space || damage.space == *space) found.push_back(damage);
  }
  return found;
}

}  // namespace syncline
