#include "vectors/outbox_walk.hpp"

#include <array>
#include <cstdlib>

#include "replica/known_versions.hpp"

namespace syncline::vectors {
namespace {

constexpr Timestamp kBegin{1'800'000'000'000'000};
constexpr std::string_view kItems = sim::kCollection;

/// A few ops and records at a time, or as many as a node takes.
replica::Limits limits_of(std::uint64_t seed) {
  if (seed % 3 == 0) return {};
  return {.ops_max = 3, .bytes_max = seed % 3 == 1 ? 40UL : 4UL << 20U, .page_max = 2};
}

constexpr int kIds = 4;
std::string id_of(std::int64_t number) { return "r" + std::to_string(number); }

constexpr int kEventsOfOutboxWalk = 58;
/// The hub refuses what the device writes at the beginning of a calm walk, until that is a dead letter.
constexpr int kEventsOfCalmWalk = 46;
constexpr int kEventsBeforeCalm = 12;

/// The device's clock is right, ahead so that the hub lowers its stamps, or behind.
std::int64_t clock_offset_of(std::uint64_t seed) {
  constexpr std::int64_t kHour = 3600LL * kMicrosPerSecond;
  if (seed % 5 == 1) return 24 * kHour;
  return seed % 5 == 3 ? -24 * kHour : 0;
}

}  // namespace

OutboxWalk::OutboxWalk(std::uint64_t seed, VectorFile& file)
    : file_(file),
      random_(seed),
      has_restarts_(seed % 2 == 0),
      is_calm_(seed % 6 == 5),
      limits_(limits_of(seed)),
      hub_clock_(kBegin),
      clock_(kBegin.plus_micros(clock_offset_of(seed))),
      hub_(hub_clock_, seed % 4 == 3 ? sim::Rules::kernle : sim::Rules::native),
      store_(clock_, "n"),
      progress_(store_),
      spaces_(store_, clock_, live_, progress_, rules_) {
  std::string line;
  JsonWriter(line)
      .begin_object()
      .integer("walk", static_cast<std::int64_t>(seed))
      .integer("ops_max", static_cast<std::int64_t>(limits_.ops_max))
      .integer("bytes_max", static_cast<std::int64_t>(limits_.bytes_max))
      .integer("page_max", limits_.page_max)
      .raw("clock_ahead_ms", json_number(clock_.now().millis() - now_ms_))
      .end_object();
  file_.add(std::move(line));
  start();
}

void OutboxWalk::run() {
  const int count = is_calm_ ? kEventsOfCalmWalk : kEventsOfOutboxWalk;
  while (events_ < count) take_event();
}

void OutboxWalk::advance_ms(std::int64_t delta) {
  now_ms_ += delta;
  hub_clock_.advance_micros(delta * 1000);
  clock_.advance_micros(delta * 1000);
}

void OutboxWalk::take_event() {
  ++events_;
  advance_ms(random_.between(1, 400));
  if (!is_calm_ && random_.chance(0.25)) hub_.write(pick_id(), R"({"o":)" + std::to_string(++edits_) + '}', "");
  if (!is_calm_ && random_.chance(0.14)) trouble_hub();
  if (pending_ && random_.chance(0.75)) return finish();
  const std::int64_t drawn = is_calm_ && events_ > kEventsBeforeCalm ? 99 : random_.between(0, 99);
  if (drawn < 30) return edit();
  if (drawn < 34) return note_head();
  if (drawn < 38) return change_link();
  if (drawn < 41 && may_restart()) return start();
  if (!pending_) {
    const auto wake = replica_->machine().wake_at_ms();
    if (wake && *wake > now_ms_) advance_ms(*wake - now_ms_ + random_.between(0, 1));
  } else if (random_.chance(0.5)) {
    advance_ms(random_.between(60'000, 130'000));  // the step ends before its answer comes
  }
  next();
}

void OutboxWalk::trouble_hub() {
  const std::string id = pick_id();
  switch (random_.between(0, 12)) {
    case 0: return hub_.restart();
    case 1: return hub_.keep_backup();
    case 2:
    case 12: return hub_.restore(random_.chance(0.5));
    case 3:
    case 4: return hub_.purge();
    case 5:
    case 10:
    case 11: return hub_.rot(id);
    case 6:
    case 7: return hub_.write(id, "", "");
    case 8: return hub_.write(id, R"({"o":)" + std::to_string(++edits_) + '}', std::to_string(kBegin.micros - 1));
    default: break;
  }
  // The other device has had the same thought. After a restart a device cannot tell this from a version of its own.
  const auto stored = find(id);
  if (!has_restarts_ && stored && !stored->deleted) hub_.write(id, stored->doc, "");
}

/// A process of the device begins: nothing is known but what is stored.
void OutboxWalk::start() {
  if (replica_) conflicts_before_ += replica_->local().transfer().conflicts;
  pending_.reset();
  waited_.clear();
  replica_ = std::make_unique<replica::SpaceReplica>(spaces_, SpaceName{AccountNumber{1}, std::string(sim::kSpace)},
                                                     ReplicatorSettings{}, limits_);
  if (!replica_->load() || !replica_->connect(replica::native_dialect(), false, now_ms_)) std::abort();
  for (int i = 1; i <= kIds; ++i) {
    if (waits(id_of(i))) waited_.insert(id_of(i));
  }
  std::string line;
  JsonWriter writer(line);
  writer.begin_object().raw("now", json_number(now_ms_)).string("call", "start");
  end_line(writer, line);
  file_.count("a start");
}

/// A process that begins does not know which versions were sent, nor what a reading from the beginning has met. A port
/// may know, so a walk avoids what that decides: a deletion that waits, such a reading, and (in edit()) another edit of
/// a record that waits.
bool OutboxWalk::may_restart() {
  std::erase_if(deleted_, [&](const std::string& id) { return !waits(id); });
  if (!has_restarts_ || !deleted_.empty()) return false;
  const replica::SpaceState state = read_state();
  return !state.reads_from_start || state.cursor.epoch.empty();
}

bool OutboxWalk::waits(const std::string& id) {
  bool waits = false;
  const auto done = spaces_.read(replica_->local().name(), [&](Snapshot& snapshot) -> Result<> {
    TRY(const replica::SpaceState state, replica::read_space_state(snapshot));
    TRY(const auto stored, snapshot.find(kItems, id));
    if (!stored) return {};
    TRY(waits, replica::Outbox::is_waiting(snapshot, state, *stored));
    return {};
  });
  if (!done) std::abort();
  return waits;
}

void OutboxWalk::edit() {
  const std::string id = pick_id();
  if (waited_.contains(id) && waits(id)) return next();
  const auto stored = find(id);
  const bool is_live = stored && !stored->deleted;
  const bool deletes = is_live && !is_calm_ && random_.chance(0.25);
  std::string doc = deletes ? "" : R"({"n":)" + std::to_string(++edits_) + '}';
  if (!deletes && (is_calm_ || random_.chance(0.12))) doc.insert(doc.size() - 1, R"(,"bad":true)");
  if (!deletes && random_.chance(0.15)) doc.insert(doc.size() - 1, R"(,"text":"caf\u00e9 1.0"  )");
  if (deletes) deleted_.insert(id);
  const Op op{.collection = kItems, .id = id, .updated_at = {}, .base = {}, .deleted = deletes, .doc = doc};
  const SpaceName& space = replica_->local().name();
  const auto done = spaces_.write_and_wait(space, replica::kDeviceAuthor, [&](SpaceWriter& writer) -> Result<> {
    TRY([[maybe_unused]] const OpResult result, writer.apply(op));
    return {};
  });
  if (!done) std::abort();
  replica_->note_local_head(spaces_.head(space));
  std::string line;
  JsonWriter writer(line);
  writer.begin_object().raw("now", json_number(now_ms_)).string("call", "edit").string("id", id);
  if (deletes) {
    writer.name("doc").null();
  } else {
    writer.string("doc", doc);
  }
  end_line(writer, line);
  file_.count(deletes ? "an edit that deletes" : "an edit");
  if (pending_ && is_push(pending_->request)) file_.count("an edit while a push is on its way");
}

void OutboxWalk::next() {
  const std::uint32_t random = draw_number();
  auto request = replica_->next(now_ms_, random);
  std::string line;
  JsonWriter writer(line);
  writer.begin_object().raw("now", json_number(now_ms_)).string("call", "next").integer("random", random);
  if (request) {
    writer.name("request")
        .begin_object()
        .raw("ticket", json_number(request->ticket))
        .string("method", http::to_text(request->http.method))
        .string("target", request->http.target)
        .string("body", request->http.body)
        .raw("timeout_ms", json_number(request->http.timeout_ms))
        .end_object();
    file_.count(is_push(request->http) ? "a push" : "a pull");
    if (pending_) file_.count("a step that took too long");
    pending_ = Pending{request->ticket, std::move(request->http)};
  } else {
    writer.name("request").null();
  }
  end_line(writer, line);
}

void OutboxWalk::finish() {
  const Response response = draw_response(pending_->request);
  cover_response(pending_->request, response);
  const std::uint32_t random = draw_number();
  replica_->finish(pending_->ticket, response, now_ms_, random);
  std::string line;
  JsonWriter writer(line);
  writer.begin_object()
      .raw("now", json_number(now_ms_))
      .string("call", "finish")
      .integer("random", random)
      .raw("ticket", json_number(pending_->ticket));
  if (response) {
    writer.integer("status", response->status);
    if (response->retry_after_s) writer.integer("retry_after", *response->retry_after_s);
    writer.string("body", response->body);
  } else {
    writer.string("failure", response.error().code == ErrorCode::timed_out ? "timed_out" : "unreachable");
  }
  pending_.reset();
  end_line(writer, line);
}

void OutboxWalk::note_head() {
  const Cursor head = hub_.head();
  replica_->machine().note_hub_head(head);
  std::string line;
  JsonWriter writer(line);
  writer.begin_object()
      .raw("now", json_number(now_ms_))
      .string("call", "note_hub_head")
      .string("head", cursor_text(head));
  end_line(writer, line);
}

void OutboxWalk::change_link() {
  constexpr std::array<std::string_view, 3> kChanges = {"link_up", "link_lost", "sync_now"};
  const std::string_view call = kChanges.at(static_cast<std::size_t>(random_.between(0, 2)));
  Replicator& machine = replica_->machine();
  if (call == "link_up") machine.link_up(now_ms_);
  if (call == "link_lost") machine.link_lost();
  if (call == "sync_now") machine.sync_now(now_ms_);
  std::string line;
  JsonWriter writer(line);
  writer.begin_object().raw("now", json_number(now_ms_)).string("call", call);
  end_line(writer, line);
}

void OutboxWalk::end_line(JsonWriter& writer, std::string& line) {
  writer.raw("then", observed_.change_to(observe())).end_object();
  file_.add(std::move(line));
}

Observed::Members OutboxWalk::observe() {
  replica::LocalSpace& local = replica_->local();
  const Replicator& machine = replica_->machine();
  const SyncStatus status = machine.status(now_ms_);
  Observed::Members members = {{"state", json_text(syncline::to_text(status.state))},
                               {"is_failing", json_boolean(status.is_failing)},
                               {"wake_at", json_number(machine.wake_at_ms())},
                               {"since", json_number(status.since_ms)},
                               {"cycles", json_number(machine.cycles())},
                               {"waiting_refused", json_number(local.waiting_refused())},
                               {"dead_letters", json_number(local.dead_letters())},
                               {"conflicts", json_number(conflicts_before_ + local.transfer().conflicts)},
                               {"everything_first", json_boolean(local.push_everything_first())}};
  const auto done = spaces_.read(local.name(), [&](Snapshot& snapshot) { return observe_records(snapshot, members); });
  if (!done) std::abort();
  file_.count("state: " + std::string(syncline::to_text(status.state)));
  if (local.dead_letters() > 0) file_.count("a dead letter");
  if (local.push_everything_first()) file_.count("a hub with another history");
  return members;
}

Result<> OutboxWalk::observe_records(Snapshot& snapshot, Observed::Members& members) {
  TRY(const replica::SpaceState state, replica::read_space_state(snapshot));
  members["generation"] = json_number(state.generation);
  members["history"] = json_text(state.epoch);
  members["cursor"] = json_text(cursor_text(state.cursor));
  members["known"] = json_text(cursor_text(state.known));
  members["from_start"] = json_boolean(state.reads_from_start);
  members["missed_in"] = json_text(state.missed_in.value == 0 ? "" : to_text(state.missed_in));
  std::vector<Record> records;
  CHECK_OK(snapshot.scan(kItems, "", [&](const RecordView& record) {
    records.push_back(record.to_record());
    return true;
  }));
  for (const Record& record : records) {
    TRY(const auto known, replica::KnownVersions(state.generation).find(snapshot, record.collection, record.id));
    TRY(const bool waits, replica::Outbox::is_waiting(snapshot, state, record));
    std::string text;
    JsonWriter(text)
        .begin_object()
        .string("at", format_time(record.updated_at))
        .boolean("deleted", record.deleted)
        .string("doc", record.doc)
        .raw("hub", known ? json_number(known->hub.value) : "null")
        .boolean("waits", waits)
        .end_object();
    members["record " + record.id] = std::move(text);
  }
  TRY(const auto refused, replica::RefusedChanges::list(snapshot));
  for (const replica::RefusedChange& change : refused) {
    TRY(const auto stands, replica::RefusedChanges::find_record(snapshot, change));
    if (!stands) continue;
    std::string text;
    JsonWriter(text)
        .begin_object()
        .raw("offers", json_number(change.offers))
        .string("code", change.code)
        .string("since", format_time(change.since))
        .end_object();
    members["refused " + change.id] = std::move(text);
  }
  return {};
}

std::string OutboxWalk::pick_id() { return id_of(random_.between(1, kIds)); }

std::optional<Record> OutboxWalk::find(const std::string& id) {
  std::optional<Record> found;
  const auto done = spaces_.read(replica_->local().name(), [&](Snapshot& snapshot) -> Result<> {
    TRY(found, snapshot.find(kItems, id));
    return {};
  });
  if (!done) std::abort();
  return found;
}

replica::SpaceState OutboxWalk::read_state() {
  replica::SpaceState state;
  const auto done = spaces_.read(replica_->local().name(), [&](Snapshot& snapshot) -> Result<> {
    TRY(state, replica::read_space_state(snapshot));
    return {};
  });
  if (!done) std::abort();
  return state;
}

}  // namespace syncline::vectors
