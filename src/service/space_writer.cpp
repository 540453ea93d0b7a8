#include "service/space_writer.hpp"

#include "base/json.hpp"
#include "service/lost_versions.hpp"

namespace syncline {
namespace {

/// So many earlier versions are compared to find out whether a stale op is only an old one sent again.
constexpr std::size_t kRepeatLookback = 64;

/// Clients take only what is shown as newer than their copy. A stamp ahead of time must not count as a claim when it
/// comes back.
void show_later(Record& record, const Record& stored) {
  record.updated_at = std::max(record.updated_at, stored.updated_at.plus_micros(1));
  if (record.updated_at > record.effective_at) record.claimed_at = std::max(record.claimed_at, record.updated_at);
}

/// The stored version stands, as it does against a repeated claim that is still too far ahead.
Decision refuse_claim(const Record& stored, const Decision& won) {
  return {.kind = Decision::Kind::stale,
          .rule = Rule::clock_guard,
          .keep = Decision::Keep::incoming,
          .updated_at = stored.updated_at,
          .effective_at = stored.effective_at,
          .claimed_at = std::max(stored.claimed_at, won.claimed_at),
          .clock_lowered = false,
          .merged_doc = {}};
}

OpResult refused(Error error) {
  OpResult result;
  result.error = std::move(error);
  return result;
}

/// Of a collection that only its own API writes: what stands may be sent again, as by an import of what was exported.
OpResult repeat_of(const Op& op, const Record* stored) {
  if (stored == nullptr || stored->deleted != op.deleted || (!op.deleted && stored->doc != op.doc)) {
    return refused({ErrorCode::forbidden,
                    "collection '" + std::string(op.collection) + "' accepts writes only through its own API"});
  }
  OpResult result;
  result.status = OpStatus::noop;
  result.seq = stored->seq;
  result.updated_at = stored->updated_at;
  return result;
}

}  // namespace

const CollectionRules& SpaceRules::of(std::string_view collection) const {
  static const CollectionRules kGeneric;
  const auto found = collections.find(collection);
  return found == collections.end() ? kGeneric : found->second;
}

std::string_view to_text(OpStatus status) {
  switch (status) {
    case OpStatus::applied: return "applied";
    case OpStatus::noop: return "noop";
    case OpStatus::stale: return "stale";
    case OpStatus::merged: return "merged";
    case OpStatus::refused: return "refused";
  }
  return "refused";
}

Result<> SpaceWriter::check(const Op& op) const {
  CHECK_OK(check_collection_name(op.collection));
  CHECK_OK(check_record_id(op.id));
  const bool is_from_client = source_ == Source::author;
  if (op.updated_at && is_from_client && !is_client_time(*op.updated_at)) {
    return fail(ErrorCode::invalid_argument, "updated_at must be " + std::string(kClientYears));
  }
  if (op.updated_at && (*op.updated_at < kTimestampMin || *op.updated_at > kStampMax)) {
    return fail(ErrorCode::invalid_argument, "updated_at must be between the years 1 and 9998");
  }
  const CollectionRules& rules = rules_.of(op.collection);
  if (!txn_.has_room_for_collection(op.collection)) {
    return fail(ErrorCode::invalid_argument,
                "a space can have at most " + std::to_string(limits::kCollectionsMax) + " collections");
  }
  if (op.deleted) return {};
  if (op.doc.size() > rules.document_bytes_max) {
    return fail(ErrorCode::too_large,
                "a document can have at most " + std::to_string(rules.document_bytes_max) + " bytes");
  }
  if (rules.check) CHECK_OK(rules.check(op));
  return {};
}

void SpaceWriter::note_stamp(Timestamp stamp) {
  if (stamp == now_) return;  // it is ours
  auto& latest = source_ == Source::author ? latest_of_clients_ : latest_of_stores_;
  latest = std::max(latest.value_or(stamp), stamp);
}

Result<OpResult> SpaceWriter::apply(const Op& requested, Caller caller) {
  if (requested.updated_at) note_stamp(*requested.updated_at);
  if (auto checked = check(requested); !checked) return refused(checked.error());
  TRY(const auto stored, find(requested.collection, requested.id));
  const Record* current = stored && stored->rule != Rule::wiped ? &*stored : nullptr;
  if (requested.base && (current == nullptr || *requested.base > current->seq) && *requested.base > txn_.info().head) {
    return refused({ErrorCode::invalid_argument, "base is past the newest change of the space"});
  }
  const CollectionRules& rules = rules_.of(requested.collection);
  if (rules.face_only && caller == Caller::generic) return repeat_of(requested, current);
  const bool is_edit = caller == Caller::generic && source_ == Source::author && !requested.deleted;
  if (is_edit && rules.check_generic) {
    if (auto fine = rules.check_generic(requested, current); !fine) return refused(fine.error());
  }
  Op op = requested;
  std::string shaped;
  if (rules.shape) {
    auto made = rules.shape(requested, current, now_);
    if (!made) return refused(made.error());
    shaped = *std::move(made);
    op.doc = shaped;
  }
  const bool may_be_put_again = rules.stale_author == CollectionRules::StaleAuthor::pulls_again;
  if (may_be_put_again && current != nullptr && op.base && *op.base < current->seq) {
    TRY(const bool still, is_unchanged_since(*current, *op.base));
    if (still) op.base = current->seq;
  }
  Decision decision = merge(current, op, rules.merge, author_, {now_, latest_});
  if (current != nullptr && decision.kind == Decision::Kind::update && decision.rule == Rule::later_stamp) {
    TRY(const bool repeats_claim, is_repeated_claim(*current, op));
    if (repeats_claim) decision = refuse_claim(*current, decision);
  }
  base_ = requested.base;
  auto stored_op = store(op, stored ? &*stored : nullptr, std::move(decision));
  base_.reset();
  TRY(OpResult result, std::move(stored_op));
  const bool is_of_older = requested.base && current != nullptr && *requested.base < current->seq;
  if (is_of_older) CHECK_OK(lost_versions::settle(txn_, op.collection, op.id, *requested.base));
  const bool other_text = !op.deleted && op.doc != requested.doc;
  const bool took_it = result.status == OpStatus::applied || result.status == OpStatus::noop;
  if (caller == Caller::generic && other_text && took_it) {
    if (result.status == OpStatus::applied) result.status = OpStatus::merged;
    TRY(result.record, txn_.find(op.collection, op.id));
  }
  return result;
}

Result<OpResult> SpaceWriter::store(const Op& op, const Record* stored, Decision decision) {
  OpResult result;
  result.incoming_won = decision.keep != Decision::Keep::incoming;
  if (decision.clock_lowered && is_too_far_ahead(*op.updated_at, latest_)) {
    result.sent = op.updated_at;
    result.used = decision.takes_seq() ? decision.effective_at : now_;
  }
  if (decision.takes_seq()) {
    if (decision.keep != Decision::Keep::nothing) {
      TRY(const auto kept, keep_loser(op, *stored, decision));
      result.conflict = kept.number;
    }
    Record record;
    record.collection = op.collection;
    record.id = op.id;
    record.updated_at = decision.updated_at;
    record.effective_at = decision.effective_at;
    record.claimed_at = decision.claimed_at;
    const bool merged = decision.kind == Decision::Kind::merged;
    record.origin = merged ? author_of_results() : author_.key;
    record.rule = merged ? Rule::field_union : decision.rule;
    record.deleted = op.deleted;
    record.doc = merged ? std::move(decision.merged_doc) : std::string(op.doc);
    result.status = merged ? OpStatus::merged : OpStatus::applied;
    result.created = decision.kind == Decision::Kind::insert;
    result.doc_bytes = record.doc.size();
    result.updated_at = record.updated_at;
    if (merged) result.record = record;
    TRY(result.seq, put(std::move(record), stored));
    if (merged) {
      result.record->seq = result.seq;
      result.record->committed_at = txn_.stamp();
    }
    return result;
  }

  result.seq = stored->seq;
  result.updated_at = stored->updated_at;
  const bool adds_nothing = decision.kind == Decision::Kind::noop || decision.keep == Decision::Keep::nothing;
  result.status = adds_nothing ? OpStatus::noop : OpStatus::stale;
  if (stored->deleted != op.deleted || stored->doc != op.doc) result.record = *stored;
  if (!adds_nothing) {
    txn_.expect([&] {
      return Reads{.histories = {RecordKey{stored->collection, stored->id}},
                   .fingerprints = {version_fingerprint(loser_of(op, *stored, decision))}};
    });
    TRY(const bool repeat, is_repeat(*stored, op));
    if (!repeat) {
      TRY(const auto kept, keep_loser(op, *stored, decision));
      result.conflict = kept.number;
      result.lost = kept.is_new;
    }
  }
  if (decision.effective_at != stored->effective_at || decision.claimed_at != stored->claimed_at) {
    txn_.set_hidden_stamps(*stored, decision.effective_at, decision.claimed_at);
  }
  if (result.status == OpStatus::stale) CHECK_OK(deliver_winner(op, decision));
  return result;
}

Result<> SpaceWriter::deliver_winner(const Op& op, const Decision& decision) {
  const CollectionRules& rules = rules_.of(op.collection);
  // Whoever delivers a version here is told of the winner by a push.
  if (source_ == Source::delivered || rules.stale_author == CollectionRules::StaleAuthor::reads_the_answer) return {};
  TRY(const auto winner, txn_.find(op.collection, op.id));
  if (author_.may_have_seen_through < winner->seq) return {};
  Record again = *winner;
  if (again.updated_at <= op.updated_at) {
    // Of equal stamps the stored one stays and so does the author's: sending it again would not move that.
    if (decision.rule == Rule::stored_stays) return {};
    again.updated_at = again.claimed_at = op.updated_at->plus_micros(1);
  }
  put_again(std::move(again), *winner);
  return {};
}

Result<> SpaceWriter::deliver_again(const Record& stored) {
  Record again = stored;
  again.updated_at = std::max(now_, stored.updated_at.plus_micros(1));
  again.effective_at = std::max(again.effective_at, std::min(again.updated_at, now_));
  if (again.updated_at > now_) again.claimed_at = std::max(again.claimed_at, again.updated_at);
  put_again(std::move(again), stored);
  return {};
}

Result<> SpaceWriter::keep_version(const Record& version, Rule rule) {
  TRY([[maybe_unused]] const auto kept,
      keep({.number = {}, .rule = rule, .state = ConflictState::open, .at = txn_.stamp(), .loser = version}));
  return {};
}

Result<Txn::KeptConflict> SpaceWriter::keep(Conflict conflict) {
  txn_.expect([&] { return Reads{.fingerprints = {version_fingerprint(conflict.loser)}}; });
  TRY(const auto kept, txn_.add_conflict(conflict));
  if (!kept.is_new || !wants(kConflictDetected)) return kept;
  emit(kConflictDetected, [&](JsonWriter& data) {
    data.string("collection", conflict.loser.collection)
        .string("record_id", conflict.loser.id)
        .string("conflict_id", std::to_string(kept.number.value))
        .string("rule", to_text(conflict.rule));
  });
  return kept;
}

void SpaceWriter::emit(EventType type, const std::function<void(JsonWriter& data)>& add) {
  std::string data;
  JsonWriter writer(data);
  const SpaceName& space = txn_.info().name;
  writer.begin_object().string("space", space.name);
  if (rules_.describe) rules_.describe(writer, space);
  add(writer);
  writer.end_object();
  txn_.add_event(std::string(type.name()), std::move(data));
  has_emitted_ = true;
}

void SpaceWriter::emit_change_event(const Record& after) {
  emit(kRecordChanged, [&](JsonWriter& data) {
    data.string("collection", after.collection)
        .string("record_id", after.id)
        .integer("seq", after.seq.value)
        .boolean("deleted", after.deleted)
        .string("updated_at", format_time(after.updated_at));
  });
}

void SpaceWriter::put_again(Record record, const Record& stored) {
  if (!wants(kRecordChanged)) {
    txn_.put(std::move(record), &stored);
    return;
  }
  Record after = record;
  after.seq = txn_.put(std::move(record), &stored);
  emit_change_event(after);
}

Result<std::optional<Record>> SpaceWriter::find(std::string_view collection, std::string_view id) {
  TRY(Located located, txn_.locate(collection, id));
  if (located.damaged) damaged_[{std::string(collection), std::string(id)}] = *std::move(located.damaged);
  return std::move(located.record);
}

bool SpaceWriter::is_damaged(std::string_view collection, std::string_view id) const {
  return !damaged_.empty() && damaged_.contains({std::string(collection), std::string(id)});
}

Result<Seq> SpaceWriter::store_version(Record record, const Record* stored) {
  if (stored != nullptr || damaged_.empty()) return txn_.put(std::move(record), stored);
  const auto damaged = damaged_.extract({record.collection, record.id});
  if (!damaged) return txn_.put(std::move(record), stored);
  const DamagedRecord& row = damaged.mapped();
  // What another store has merged already is no news to the devices.
  const bool is_unseen = source_ != Source::adopted && base_ != row.seq;
  if (is_unseen) CHECK_OK(lost_versions::add(txn_, row));
  return txn_.heal(std::move(record), row);
}

Result<Seq> SpaceWriter::put(Record record, const Record* stored) {
  const CollectionRules& rules = rules_.of(record.collection);
  changed_[record.collection] += 1;
  const bool has_subscriber = wants(kRecordChanged);
  if (!rules.on_put && !has_subscriber) return store_version(std::move(record), stored);
  Record after = record;
  TRY(after.seq, store_version(std::move(record), stored));
  after.committed_at = txn_.stamp();
  if (has_subscriber) emit_change_event(after);
  if (rules.on_put) {
    const KeyNumber author = std::exchange(author_.key, author_of_results());
    auto done = rules.on_put(*this, stored, after);
    author_.key = author;
    CHECK_OK(std::move(done));
  }
  return after.seq;
}

Result<bool> SpaceWriter::is_unchanged_since(const Record& stored, Seq base) {
  txn_.expect([&] { return Reads{.histories = {RecordKey{stored.collection, stored.id}}}; });
  TRY(const auto versions, txn_.history(stored, kRepeatLookback, 1UL << 20U));
  for (const Record& version : versions) {
    if (version.deleted != stored.deleted || version.doc != stored.doc || version.seq < base) return false;
    if (version.seq == base) return true;
  }
  return false;
}

Result<bool> SpaceWriter::is_repeated_claim(const Record& stored, const Op& op) {
  if (*op.updated_at > stored.claimed_at) return false;
  txn_.expect([&] { return Reads{.histories = {RecordKey{stored.collection, stored.id}}}; });
  return is_among_earlier(stored, op, [&](const Record& version) { return version.claimed_at == op.updated_at; });
}

Result<bool> SpaceWriter::is_repeat(const Record& stored, const Op& op) {
  // The hub may have given the version another stamp than it was sent with; its author has not.
  return is_among_earlier(stored, op, [&](const Record& version) {
    return version.updated_at == op.updated_at || version.claimed_at == op.updated_at || version.origin == author_.key;
  });
}

Result<bool> SpaceWriter::is_among_earlier(const Record& stored, const Op& op,
                                           const std::function<bool(const Record&)>& has_its_stamp) {
  constexpr std::size_t kBytesPerOp = 1UL << 20U;
  if (lookback_bytes_left_ == 0) return false;  // then it is kept once more than needed, never once too few
  TRY(const auto versions, txn_.history(stored, kRepeatLookback, std::min(kBytesPerOp, lookback_bytes_left_)));
  bool found = false;
  for (const Record& version : versions) {
    lookback_bytes_left_ -= std::min(lookback_bytes_left_, version.doc.size());
    found = found || (version.deleted == op.deleted && version.doc == op.doc && has_its_stamp(version));
  }
  return found;
}

Record SpaceWriter::loser_of(const Op& op, const Record& stored, const Decision& decision) const {
  if (decision.keep == Decision::Keep::stored) return stored;
  Record loser;
  loser.collection = op.collection;
  loser.id = op.id;
  loser.updated_at = loser.effective_at = op.updated_at.value_or(now_);
  loser.committed_at = txn_.stamp();
  loser.origin = author_.key;
  loser.rule = decision.rule;
  loser.deleted = op.deleted;
  loser.doc = op.doc;
  return loser;
}

Result<Txn::KeptConflict> SpaceWriter::keep_loser(const Op& op, const Record& stored, const Decision& decision) {
  Conflict conflict;
  conflict.rule = decision.rule;
  conflict.at = txn_.stamp();
  conflict.loser = loser_of(op, stored, decision);
  return keep(std::move(conflict));
}

Result<Conflict> SpaceWriter::get_open_conflict(ConflictNumber number) {
  TRY(const auto conflict, txn_.find_conflict(number));
  if (!conflict) return fail(ErrorCode::not_found, "conflict " + std::to_string(number.value) + " not found");
  if (conflict->state != ConflictState::open) {
    return fail(ErrorCode::conflict,
                "conflict " + std::to_string(number.value) + " is already " + std::string(to_text(conflict->state)));
  }
  return *conflict;
}

Result<Conflict> SpaceWriter::restore(ConflictNumber number) {
  TRY(Conflict conflict, get_open_conflict(number));
  const Record& loser = conflict.loser;
  expect(loser.collection, loser.id);
  TRY(const auto stored, find(loser.collection, loser.id));
  const bool stands = stored && stored->deleted == loser.deleted && stored->doc == loser.doc;
  if (!stands) {
    Record record = loser;
    const Timestamp after = stored ? standing_stamp(*stored, now_).plus_micros(1) : now_;
    record.updated_at = record.effective_at = std::max(now_, after);
    record.claimed_at = stored ? stored->claimed_at : Timestamp{};
    record.origin = author_.key;
    record.rule = Rule::restored;
    if (stored) show_later(record, *stored);
    TRY([[maybe_unused]] const Seq seq, put(std::move(record), stored ? &*stored : nullptr));
  }
  txn_.set_conflict_state(number, ConflictState::restored);
  conflict.state = ConflictState::restored;
  return conflict;
}

Result<Conflict> SpaceWriter::dismiss(ConflictNumber number) {
  TRY(Conflict conflict, get_open_conflict(number));
  txn_.set_conflict_state(number, ConflictState::dismissed);
  conflict.state = ConflictState::dismissed;
  return conflict;
}

Result<Seq> SpaceWriter::replace(std::string_view collection, std::string_view id, std::string doc, Rule rule,
                                 std::optional<Timestamp> stamp) {
  TRY(const auto stored, find(collection, id));
  Record record;
  record.collection = collection;
  record.id = id;
  const Timestamp after = stored ? standing_stamp(*stored, now_).plus_micros(1) : now_;
  record.effective_at = std::max(stamp.value_or(now_), after);
  record.updated_at = record.effective_at;
  record.claimed_at = stored ? stored->claimed_at : Timestamp{};
  if (stored) show_later(record, *stored);
  record.origin = author_.key;
  record.rule = rule;
  record.deleted = doc.empty();
  record.doc = std::move(doc);
  return put(std::move(record), stored ? &*stored : nullptr);
}

}  // namespace syncline
