#include "api/kiro/merge_state.hpp"

#include <algorithm>

namespace syncline::kiro {
namespace {

/// With more changes than that since the snapshot, it is cheaper to look again than to look through them all.
constexpr std::size_t kChangesLookedAtMax = 256;

/// True if the stored record says the same. What was only spelled anew on its way through a client is the same.
bool is_same(const std::optional<Record>& stored, JsonView uploaded) {
  return stored && !stored->deleted && same_json(JsonView(stored->doc), uploaded);
}

Result<> merge_document(SpaceWriter& writer, const std::string& id, JsonView document) {
  TRY(const OpResult result,
      writer.apply({.collection = kDocuments, .id = id, .updated_at = stamp_of(document), .doc = document.raw()}));
  if (result.error) return std::unexpected(*result.error);
  return {};
}

/// Nothing, or the reason why the command was left out.
Result<std::optional<std::string>> merge_command(SpaceWriter& writer, CommandQueue& commands, const std::string& id,
                                                 JsonView uploaded, const Principal& principal) {
  TRY(const auto stored, writer.find(kCommands, id));
  // Whether it has run is not known any more: it must not run again.
  if (writer.is_damaged(kCommands, id)) return "the command is damaged in the store";
  if (stored && !stored->deleted) {
    if (!principal.scopes.has(Scope::commands_run)) return "a state upload does not change commands";
    const Command current{JsonView(stored->doc)};
    const auto status = command_status_from_text(JsonObject(uploaded).text_of("status"));
    if (current.claimed_by != principal.key_id) return "this key has not claimed the command";
    if (!status || !is_terminal(*status)) return "a state upload can only finish a command";
    auto step = commands.patch(writer, id, uploaded, principal);
    if (!step) {
      const ErrorCode code = step.error().code;
      if (code == ErrorCode::invalid_argument || code == ErrorCode::not_found) return step.error().text;
      return std::unexpected(step.error());
    }
    if (step->kind == Step::Kind::refused) return step->reason;
    return std::nullopt;
  }
  if (stored) return "the command was removed";
  if (!principal.scopes.has(Scope::commands_submit)) return "the key needs the scope commands:submit";
  if (JsonObject(uploaded).text_of("status") != "pending") return "a new command must be pending";
  auto doc = make_command(uploaded, principal, writer.now().millis());
  if (!doc) return doc.error().text;
  CHECK_OK(commands.add(writer, id, *std::move(doc)));
  return std::nullopt;
}

}  // namespace

Result<> StateMerge::prepare(Snapshot& snapshot) {
  prepared_at_ = snapshot.info().head;
  read_.clear();
  conversations_.clear();
  documents_.clear();
  commands_.clear();
  ignored_ = state_.ignored;
  const bool may_write = principal_.scopes.has(Scope::write);
  for (const auto& [id, messages] : state_.conversations) {
    if (may_write) {
      read_[kConversations].insert(id);
      read_[kMessages].insert(message_id_prefix(id));
      TRY(auto plan, ConversationPlan::make(snapshot, id, messages, principal_.key));
      conversations_.push_back(std::move(plan));
    } else {
      ignored_.add({kConversations, id, "the key needs the scope write"});
    }
  }
  for (const auto& [id, document] : state_.documents) {
    if (may_write) {
      read_[kDocuments].insert(id);
      TRY(const auto stored, snapshot.find_undamaged(kDocuments, id));
      if (!is_same(stored, document)) documents_.push_back({id, document});
    } else {
      ignored_.add({kDocuments, id, "the key needs the scope write"});
    }
  }
  for (const auto& [id, command] : state_.commands) {
    read_[kCommands].insert(id);
    TRY(const auto stored, snapshot.find_undamaged(kCommands, id));
    if (!is_same(stored, command)) commands_.push_back({id, command});
  }
  size_ = documents_.size() + commands_.size();
  for (const ConversationPlan& plan : conversations_) size_ += plan.size();
  written_ = 0;
  return {};
}

Reads StateMerge::reads() const {
  Reads reads;
  for (const auto& [collection, ids] : read_) {
    auto& into = collection == kMessages ? reads.prefixes : reads.records;
    for (const std::string& id : ids) into.push_back({std::string(collection), id});
  }
  return reads;
}

bool StateMerge::has_read(const RecordView& record) const {
  const auto ids = read_.find(record.collection);
  if (ids == read_.end()) return false;
  return ids->second.contains(
      std::string(record.collection == kMessages ? record.id.substr(0, kMessageIdPrefixBytes) : record.id));
}

Result<bool> StateMerge::is_current(Txn& txn) const {
  const SpaceInfo& info = txn.info();
  if (info.head == prepared_at_) return true;
  // The feed does not list deletions that were purged.
  if (info.head < prepared_at_ || info.purged_through > prepared_at_) return false;
  std::size_t looked_at = 0;
  bool current = true;
  CHECK_OK(txn.feed(prepared_at_, [&](const RecordView& record) {
    current = ++looked_at <= kChangesLookedAtMax && !has_read(record);
    return current;
  }));
  return current;
}

Result<IgnoredParts> StateMerge::apply(SpaceWriter& writer, CommandQueue& commands, std::size_t count) const {
  IgnoredParts ignored;
  // The part of [from, end) that lies in the next `size` records, counted from their beginning.
  std::size_t from = written_;
  std::size_t end = std::min(written_ + count, size_);
  const auto take = [&](std::size_t size) {
    const std::pair part{std::min(from, size), std::min(end, size)};
    from -= part.first;
    end -= part.second;
    return part;
  };
  for (const ConversationPlan& plan : conversations_) {
    const auto [first, last] = take(plan.size());
    CHECK_OK(plan.apply(writer, first, last));
  }
  const auto documents = take(documents_.size());
  for (std::size_t i = documents.first; i < documents.second; ++i) {
    CHECK_OK(merge_document(writer, documents_[i].id, documents_[i].value));
  }
  const auto command_items = take(commands_.size());
  for (std::size_t i = command_items.first; i < command_items.second; ++i) {
    const Item& command = commands_[i];
    TRY(auto reason, merge_command(writer, commands, command.id, command.value, principal_));
    if (reason) ignored.add({kCommands, command.id, *std::move(reason)});
  }
  return ignored;
}

std::size_t StateMerge::next_count(std::size_t max) const {
  const std::size_t before_commands = size_ - commands_.size();
  if (size() <= max || written_ >= before_commands) return size();
  return std::min(max, before_commands - written_);
}

void StateMerge::note_written(std::size_t count, Seq head) {
  written_ += count;
  prepared_at_ = head;
}

}  // namespace syncline::kiro
