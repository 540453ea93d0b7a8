#include "api/kiro/conversation_plan.hpp"

#include <algorithm>
#include <unordered_map>

#include "base/json_object.hpp"

namespace syncline::kiro {
namespace {

/// So many earlier versions of a message are compared to recognise an old copy of it.
constexpr std::size_t kOldCopiesLookback = 64;
constexpr std::size_t kLookbackBytes = 1UL << 20U;
/// So many messages at one place are compared; more have never been meant.
constexpr std::size_t kAtOnePlaceMax = 32;

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

/// The number of what is written next: it rises with every record of the space.
std::int64_t next_n(SpaceWriter& writer) { return writer.txn().info().head.value + 1; }

}  // namespace

/// The stored messages of the conversation, and which of them the uploaded ones are.
class ConversationPlan::Comparison {
 public:
  Comparison(Snapshot& snapshot, const std::string& id, KeyNumber author)
      : snapshot_(snapshot), id_(id), author_(author) {}

  /// `conversation_n`: messages with a lesser number belonged to a conversation that was deleted as a whole.
  Result<> load(std::int64_t conversation_n) {
    const std::string prefix = message_id_prefix(id_);
    const std::string deleted_with_it = message_id_at(prefix, conversation_n);
    std::vector<Record> deleted;
    CHECK_OK(snapshot_.scan(kMessages, prefix, [&](const RecordView& record) {
      if (!record.id.starts_with(prefix)) return false;
      if (record.deleted) {
        if (record.id > deleted_with_it) deleted.push_back(record.to_record());
        return true;
      }
      auto stored = parse_message_doc(record.doc);
      if (stored && stored->conversation == id_) add_known(record.to_record(), *std::move(stored));
      return true;
    }));
    snapshot_.expect([&] {
      Reads reads;
      for (const Record& record : deleted) reads.histories.push_back({record.collection, record.id});
      return reads;
    });
    for (Record& record : deleted) {
      TRY(const auto versions, snapshot_.history(record, 1, kLookbackBytes));
      auto stored = versions.empty() ? std::nullopt : parse_message_doc(versions.front().doc);
      if (stored) add_known(std::move(record), *std::move(stored));
    }
    return {};
  }

  /// What must be written so that all of these are there.
  Result<std::vector<Put>> compare(const std::vector<JsonView>& uploaded) {
    std::vector<std::pair<JsonView, MessageKey>> unmatched;
    for (const JsonView message : uploaded) {
      MessageKey key(message);
      if (!match_equal(message, key)) unmatched.emplace_back(message, std::move(key));
    }
    std::vector<Put> puts;
    for (const auto& [message, key] : unmatched) {
      TRY(auto put, edit_or_add(message, key));
      if (put) puts.push_back(*std::move(put));
    }
    return puts;
  }

 private:
  /// A stored message, or one that was deleted alone.
  struct Known {
    Record record;
    StoredMessage stored;
    bool matched = false;
  };

  void add_known(Record record, StoredMessage stored) {
    const MessageKey key{JsonView(stored.message)};
    by_content_.emplace(key.place_and_content, known_.size());
    by_place_.emplace(key.place, known_.size());
    record.doc.clear();  // `stored` has what is needed of it
    known_.push_back({std::move(record), std::move(stored)});
  }

  [[nodiscard]] bool is_own(const Known& known) const { return known.record.origin == author_; }

  /// Equals are counted: each stored message stands for one uploaded one.
  bool match_equal(JsonView message, const MessageKey& key) {
    const auto [begin, end] = by_content_.equal_range(key.place_and_content);
    for (auto at = begin; at != end; ++at) {
      Known& known = known_[at->second];
      if (is_own(known) && !known.record.deleted && !same_json(JsonView(known.stored.message), message)) continue;
      known.matched = true;
      by_content_.erase(at);
      return true;
    }
    return false;
  }

  Result<std::optional<Put>> edit_or_add(JsonView message, const MessageKey& key) {
    std::size_t looked_at = 0;
    Known* own = nullptr;
    const auto [begin, end] = by_place_.equal_range(key.place);
    for (auto at = begin; at != end && looked_at < kAtOnePlaceMax; ++at, ++looked_at) {
      Known& known = known_[at->second];
      TRY(const bool old_copy, is_old_copy(known.record, message));
      if (old_copy) return std::nullopt;
      if (own == nullptr && !known.matched && !known.record.deleted && is_own(known)) own = &known;
    }
    if (own == nullptr) return Put{message, std::nullopt};
    own->matched = true;
    return Put{message, Put::Edited{own->record.id, own->stored.n, own->record.seq}};
  }

  /// What the author has since edited: a copy of it that somebody still holds adds nothing.
  Result<bool> is_old_copy(const Record& record, JsonView message) {
    snapshot_.expect([&] { return Reads{.histories = {RecordKey{record.collection, record.id}}}; });
    TRY(const auto versions, snapshot_.history(record, kOldCopiesLookback, kLookbackBytes));
    return std::ranges::any_of(versions, [&](const Record& version) {
      const auto stored = version.deleted ? std::nullopt : parse_message_doc(version.doc);
      return stored && same_json(JsonView(stored->message), message);
    });
  }

  Snapshot& snapshot_;
  const std::string& id_;
  const KeyNumber author_;
  std::vector<Known> known_;
  std::unordered_multimap<std::string, std::size_t> by_content_;
  std::unordered_multimap<std::string, std::size_t> by_place_;
};

Result<ConversationPlan> ConversationPlan::make(Snapshot& snapshot, std::string id,
                                                const std::vector<JsonView>& uploaded, KeyNumber author) {
  ConversationPlan plan;
  plan.id_ = std::move(id);
  TRY(const auto record, snapshot.find_undamaged(kConversations, plan.id_));
  std::optional<Timestamp> deleted_at;
  std::int64_t n = snapshot.info().head.value + 1;
  if (record && record->deleted) {
    deleted_at = record->updated_at;
  } else if (record) {
    const JsonObject conversation{JsonView(record->doc)};
    n = conversation.integer_of("n").value_or(0);
    if (const auto ms = conversation.integer_of("deletedAt")) deleted_at = Timestamp::from_millis(*ms);
  }
  std::vector<JsonView> messages;
  std::ranges::copy_if(uploaded, std::back_inserter(messages), [&](JsonView message) {
    // An old client does not know of the deletion: only what was written after it counts.
    return !deleted_at || stamp_of(message) > *deleted_at;
  });
  if (!record || record->deleted) {
    if (record && messages.empty()) return plan;
    plan.beginning_ = Beginning{deleted_at};
  }
  Comparison comparison(snapshot, plan.id_, author);
  CHECK_OK(comparison.load(n));
  TRY(plan.puts_, comparison.compare(messages));
  return plan;
}

Result<> ConversationPlan::apply(SpaceWriter& writer, std::size_t from, std::size_t end) const {
  const std::size_t before_puts = beginning_ ? 1 : 0;
  for (std::size_t i = from; i < end; ++i) {
    CHECK_OK(i < before_puts ? begin_conversation(writer) : apply_put(writer, puts_.at(i - before_puts)));
  }
  return {};
}

Result<> ConversationPlan::begin_conversation(SpaceWriter& writer) const {
  JsonObject conversation;
  conversation.set_integer("n", next_n(writer));
  if (beginning_->deleted_at) conversation.set_integer("deletedAt", beginning_->deleted_at->millis());
  TRY([[maybe_unused]] const Seq seq, writer.replace(kConversations, id_, conversation.to_text(), Rule::first));
  return {};
}

Result<> ConversationPlan::apply_put(SpaceWriter& writer, const Put& put) const {
  const std::int64_t n = put.edited ? put.edited->n : next_n(writer);
  const std::string id = put.edited ? put.edited->id : message_id_at(message_id_prefix(id_), n);
  const std::optional<Seq> base = put.edited ? std::optional(put.edited->seq) : std::nullopt;
  const std::string doc = make_message_doc(id_, n, put.message.raw());
  TRY(const OpResult result, writer.apply({.collection = kMessages, .id = id, .base = base, .doc = doc}));
  if (result.error) return std::unexpected(*result.error);
  return {};
}

}  // namespace syncline::kiro
