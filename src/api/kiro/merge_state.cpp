#include "api/kiro/merge_state.hpp"

#include <algorithm>

namespace syncline::kiro {
namespace {

/// So many earlier versions of a message are compared to recognise an old copy of it.
constexpr std::size_t kOldCopiesLookback = 64;
constexpr std::size_t kLookbackBytes = 1UL << 20U;
/// Milliseconds between the years 1 and 9999: what a stamp can hold.
constexpr double kMillisMax = 253'402'300'799'999.0;

std::unexpected<Error> refuse(std::string where, std::string_view what) {
  return fail(ErrorCode::invalid_argument, "field '" + std::move(where) + "' " + std::string(what));
}

Result<> check_timestamp(JsonView object, const std::string& where) {
  const auto timestamp = object.find("timestamp");
  if (!timestamp) return refuse(where + ".timestamp", "is missing");
  const auto millis = timestamp->as_number();
  if (!millis || *millis < 0 || *millis > kMillisMax) {
    return refuse(where + ".timestamp", "must be a time in Unix milliseconds");
  }
  return {};
}

Result<> check_message(JsonView message, const std::string& where) {
  if (!message.is_object()) return refuse(where, "must be an object");
  const auto role = message.find("role");
  if (!role) return refuse(where + ".role", "is missing");
  if (!role->is_string()) return refuse(where + ".role", "must be a string");
  if (!message.find("content")) return refuse(where + ".content", "is missing");
  return check_timestamp(message, where);
}

Result<> check_document(JsonView document, const std::string& where) {
  if (!document.is_object()) return refuse(where, "must be an object");
  if (!document.find("content")) return refuse(where + ".content", "is missing");
  CHECK_OK(check_timestamp(document, where));
  if (document.depth() > limits::kDocumentDepthMax) return refuse(where, "is nested too deep");
  return {};
}

/// Calls check(id, value, where) for each member of a part and returns the first fault.
template <typename Check>
Result<> check_part(JsonView state, std::string_view part, Check&& check) {
  const auto map = state.find(part);
  if (!map) return {};
  if (!map->is_object()) return refuse(std::string(part), "must be an object");
  Result<> fault;
  map->for_each_member([&](std::string_view id, JsonView value) {
    if (!fault) return;
    const std::string where = std::string(part) + '.' + std::string(id.substr(0, 80));
    if (const auto good = check_record_id(id); !good) {
      fault = refuse(where, "has a bad id: " + good.error().text);
    } else {
      fault = check(value, where);
    }
  });
  return fault;
}

Result<> check_messages(JsonView messages, const std::string& where) {
  if (!messages.is_array()) return refuse(where, "must be an array");
  Result<> fault;
  std::size_t index = 0;
  messages.for_each_element([&](JsonView message) {
    const std::string place = where + '[' + std::to_string(index++) + ']';
    if (fault) fault = check_message(message, place);
    if (fault && message.depth() >= limits::kDocumentDepthMax) fault = refuse(place, "is nested too deep");
  });
  return fault;
}

/// Members of a part; of several with one id the last counts.
std::vector<std::pair<std::string, JsonView>> members_of(JsonView state, std::string_view part) {
  std::vector<std::pair<std::string, JsonView>> members;
  std::unordered_map<std::string, std::size_t> places;
  if (const auto map = state.find(part)) {
    map->for_each_member([&](std::string_view id, JsonView value) {
      const auto [place, is_new] = places.try_emplace(std::string(id), members.size());
      if (is_new) {
        members.emplace_back(id, value);
      } else {
        members[place->second].second = value;
      }
    });
  }
  return members;
}

std::string canonical_member(JsonView object, std::string_view name) {
  const auto value = object.find(name);
  return value ? canonical_json(*value) : "";
}

/// What two spellings of one message share: its place (time and role), and with the content also its text.
struct MessageKey {
  explicit MessageKey(JsonView message)
      : place(std::to_string(timestamp_of(message)) + canonical_member(message, "role")),
        place_and_content(place + canonical_member(message, "content")) {}
  std::string place;
  std::string place_and_content;
};

/// A stored message, or one that was deleted alone.
struct Known {
  Record record;
  std::string message;
  bool matched = false;
};

/// So many messages at one place are compared; more have never been meant.
constexpr std::size_t kAtOnePlaceMax = 32;

/// Merges the messages of one conversation.
class ConversationMerge {
 public:
  ConversationMerge(SpaceWriter& writer, std::string id) : writer_(writer), id_(std::move(id)) {}

  Result<> run(JsonView uploaded) {
    TRY(const auto record, writer_.txn().find(kConversations, id_));
    std::optional<Timestamp> deleted_at;
    std::int64_t n = 0;
    if (record && record->deleted) {
      deleted_at = record->updated_at;
    } else if (record) {
      const JsonObject conversation{JsonView(record->doc)};
      n = conversation.integer_of("n").value_or(0);
      if (const auto ms = conversation.integer_of("deletedAt")) deleted_at = Timestamp::from_millis(*ms);
    }
    std::vector<JsonView> messages;
    uploaded.for_each_element([&](JsonView message) {
      // An old client does not know of the deletion: only what was written after it counts.
      if (!deleted_at || stamp_of(message) > *deleted_at) messages.push_back(message);
    });
    if (!record || record->deleted) {
      if (record && messages.empty()) return {};
      n = writer_.txn().info().head.value + 1;
      JsonObject conversation;
      conversation.set_integer("n", n);
      if (deleted_at) conversation.set_integer("deletedAt", deleted_at->millis());
      TRY([[maybe_unused]] const Seq seq, writer_.replace(kConversations, id_, conversation.to_text(), Rule::first));
    }
    CHECK_OK(load(n));
    std::vector<std::pair<JsonView, MessageKey>> unmatched;
    for (const JsonView message : messages) {
      MessageKey key(message);
      if (!match_equal(message, key)) unmatched.emplace_back(message, std::move(key));
    }
    for (const auto& [message, key] : unmatched) CHECK_OK(edit_or_add(message, key));
    return {};
  }

 private:
  /// `conversation_n`: messages with a lesser number belonged to a conversation that was deleted as a whole.
  Result<> load(std::int64_t conversation_n) {
    const std::string prefix = message_id_prefix(id_);
    std::vector<Record> deleted;
    CHECK_OK(writer_.txn().scan(kMessages, prefix, [&](const RecordView& record) {
      if (!record.id.starts_with(prefix)) return false;
      if (record.deleted) {
        if (record.id > message_id_at(prefix, conversation_n)) deleted.push_back(record.to_record());
        return true;
      }
      auto stored = parse_message_doc(record.doc);
      if (stored && stored->conversation == id_) add_known(record.to_record(), std::move(stored->message));
      return true;
    }));
    for (Record& record : deleted) {
      TRY(const auto versions, writer_.txn().history(record, 1, kLookbackBytes));
      auto stored = versions.empty() ? std::nullopt : parse_message_doc(versions.front().doc);
      if (stored) add_known(std::move(record), std::move(stored->message));
    }
    return {};
  }

  void add_known(Record record, std::string message) {
    const MessageKey key{JsonView(message)};
    by_content_.emplace(key.place_and_content, known_.size());
    by_place_.emplace(key.place, known_.size());
    known_.push_back({std::move(record), std::move(message)});
  }

  [[nodiscard]] bool is_own(const Known& known) const { return known.record.origin == writer_.author().key; }

  /// Equals are counted: each stored message stands for one uploaded one.
  bool match_equal(JsonView message, const MessageKey& key) {
    const auto [begin, end] = by_content_.equal_range(key.place_and_content);
    for (auto at = begin; at != end; ++at) {
      Known& known = known_[at->second];
      if (is_own(known) && !known.record.deleted && !same_json(JsonView(known.message), message)) continue;
      known.matched = true;
      by_content_.erase(at);
      return true;
    }
    return false;
  }

  Result<> edit_or_add(JsonView message, const MessageKey& key) {
    std::size_t looked_at = 0;
    Known* own = nullptr;
    const auto [begin, end] = by_place_.equal_range(key.place);
    for (auto at = begin; at != end && looked_at < kAtOnePlaceMax; ++at, ++looked_at) {
      Known& known = known_[at->second];
      TRY(const bool old_copy, is_old_copy(known.record, message));
      if (old_copy) return {};
      if (own == nullptr && !known.matched && !known.record.deleted && is_own(known)) own = &known;
    }
    if (own != nullptr) {
      own->matched = true;
      const auto stored = parse_message_doc(own->record.doc);
      return put(own->record.id, stored->n, message, own->record.seq);
    }
    const std::int64_t n = writer_.txn().info().head.value + 1;
    return put(message_id_at(message_id_prefix(id_), n), n, message, std::nullopt);
  }

  /// What the author has since edited: a copy of it that somebody still holds adds nothing.
  Result<bool> is_old_copy(const Record& record, JsonView message) {
    TRY(const auto versions, writer_.txn().history(record, kOldCopiesLookback, kLookbackBytes));
    return std::ranges::any_of(versions, [&](const Record& version) {
      const auto stored = version.deleted ? std::nullopt : parse_message_doc(version.doc);
      return stored && same_json(JsonView(stored->message), message);
    });
  }

  Result<> put(const std::string& id, std::int64_t n, JsonView message, std::optional<Seq> base) {
    const std::string doc = make_message_doc(id_, n, message.raw());
    TRY(const OpResult result, writer_.apply({.collection = kMessages, .id = id, .base = base, .doc = doc}));
    if (result.error) return std::unexpected(*result.error);
    return {};
  }

  SpaceWriter& writer_;
  const std::string id_;
  std::vector<Known> known_;
  std::unordered_multimap<std::string, std::size_t> by_content_;
  std::unordered_multimap<std::string, std::size_t> by_place_;
};

Result<> merge_document(SpaceWriter& writer, const std::string& id, JsonView document) {
  TRY(const auto stored, writer.txn().find(kDocuments, id));
  // A document that was only spelled anew on its way through a client is the same document.
  if (stored && !stored->deleted && same_json(JsonView(stored->doc), document)) return {};
  TRY(const OpResult result,
      writer.apply({.collection = kDocuments, .id = id, .updated_at = stamp_of(document), .doc = document.raw()}));
  if (result.error) return std::unexpected(*result.error);
  return {};
}

/// Nothing, or the reason why the command was left out.
Result<std::optional<std::string>> merge_command(SpaceWriter& writer, CommandQueue& commands, const std::string& id,
                                                 JsonView uploaded, const Principal& principal) {
  TRY(const auto stored, writer.txn().find(kCommands, id));
  if (stored && !stored->deleted) {
    if (same_json(JsonView(stored->doc), uploaded)) return std::nullopt;
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

Result<> check_state(JsonView state) {
  if (const auto last_update = state.find("lastUpdate"); last_update && !last_update->as_number()) {
    return refuse("lastUpdate", "must be a number");
  }
  CHECK_OK(check_part(state, "conversations", check_messages));
  CHECK_OK(check_part(state, "documents", check_document));
  return check_part(state, "commands", [](JsonView command, const std::string& where) -> Result<> {
    if (!command.is_object()) return refuse(where, "must be an object");
    return {};
  });
}

Result<std::vector<Ignored>> merge_state(SpaceWriter& writer, CommandQueue& commands, JsonView state,
                                         const Principal& principal) {
  std::vector<Ignored> ignored;
  const bool may_write = principal.scopes.has(Scope::write);
  for (const auto& [id, messages] : members_of(state, "conversations")) {
    if (may_write) {
      CHECK_OK(ConversationMerge(writer, id).run(messages));
    } else {
      ignored.push_back({"conversations", id, "the key needs the scope write"});
    }
  }
  for (const auto& [id, document] : members_of(state, "documents")) {
    if (may_write) {
      CHECK_OK(merge_document(writer, id, document));
    } else {
      ignored.push_back({"documents", id, "the key needs the scope write"});
    }
  }
  for (const auto& [id, command] : members_of(state, "commands")) {
    TRY(auto reason, merge_command(writer, commands, id, command, principal));
    if (reason) ignored.push_back({"commands", id, *std::move(reason)});
  }
  return ignored;
}

}  // namespace syncline::kiro
