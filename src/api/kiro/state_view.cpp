#include "api/kiro/state_view.hpp"

#include <algorithm>

namespace syncline::kiro {
namespace {

bool is_after(const Since& since, Seq seq, std::int64_t changed_ms) {
  switch (since.by) {
    case Since::By::nothing: return true;
    case Since::By::last_update: return changed_ms > since.last_update_ms;
    case Since::By::seq: return seq > since.seq;
  }
  return true;
}

}  // namespace

Result<> StateView::catch_up(Snapshot& snapshot) {
  const SpaceInfo& info = snapshot.info();
  if (info.head == seq_) return {};
  CHECK_OK(snapshot.feed(seq_, [&](const RecordView& record) {
    take(record);
    return true;
  }));
  seq_ = info.head;
  last_update_ms_ = info.updated_at.millis();
  rendered_.reset();
  rendered_for_agents_.reset();
  return {};
}

void StateView::take(const RecordView& record) {
  if (record.collection == kMessages) {
    take_message(record);
  } else if (record.collection == kConversations) {
    take_conversation(record);
  } else if (record.collection == kDocuments) {
    take_item(documents_, record);
  } else if (record.collection == kCommands) {
    take_item(commands_, record);
    command_index_.take(record);
  }
}

void StateView::take_conversation(const RecordView& record) {
  Conversation& conversation = conversations_[std::string(record.id)];
  conversation.seq = record.seq;
  conversation.changed_ms = record.committed_at.millis();
  conversation.deleted = record.deleted;
  if (record.deleted) return;
  const auto n = JsonView(record.doc).find("n");
  conversation.n = n ? n->as_integer().value_or(0) : 0;
}

void StateView::take_message(const RecordView& record) {
  const std::string id(record.id);
  if (const auto placed = message_places_.find(id); placed != message_places_.end()) {
    auto& messages = conversations_[placed->second.first].messages;
    bytes_ -= messages[placed->second.second].json.size();
    messages.erase(placed->second.second);
    message_places_.erase(placed);
  }
  if (record.deleted) return;
  auto stored = parse_message_doc(record.doc);
  if (!stored) return;
  const std::pair<double, std::int64_t> place{timestamp_of(JsonView(stored->message)), stored->n};
  bytes_ += stored->message.size();
  conversations_[stored->conversation].messages[place] = {std::move(stored->message), record.seq,
                                                          record.committed_at.millis(), false};
  message_places_[id] = {std::move(stored->conversation), place};
}

void StateView::take_item(std::map<std::string, Item>& items, const RecordView& record) {
  Item& item = items[std::string(record.id)];
  bytes_ += record.doc.size();
  bytes_ -= item.json.size();
  item = {std::string(record.doc), record.seq, record.committed_at.millis(), record.deleted};
}

bool StateView::has_changed(const Since& since) const { return is_after(since, seq_, last_update_ms_); }

void StateView::append_conversations(std::string& out, const Since& since) const {
  std::vector<std::pair<std::int64_t, const std::pair<const std::string, Conversation>*>> ordered;
  for (const auto& entry : conversations_) {
    if (!entry.second.deleted) ordered.emplace_back(entry.second.n, &entry);
  }
  std::ranges::sort(ordered);
  bool first = true;
  for (const auto& [n, entry] : ordered) {
    const auto& [id, conversation] = *entry;
    std::string messages;
    for (const auto& [place, message] : conversation.messages) {
      if (!is_after(since, message.seq, message.changed_ms)) continue;
      if (!messages.empty()) messages += ',';
      messages += message.json;
    }
    if (messages.empty() && !is_after(since, conversation.seq, conversation.changed_ms)) continue;
    if (!std::exchange(first, false)) out += ',';
    append_json_string(out, id);
    out.append(":[").append(messages).append("]");
  }
}

namespace {

template <typename Items>
void append_live(std::string& out, const Items& items, const Since& since, const std::set<std::string>& hidden) {
  bool first = true;
  for (const auto& [id, item] : items) {
    if (item.deleted || !is_after(since, item.seq, item.changed_ms) || hidden.contains(id)) continue;
    if (!std::exchange(first, false)) out += ',';
    append_json_string(out, id);
    out.append(":").append(item.json);
  }
}

template <typename Items>
void append_deleted(std::string& out, std::string_view name, const Items& items, const Since& since) {
  append_json_string(out, name);
  out += ":[";
  for (const auto& [id, item] : items) {
    if (!item.deleted || item.seq.value == 0 || !is_after(since, item.seq, item.changed_ms)) continue;
    if (out.back() != '[') out += ',';
    append_json_string(out, id);
  }
  out += ']';
}

}  // namespace

std::shared_ptr<const std::string> StateView::full(Audience audience) {
  auto& rendered = audience == Audience::agents && !command_index_.held().empty() ? rendered_for_agents_ : rendered_;
  if (rendered) return rendered;
  auto out = std::make_shared<std::string>();
  out->reserve(bytes_ + bytes_ / 8 + 128);
  append_state(*out, {}, audience);
  *out += "},\"lastUpdate\":" + std::to_string(last_update_ms_) + '}';
  rendered = std::move(out);
  return rendered;
}

void StateView::append_state(std::string& out, const Since& since, Audience audience) const {
  static const std::set<std::string> kNone;
  out += "{\"conversations\":{";
  append_conversations(out, since);
  out += "},\"documents\":{";
  append_live(out, documents_, since, kNone);
  out += "},\"commands\":{";
  append_live(out, commands_, since, audience == Audience::agents ? command_index_.held() : kNone);
}

std::string StateView::delta(const Since& since, Audience audience) const {
  std::string out;
  append_state(out, since, audience);
  out += "},\"deleted\":{";
  append_deleted(out, "conversations", conversations_, since);
  out += ',';
  append_deleted(out, "documents", documents_, since);
  out += ',';
  append_deleted(out, "commands", commands_, since);
  out += "},\"lastUpdate\":" + std::to_string(last_update_ms_) + '}';
  return out;
}

}  // namespace syncline::kiro
