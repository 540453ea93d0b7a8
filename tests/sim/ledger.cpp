#include "sim/ledger.hpp"

#include "base/json.hpp"

namespace syncline::sim {

std::optional<int> Ledger::number_of(const Record& version) {
  if (version.deleted || version.doc.empty()) return std::nullopt;
  const auto number = JsonView(version.doc).find("write");
  if (!number || !number->as_integer()) return std::nullopt;
  return static_cast<int>(*number->as_integer());
}

int Ledger::begin(const std::string& actor, const std::string& id, bool deleted) {
  const int number = static_cast<int>(writes_.size());
  writes_.push_back({number, actor, id, deleted, false, false});
  return number;
}

void Ledger::give_up(const std::string& actor) {
  for (Write& write : writes_) {
    if (write.actor == actor) write.is_certain = false;
  }
}

void Ledger::set_superseded(const Record& seen) {
  if (seen.deleted) {
    for (Write& write : writes_) {
      if (write.id == seen.id && write.deleted) write.is_superseded = true;
    }
  } else if (const auto number = number_of(seen)) {
    at(*number).is_superseded = true;
  }
}

void Ledger::Found::add(const Record& version) {
  if (version.deleted) deletions.insert(version.id);
  if (const auto number = number_of(version)) numbers.insert(*number);
}

std::string Ledger::find_lost(const Found& found) const {
  for (const Write& write : writes_) {
    if (!write.is_certain || write.is_superseded) continue;
    const bool is_there = write.deleted ? found.deletions.contains(write.id) : found.numbers.contains(write.number);
    if (is_there) continue;
    return "write " + std::to_string(write.number) + " of " + write.actor + " to " + write.id +
           (write.deleted ? " (a deletion)" : "") + " is nowhere to be found";
  }
  return "";
}

std::string Ledger::find_revived(const std::map<std::string, Record>& current) const {
  for (const auto& [id, record] : current) {
    const auto number = number_of(record);
    if (number && writes_[static_cast<std::size_t>(*number)].is_superseded) {
      return "write " + std::to_string(*number) + " to " + id + " stands, though somebody who saw it replaced it";
    }
  }
  return "";
}

}  // namespace syncline::sim
