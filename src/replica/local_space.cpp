#include "replica/local_space.hpp"

#include <algorithm>

#include "base/json_object.hpp"
#include "base/log.hpp"
#include "base/text.hpp"

namespace syncline::replica {
namespace {

constexpr std::string_view kStateValue = "replica";
/// So many own versions below one that waits are compared with what the hub delivers.
constexpr std::size_t kOwnVersionsMax = 64;
constexpr std::size_t kOwnVersionsBytesMax = 4UL << 20U;

std::string key_of(std::string_view collection, std::string_view id) {
  return std::string(collection) + '/' + std::string(id);
}

std::string base_value(std::string_view collection, std::string_view id) { return "base/" + key_of(collection, id); }

bool same_content(const Record& stored, const HubVersion& version) {
  return stored.deleted == version.deleted && (version.deleted || stored.doc == version.doc);
}

/// Not by rounding.
bool is_older(const Op& delivered, const Record& stored) {
  return delivered.updated_at->plus_micros(kStampGrainMicros) <= stored.updated_at;
}

/// True if what is delivered is an earlier version of what waits here, by its stamp: a hub sends what it was sent.
Result<bool> has_been_here(Snapshot& snapshot, const Record& waiting, const Op& delivered) {
  TRY(const auto versions, snapshot.history(waiting, kOwnVersionsMax, kOwnVersionsBytesMax));
  return std::ranges::any_of(versions, [&](const Record& earlier) {
    const std::int64_t apart = earlier.updated_at.micros - delivered.updated_at->micros;
    return earlier.deleted == delivered.deleted && std::abs(apart) < kStampGrainMicros && earlier.seq < waiting.seq;
  });
}

HubVersion with_stamp(const Record& stored, Timestamp updated_at, Seq seq) {
  return {stored.collection, stored.id, seq, updated_at, stored.deleted, stored.doc};
}

/// Of what is behind `pushed`: whether it is for the hub.
bool is_to_be_offered(const RecordView& record, Seq offer_through) {
  return record.collection != kRefusedCollection && (record.origin != kHubAuthor || record.seq <= offer_through);
}

RefusedChange read_refused(std::string_view doc) {
  const JsonObject object{JsonView(doc)};
  RefusedChange change;
  change.collection = object.text_of("collection");
  change.id = object.text_of("id");
  change.seq = {object.integer_of("seq").value_or(0)};
  change.offers = object.integer_of("offers").value_or(0);
  change.code = object.text_of("code");
  change.detail = object.text_of("detail");
  change.since = parse_time(object.text_of("since")).value_or(Timestamp{});
  return change;
}

std::string to_doc(const RefusedChange& change) {
  std::string doc;
  JsonWriter(doc)
      .begin_object()
      .string("collection", change.collection)
      .string("id", change.id)
      .integer("seq", change.seq.value)
      .integer("offers", change.offers)
      .string("code", change.code)
      .string("detail", change.detail)
      .string("since", format_time(change.since))
      .end_object();
  return doc;
}

Result<std::vector<RefusedChange>> list_refused(Snapshot& snapshot) {
  std::vector<RefusedChange> changes;
  CHECK_OK(snapshot.scan(kRefusedCollection, "", [&](const RecordView& record) {
    if (!record.deleted) changes.push_back(read_refused(record.doc));
    return true;
  }));
  return changes;
}

Result<> forget_refused(SpaceWriter& writer, const std::string& key) {
  TRY(const auto note, writer.txn().find(kRefusedCollection, key));
  if (!note || note->deleted) return {};
  TRY([[maybe_unused]] const Seq seq, writer.replace(kRefusedCollection, key, "", Rule::direct));
  return {};
}

}  // namespace

Result<LocalSpace::State> LocalSpace::read_state(Snapshot& snapshot) {
  TRY(const auto text, snapshot.find_value(kStateValue));
  State state;
  if (!text) return state;
  const JsonObject object{JsonView(*text)};
  state.generation = object.integer_of("generation").value_or(1);
  state.epoch = object.text_of("epoch");
  TRY(state.cursor, parse_cursor(object.text_of("cursor")));
  state.pushed = {object.integer_of("pushed").value_or(0)};
  state.offer_through = {object.integer_of("offer_through").value_or(0)};
  const auto from_start = object.find("reads_from_start");
  state.reads_from_start = from_start && from_start->as_boolean().value_or(false);
  if (const auto positions = object.find("positions")) state.positions = positions->raw();
  state.exchanged_at = {object.integer_of("exchanged_at").value_or(0)};
  return state;
}

Result<> LocalSpace::write(const Body& body, Stores stores) {
  State after;
  const Transfer before = transfer_;
  const auto done = spaces_.write_and_wait(name_, kHubAuthor, [&](SpaceWriter& writer) -> Result<> {
    TRY(after, read_state(writer.txn()));
    const Seq head = writer.txn().info().head;
    CHECK_OK(body(writer, after));
    // If nothing waited before, nothing waits now.
    const bool waited = std::max(after.pushed, skipped_through_) < head || after.pushed < after.offer_through;
    if (stores == Stores::the_hubs && !waited) {
      after.pushed = writer.txn().info().head;
    }
    std::string text;
    JsonWriter(text)
        .begin_object()
        .integer("generation", after.generation)
        .string("epoch", after.epoch)
        .string("cursor", after.cursor.epoch.empty() ? "0" : after.cursor.to_text())
        .integer("pushed", after.pushed.value)
        .integer("offer_through", after.offer_through.value)
        .boolean("reads_from_start", after.reads_from_start)
        .raw("positions", after.positions)
        .integer("exchanged_at", after.exchanged_at.micros)
        .end_object();
    writer.txn().put_value(kStateValue, std::move(text));
    return {};
  });
  if (!done) {
    transfer_ = before;
    return std::unexpected(done.error());
  }
  state_ = after;
  return {};
}

Result<> LocalSpace::load() {
  CHECK_OK(spaces_.read(name_, [&](Snapshot& snapshot) -> Result<> {
    TRY(state_, read_state(snapshot));
    return {};
  }));
  skipped_through_ = {};
  delivered_.clear();
  // What was delivered before is not known any more.
  if (state_.reads_from_start && !state_.cursor.epoch.empty()) CHECK_OK(read_from_start());
  return count_refused();
}

Result<> LocalSpace::count_refused() {
  dead_letters_ = waiting_refused_ = 0;
  return spaces_.read(name_, [&](Snapshot& snapshot) -> Result<> {
    TRY(const auto changes, list_refused(snapshot));
    for (const RefusedChange& change : changes) {
      // One that was edited since is in the outbox again.
      TRY(const auto record, snapshot.find(change.collection, change.id));
      if (record && record->seq == change.seq) (change.is_dead() ? dead_letters_ : waiting_refused_) += 1;
    }
    return {};
  });
}

Result<bool> LocalSpace::is_pending(Snapshot& snapshot, const State& state, const Record& stored) {
  const bool is_local = stored.origin != kHubAuthor;
  if (stored.seq > state.pushed) return is_local || stored.seq <= state.offer_through;
  if (!is_local) return false;
  TRY(const auto note, snapshot.find(kRefusedCollection, key_of(stored.collection, stored.id)));
  return note && !note->deleted && read_refused(note->doc).seq == stored.seq;
}

Result<std::optional<Seq>> LocalSpace::find_own_earlier(Snapshot& snapshot, const State& state, const Record& pending,
                                                        const HubVersion& version) {
  TRY(const auto base, read_base(snapshot, state, pending.collection, pending.id));
  TRY(const auto versions, snapshot.history(pending, kOwnVersionsMax, kOwnVersionsBytesMax));
  for (const Record& earlier : versions) {
    const bool is_known_to_hub = earlier.origin == kHubAuthor || (base && earlier.seq <= base->local);
    if (is_known_to_hub) return std::nullopt;
    // The hub may have given it another stamp. Deletions are all alike: of those only one that it lowered, if any.
    const bool may_be_it = !version.deleted || version.updated_at <= earlier.updated_at;
    if (may_be_it && same_content(earlier, version)) return earlier.seq;
  }
  return std::nullopt;
}

Result<std::optional<LocalSpace::Base>> LocalSpace::read_base(Snapshot& snapshot, const State& state,
                                                              std::string_view collection, std::string_view id) {
  TRY(const auto text, snapshot.find_value(base_value(collection, id)));
  if (!text) return std::nullopt;
  const auto parts = split(*text, '.');
  if (parts.size() != 3 || parse_integer(parts[0]) != state.generation) return std::nullopt;
  return Base{{parse_integer(parts[1]).value_or(0)}, {parse_integer(parts[2]).value_or(0)}};
}

Result<> LocalSpace::set_base(SpaceWriter& writer, const State& state, std::string_view collection, std::string_view id,
                              Base base) {
  TRY(const auto known, read_base(writer.txn(), state, collection, id));
  if (known == base) return {};
  std::string text = std::to_string(state.generation);
  text.append(".").append(std::to_string(base.hub.value)).append(".").append(std::to_string(base.local.value));
  writer.txn().put_value(base_value(collection, id), std::move(text));
  return {};
}

Result<> LocalSpace::adopt(SpaceWriter& writer, const State& state, const HubVersion& version, const Record* stored) {
  if (!writer.txn().has_room_for_collection(version.collection)) {
    return fail(ErrorCode::too_many, "this device's store has as many collections as it may");
  }
  if (stored != nullptr && has_refused()) {
    CHECK_OK(forget_refused(writer, key_of(version.collection, version.id)));
  }
  Record record;
  record.collection = version.collection;
  record.id = version.id;
  record.updated_at = record.effective_at = version.updated_at;
  record.origin = kHubAuthor;
  record.rule = Rule::later_stamp;
  record.deleted = version.deleted;
  record.doc = version.doc;
  TRY(const Seq seq, writer.adopt(std::move(record), stored));
  return set_base(writer, state, version.collection, version.id, {version.seq, seq});
}

Result<> LocalSpace::take(SpaceWriter& writer, const State& state, const HubVersion& version) {
  if (version.collection == kRefusedCollection) return {};
  TRY(const auto stored, writer.txn().find(version.collection, version.id));
  if (stored) {
    const bool same = same_content(*stored, version);
    TRY(const bool pending, is_pending(writer.txn(), state, *stored));
    if (pending && !same) {
      // The hub decides when the local version is pushed. If that was made of this very version, it says so.
      TRY(const auto own, find_own_earlier(writer.txn(), state, *stored, version));
      return own ? set_base(writer, state, version.collection, version.id, {version.seq, *own}) : Result<>{};
    }
    if (same && !pending && stored->updated_at == version.updated_at) {
      return set_base(writer, state, version.collection, version.id, {version.seq, stored->seq});
    }
  }
  (version.deleted ? transfer_.pulled_deleted : transfer_.pulled_live) += 1;
  return adopt(writer, state, version, stored ? &*stored : nullptr);
}

Result<> LocalSpace::apply(const Page& page) {
  const bool says_nothing = page.versions.empty() && page.cursor.to_text() == state_.cursor.to_text();
  if (says_nothing && !state_.reads_from_start) return {};
  CHECK_OK(write([&](SpaceWriter& writer, State& state) -> Result<> {
    if (page.since.epoch != state.cursor.epoch || page.since.seq != state.cursor.seq) return {};
    for (const HubVersion& version : page.versions) {
      if (state.reads_from_start) delivered_.insert(key_of(version.collection, version.id));
      CHECK_OK(take(writer, state, version));
    }
    state.cursor = page.cursor;
    state.epoch = page.cursor.epoch;
    state.exchanged_at = writer.now();
    if (state.reads_from_start && !page.more) {
      CHECK_OK(sweep(writer, state));
      state.reads_from_start = false;
    }
    return {};
  }));
  if (!state_.reads_from_start) delivered_.clear();
  // What a hub delivers refuses nothing more.
  return has_refused() ? count_refused() : Result<>{};
}

Result<> LocalSpace::merge_one(SpaceWriter& writer, const State& state, const Op& delivered) {
  TRY(const auto stored, writer.txn().find(delivered.collection, delivered.id));
  bool pending = false;
  if (stored) {
    TRY(pending, is_pending(writer.txn(), state, *stored));
  }
  Op op = delivered;
  // A version without a stamp is no reason to give up one that waits.
  if (!op.updated_at) op.updated_at = kTimestampMin;
  if (pending) {
    TRY(const bool is_own, has_been_here(writer.txn(), *stored, op));
    if (is_own) return set_base(writer, state, op.collection, op.id, {{}, stored->seq});
  }
  // What does not wait was the hub's own version, and this is its next one.
  if (stored && !pending && !is_older(op, *stored)) op.base = stored->seq;
  const bool undoes_own = op.base && op.deleted && !stored->deleted && stored->origin != kHubAuthor;
  if (undoes_own) CHECK_OK(writer.keep_version(*stored, Rule::direct));
  TRY(const OpResult result, writer.apply_delivered(op, kDeviceAuthor));
  if (result.status == OpStatus::refused) {
    log(LogLevel::warning, "version_not_taken",
        {{"collection", delivered.collection}, {"id", delivered.id}, {"error", result.error->text}});
    return {};
  }
  const bool is_new = result.status == OpStatus::applied || result.status == OpStatus::merged;
  if (is_new) (delivered.deleted ? transfer_.pulled_deleted : transfer_.pulled_live) += 1;
  if (result.conflict) transfer_.conflicts += 1;
  Seq known = result.seq;
  if (result.status == OpStatus::stale && !pending) {
    // Another device has put an older version over this one: it goes out once more.
    Record again = *stored;
    again.origin = kDeviceAuthor;
    TRY([[maybe_unused]] const Seq seq, writer.adopt(std::move(again), &*stored));
  }
  const bool is_same_as_waits = result.status == OpStatus::noop && pending && !result.record;
  if (is_same_as_waits) {
    Record same = *stored;
    same.origin = kHubAuthor;
    TRY(known, writer.adopt(std::move(same), &*stored));
  }
  const bool waits_no_more = result.status == OpStatus::applied || is_same_as_waits;
  if (waits_no_more && has_refused()) CHECK_OK(forget_refused(writer, key_of(delivered.collection, delivered.id)));
  return set_base(writer, state, delivered.collection, delivered.id, {{}, known});
}

Result<> LocalSpace::merge_in(std::span<const Op> ops, std::string positions) {
  if (ops.empty() && positions == state_.positions) return {};
  const auto merge_all = [&](SpaceWriter& writer, State& state) -> Result<> {
    for (const Op& op : ops) CHECK_OK(merge_one(writer, state, op));
    state.positions = std::move(positions);
    state.exchanged_at = writer.now();
    return {};
  };
  CHECK_OK(write(merge_all, Stores::also_own));
  // What a hub delivers refuses nothing more.
  return has_refused() ? count_refused() : Result<>{};
}

Result<> LocalSpace::sweep(SpaceWriter& writer, const State& state) {
  Txn& txn = writer.txn();
  std::vector<std::pair<std::string, std::string>> missing;
  for (const std::string& collection : txn.collections()) {
    if (collection == kRefusedCollection) continue;
    CHECK_OK(txn.scan(collection, "", [&](const RecordView& record) {
      if (!record.deleted && !delivered_.contains(key_of(collection, record.id))) {
        missing.emplace_back(collection, record.id);
      }
      return true;
    }));
  }
  for (const auto& [collection, id] : missing) {
    TRY(const auto stored, txn.find(collection, id));
    if (!stored || stored->deleted) continue;
    TRY(const bool pending, is_pending(txn, state, *stored));
    TRY(const auto base, read_base(txn, state, collection, id));
    if (pending || !base) continue;
    transfer_.pulled_deleted += 1;
    CHECK_OK(adopt(writer, state, {collection, id, base->hub, stored->updated_at, true, ""}, &*stored));
  }
  return {};
}

Result<Batch> LocalSpace::next_batch(bool with_refused, std::size_t ops_max, const Carries& carries) {
  Batch batch;
  const std::size_t count_max = std::min(ops_max, limits_.ops_max);
  CHECK_OK(spaces_.read(name_, [&](Snapshot& snapshot) -> Result<> {
    TRY(const State state, read_state(snapshot));
    batch.generation = state.generation;
    batch.after = batch.through = state.pushed;
    std::size_t bytes = 0;
    if (with_refused) {
      TRY(const auto changes, list_refused(snapshot));
      for (const RefusedChange& change : changes) {
        if (change.is_dead() || batch.items.size() >= count_max || bytes > limits_.bytes_max) continue;
        TRY(auto record, snapshot.find(change.collection, change.id));
        if (!record || record->seq != change.seq) continue;  // edited since: it is in the outbox again
        bytes += record->doc.size();
        batch.items.push_back({*std::move(record), std::nullopt, true});
      }
    }
    const Seq from = std::max(state.pushed, skipped_through_);
    CHECK_OK(snapshot.feed(from, [&](const RecordView& record) {
      if (is_to_be_offered(record, state.offer_through) && carries(record.collection)) {
        const bool is_full = batch.items.size() >= count_max || bytes + record.doc.size() > limits_.bytes_max;
        batch.more = is_full && !batch.items.empty();
        if (batch.more) return false;
        bytes += record.doc.size();
        batch.items.push_back({record.to_record(), std::nullopt, false});
      }
      batch.through = record.seq;
      return true;
    }));
    if (!batch.more) batch.through = std::max(batch.through, snapshot.info().head);
    for (Batch::Item& item : batch.items) {
      TRY(const auto base, read_base(snapshot, state, item.record.collection, item.record.id));
      if (base) item.base = base->hub;
    }
    return {};
  }));
  if (batch.items.empty()) skipped_through_ = batch.through;
  return batch;
}

Result<bool> LocalSpace::settle_one(SpaceWriter& writer, const State& state, const Batch::Item& item,
                                    const Verdict& verdict) {
  const Record& sent = item.record;
  TRY(const auto stored, writer.txn().find(sent.collection, sent.id));
  if (!stored) return true;
  const bool is_unchanged = stored->seq == sent.seq;
  if (verdict.status == Verdict::Status::refused) {
    // What came from the hub and is only offered again is the hub's own affair.
    if (is_unchanged && stored->origin != kHubAuthor) CHECK_OK(note_refused(writer, item, verdict));
    return true;
  }
  const bool took_it = verdict.status == Verdict::Status::applied || verdict.status == Verdict::Status::noop;
  const bool stands_as_sent = took_it && !verdict.version;
  if (!took_it && !verdict.version) return false;
  CHECK_OK(forget_refused(writer, key_of(sent.collection, sent.id)));
  (stored->deleted ? transfer_.pushed_deleted : transfer_.pushed_live) += 1;
  if (stands_as_sent) {
    CHECK_OK(set_base(writer, state, sent.collection, sent.id, {verdict.seq, sent.seq}));
    const bool other_stamp = verdict.updated_at && *verdict.updated_at != stored->updated_at;
    if (is_unchanged && other_stamp) {
      CHECK_OK(adopt(writer, state, with_stamp(*stored, *verdict.updated_at, verdict.seq), &*stored));
    }
    return true;
  }
  // A newer edit waits already: the hub will decide about that one.
  if (!is_unchanged) return true;
  if (verdict.status == Verdict::Status::stale && !same_content(*stored, *verdict.version)) {
    CHECK_OK(writer.keep_version(*stored, Rule::later_stamp));
    transfer_.conflicts += 1;
  }
  CHECK_OK(adopt(writer, state, *verdict.version, &*stored));
  return true;
}

Result<> LocalSpace::note_refused(SpaceWriter& writer, const Batch::Item& item, const Verdict& verdict) {
  const std::string key = key_of(item.record.collection, item.record.id);
  TRY(const auto note, writer.txn().find(kRefusedCollection, key));
  RefusedChange change{item.record.collection, item.record.id, item.record.seq, 0,
                       verdict.code,           verdict.detail, writer.now()};
  if (note && !note->deleted) {
    const RefusedChange earlier = read_refused(note->doc);
    if (earlier.seq == change.seq) change.offers = earlier.offers;
    change.since = earlier.since;
  }
  change.offers += 1;
  TRY([[maybe_unused]] const Seq seq, writer.replace(kRefusedCollection, key, to_doc(change), Rule::direct));
  return {};
}

Result<Settled> LocalSpace::settle(const Batch& batch, const PushAnswer& answer) {
  Settled settled;
  if (answer.verdicts.size() != batch.items.size()) {
    return fail(ErrorCode::unavailable, "the hub's answer cannot be understood: a verdict is missing");
  }
  CHECK_OK(write([&](SpaceWriter& writer, State& state) -> Result<> {
    if (state.generation != batch.generation || state.pushed != batch.after) return {};
    state.epoch = answer.cursor.epoch;
    state.exchanged_at = writer.now();
    const Seq cursor_before = state.cursor.seq;
    std::vector<Seq> own;
    std::size_t settled_count = 0;
    for (std::size_t i = 0; i < batch.items.size(); ++i) {
      const Batch::Item& item = batch.items[i];
      TRY(const bool is_settled, settle_one(writer, state, item, answer.verdicts[i]));
      if (!is_settled) {
        settled.is_partial = true;
        if (settled_count > 0) return {};
        return fail(ErrorCode::unavailable,
                    "the hub's answer cannot be understood: the version that stands is missing");
      }
      ++settled_count;
      if (!item.was_refused) state.pushed = item.record.seq;
      const Seq seq = answer.verdicts[i].seq;
      if (seq > cursor_before) own.push_back(seq);
      settled.needs_pull = settled.needs_pull || answer.verdicts[i].status == Verdict::Status::merged;
    }
    state.pushed = batch.through;
    // If all that is new at the hub is ours, there is nothing to pull.
    std::ranges::sort(own);
    const auto rest = std::ranges::unique(own);
    own.erase(rest.begin(), rest.end());
    const bool all_ours = answer.cursor.epoch == state.cursor.epoch &&
                          answer.cursor.seq.value - cursor_before.value == static_cast<std::int64_t>(own.size());
    if (all_ours && !state.reads_from_start) state.cursor = answer.cursor;
    settled.needs_pull = answer.needs_pull || (settled.needs_pull && !all_ours);
    return {};
  }));
  settled.cursor = state_.cursor;
  CHECK_OK(count_refused());
  return settled;
}

Result<> LocalSpace::begin_anew() {
  skipped_through_ = {};
  delivered_.clear();
  return write([](SpaceWriter& writer, State& state) -> Result<> {
    state = {.generation = state.generation + 1,
             .epoch = "",
             .cursor = {},
             .pushed = {},
             .offer_through = writer.txn().info().head};
    return {};
  });
}

Result<> LocalSpace::read_from_start() {
  delivered_.clear();
  return write([](SpaceWriter&, State& state) -> Result<> {
    state.cursor = {};
    state.reads_from_start = true;
    state.positions = "{}";
    return {};
  });
}

Result<std::vector<RefusedChange>> LocalSpace::refused() {
  std::vector<RefusedChange> changes;
  CHECK_OK(spaces_.read(name_, [&](Snapshot& snapshot) -> Result<> {
    TRY(changes, list_refused(snapshot));
    return {};
  }));
  return changes;
}

Result<std::int64_t> LocalSpace::revive_dead_letters() {
  std::int64_t revived = 0;
  CHECK_OK(write([&](SpaceWriter& writer, State&) -> Result<> {
    TRY(const auto changes, list_refused(writer.txn()));
    for (RefusedChange change : changes) {
      if (!change.is_dead()) continue;
      change.offers = 0;
      ++revived;
      TRY([[maybe_unused]] const Seq seq,
          writer.replace(kRefusedCollection, key_of(change.collection, change.id), to_doc(change), Rule::direct));
    }
    return {};
  }));
  CHECK_OK(count_refused());
  return revived;
}

Result<> LocalSpace::for_each_pending(const std::function<void(const RecordView&)>& visit) {
  return spaces_.read(name_, [&](Snapshot& snapshot) -> Result<> {
    TRY(const State state, read_state(snapshot));
    CHECK_OK(snapshot.feed(std::max(state.pushed, skipped_through_), [&](const RecordView& record) {
      if (is_to_be_offered(record, state.offer_through)) visit(record);
      return true;
    }));
    TRY(const auto changes, list_refused(snapshot));
    for (const RefusedChange& change : changes) {
      TRY(const auto record, snapshot.find(change.collection, change.id));
      if (record && record->seq == change.seq && change.seq <= state.pushed) visit(view_of(*record));
    }
    return {};
  });
}

Result<std::int64_t> LocalSpace::count_pending() {
  std::int64_t count = 0;
  CHECK_OK(for_each_pending([&](const RecordView&) { ++count; }));
  return count;
}

}  // namespace syncline::replica
