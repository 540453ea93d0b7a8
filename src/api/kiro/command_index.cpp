#include "api/kiro/command_index.hpp"

#include "api/kiro/command.hpp"

namespace syncline::kiro {

void CommandIndex::take(const RecordView& record) {
  const std::string id(record.id);
  if (const auto known = pending_by_id_.find(id); known != pending_by_id_.end()) {
    pending_.erase(known->second);
    pending_by_id_.erase(known);
  }
  held_.erase(id);
  if (record.deleted) return;
  const Command command{JsonView(record.doc)};
  if (command.status != CommandStatus::pending) return;
  if (command.is_held()) {
    held_.insert(id);
    return;
  }
  Pending pending{command.priority, command.created_at_ms.value_or(0), id};
  pending_.insert(pending);
  pending_by_id_[id] = std::move(pending);
}

}  // namespace syncline::kiro
