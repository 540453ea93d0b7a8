#include "api/kiro/view.hpp"

#include <algorithm>

#include "api/kiro/approval.hpp"
#include "base/bytes.hpp"
#include "base/json_object.hpp"

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

Result<> check_message(const Op& op) {
  const auto refuse = [] {
    return fail(ErrorCode::invalid_document,
                "a message must be {\"conversation\", \"n\", \"message\"} under its own id");
  };
  const auto message = parse_message_doc(op.doc);
  if (!message || op.id != make_message_id(message->conversation, message->n)) return refuse();
  const JsonView json(message->message);
  const auto timestamp = json.find("timestamp");
  if (!timestamp || !timestamp->as_number()) return refuse();
  return {};
}

Result<> check_conversation(const Op& op) {
  const auto n = JsonView(op.doc).find("n");
  if (!n || !n->as_integer()) return fail(ErrorCode::invalid_document, "a conversation must be {\"n\": integer}");
  return {};
}

}  // namespace

std::string message_id_prefix(std::string_view conversation) {
  return to_base64url(as_text(sha256(conversation)).substr(0, 9)) + '-';
}

std::string make_message_id(std::string_view conversation, std::int64_t n) {
  std::string digits = std::to_string(n);
  digits.insert(0, 16 - std::min<std::size_t>(16, digits.size()), '0');  // ids sort by arrival
  return message_id_prefix(conversation) + digits;
}

std::string make_message_doc(std::string_view conversation, std::int64_t n, std::string_view message) {
  std::string doc;
  JsonWriter(doc)
      .begin_object()
      .string("conversation", conversation)
      .integer("n", n)
      .raw("message", message)
      .end_object();
  return doc;
}

std::optional<StoredMessage> parse_message_doc(std::string_view doc) {
  const JsonView json(doc);
  const auto conversation = json.find("conversation");
  const auto n = json.find("n");
  const auto message = json.find("message");
  if (!conversation || !n || !message || !message->is_object()) return std::nullopt;
  const auto id = conversation->as_string();
  const auto number = n->as_integer();
  if (!id || !number || !check_record_id(*id)) return std::nullopt;
  return StoredMessage{*id, *number, std::string(message->raw())};
}

SpaceRules make_space_rules() {
  SpaceRules rules;
  rules.options.stamp_step_micros = 1000;  // lastUpdate counts milliseconds and must rise with every change
  rules.collections[std::string(kMessages)].check = check_message;
  rules.collections[std::string(kConversations)].check = check_conversation;
  rules.collections[std::string(kCommands)].face_only = true;
  rules.collections[std::string(kApprovals)].face_only = true;
  // The published API bounds the body, not what is in it.
  for (const std::string_view name : {kMessages, kDocuments}) {
    rules.collections[std::string(name)].document_bytes_max = limits::kBodyBytesLarge;
  }
  return rules;
}

Result<> View::catch_up(Snapshot& snapshot) {
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

void View::take(const RecordView& record) {
  if (record.collection == kMessages) {
    take_message(record);
  } else if (record.collection == kConversations) {
    take_conversation(record);
  } else if (record.collection == kDocuments) {
    take_item(documents_, record);
  } else if (record.collection == kCommands) {
    take_command(record);
  }
}

void View::take_conversation(const RecordView& record) {
  Conversation& conversation = conversations_[std::string(record.id)];
  conversation.seq = record.seq;
  conversation.changed_ms = record.committed_at.millis();
  conversation.deleted = record.deleted;
  if (record.deleted) return;
  const auto n = JsonView(record.doc).find("n");
  conversation.n = n ? n->as_integer().value_or(0) : 0;
}

void View::take_message(const RecordView& record) {
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
  const auto timestamp = JsonView(stored->message).find("timestamp");
  const std::pair<double, std::int64_t> place{timestamp ? timestamp->as_number().value_or(0) : 0, stored->n};
  bytes_ += stored->message.size();
  conversations_[stored->conversation].messages[place] = {std::move(stored->message), record.seq,
                                                          record.committed_at.millis(), false};
  message_places_[id] = {std::move(stored->conversation), place};
}

void View::take_item(std::map<std::string, Item>& items, const RecordView& record) {
  Item& item = items[std::string(record.id)];
  bytes_ += record.doc.size();
  bytes_ -= item.json.size();
  item = {std::string(record.doc), record.seq, record.committed_at.millis(), record.deleted};
}

void View::take_command(const RecordView& record) {
  take_item(commands_, record);
  const std::string id(record.id);
  if (const auto known = pending_by_id_.find(id); known != pending_by_id_.end()) {
    pending_.erase(known->second);
    pending_by_id_.erase(known);
  }
  command_status_.erase(id);
  held_.erase(id);
  if (record.deleted) return;
  const JsonObject command{JsonView(record.doc)};
  const auto status = command_status_from_text(command.text_of("status"));
  if (!status) return;
  command_status_[id] = *status;
  if (is_held(command)) held_.insert(id);
  if (*status != CommandStatus::pending || held_.contains(id)) return;
  Pending pending{command.integer_of("priority").value_or(0), command.integer_of("createdAt").value_or(0), id};
  pending_.insert(pending);
  pending_by_id_[id] = std::move(pending);
}

std::vector<std::string> View::commands_in(CommandStatus wanted) const {
  std::vector<std::string> ids;
  for (const auto& [id, status] : command_status_) {
    if (status == wanted) ids.push_back(id);
  }
  return ids;
}

bool View::has_changed(const Since& since) const { return is_after(since, seq_, last_update_ms_); }

void View::append_conversations(std::string& out, const Since& since) const {
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

std::shared_ptr<const std::string> View::full(Audience audience) {
  auto& rendered = audience == Audience::agents && !held_.empty() ? rendered_for_agents_ : rendered_;
  if (rendered) return rendered;
  auto out = std::make_shared<std::string>();
  out->reserve(bytes_ + bytes_ / 8 + 128);
  append_state(*out, {}, audience);
  *out += "},\"lastUpdate\":" + std::to_string(last_update_ms_) + '}';
  rendered = std::move(out);
  return rendered;
}

void View::append_state(std::string& out, const Since& since, Audience audience) const {
  static const std::set<std::string> kNone;
  out += "{\"conversations\":{";
  append_conversations(out, since);
  out += "},\"documents\":{";
  append_live(out, documents_, since, kNone);
  out += "},\"commands\":{";
  append_live(out, commands_, since, audience == Audience::agents ? held_ : kNone);
}

std::string View::delta(const Since& since, Audience audience) const {
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
