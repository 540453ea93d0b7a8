#include "api/kaisho/timer.hpp"

#include <algorithm>

#include "api/kaisho/space.hpp"
#include "base/text.hpp"
#include "wire/kaisho_rows.hpp"

namespace syncline::kaisho {
namespace {

const std::string& collection() {
  static const std::string kName(entries().collection);
  return kName;
}

/// "<live> <changed_at> <running>"
std::string to_text(const EntrySummary& summary) {
  return std::to_string(summary.live) + ' ' + std::to_string(summary.changed_at.micros) + ' ' + summary.running;
}

EntrySummary parse_summary(std::string_view text) {
  const std::size_t first = text.find(' ');
  const std::size_t second = text.find(' ', first + 1);
  EntrySummary summary;
  summary.live = parse_integer(text.substr(0, first)).value_or(0);
  summary.changed_at = {parse_integer(text.substr(first + 1, second - first - 1)).value_or(0)};
  summary.running = text.substr(second + 1);
  return summary;
}

void store_summary(SpaceWriter& writer, const EntrySummary& summary) {
  writer.txn().put_value(kSummaryValue, to_text(summary));
}

Timestamp start_of(const Record& entry) { return time_field(entry.doc, "start").value_or(Timestamp{}); }

/// To the sockets, and as an event to who asked for those.
void announce(SpaceWriter& writer, EventType type, const Record& entry) {
  std::string row;
  append_row(row, view_of(entry));
  const bool starts = type == kTimerStarted;
  writer.announce(event_text(starts ? "timer:started" : "timer:stopped", row));
  if (writer.wants(type)) writer.emit(type, [&](JsonWriter& data) { data.raw("entry", row); });
}

Result<Record> get_entry(SpaceWriter& writer, const std::string& id) {
  writer.expect(collection(), id);  // the entry that runs is known only when the summary is
  TRY(auto entry, writer.txn().find(collection(), id));
  if (!entry || entry->rule == Rule::wiped) return fail(ErrorCode::not_found, "entry not found");
  return *std::move(entry);
}

/// When the entry began, to compare timers by. A start that is too far ahead of the hub's clock is a device's mistake:
/// it counts as the moment since which the hub knows of the entry.
Timestamp counted_start(const Record& entry, Timestamp now) {
  const Timestamp start = start_of(entry);
  return is_too_far_ahead(start, now) ? std::min(entry.effective_at, now) : start;
}

std::string with_time(const Record& entry, std::string_view field, Timestamp time) {
  JsonObject doc{JsonView(entry.doc)};
  doc.set_text(field, format_time(time));
  return doc.to_text();
}

/// Keeps the entry as it would be if the hub had believed a clock.
Result<> keep_unbelieved(SpaceWriter& writer, Record entry, std::string doc) {
  entry.doc = std::move(doc);
  return writer.keep_version(entry, Rule::clock_guard);
}

/// The next version of a stopped entry. It is shown as later than the copy of the device that started it, also if that
/// has a clock ahead of ours; what the merge compares is ahead of ours only as far as it lets any device be.
Result<> put_stopped(SpaceWriter& writer, const Record& entry, std::string doc, Rule rule) {
  TRY(const Record stored, get_entry(writer, entry.id));
  const Timestamp now = writer.now();
  const Timestamp copy = std::max({start_of(stored), stored.claimed_at, stored.updated_at});
  Record stopped = stored;
  stopped.updated_at = std::min(std::max(now, copy.plus_micros(1)), kStampMax);
  stopped.effective_at = std::max(is_too_far_ahead(stopped.updated_at, now) ? now : stopped.updated_at,
                                  standing_stamp(stored, now).plus_micros(1));
  if (stopped.updated_at > stopped.effective_at) {
    stopped.claimed_at = std::max(stopped.claimed_at, stopped.updated_at);
  }
  stopped.origin = writer.author().key;
  stopped.rule = rule;
  stopped.doc = std::move(doc);
  TRY([[maybe_unused]] const Seq seq, writer.put(std::move(stopped), &stored));
  return {};
}

/// An entry is never stopped before it began, and never later than now: of an entry that began later still, the start
/// is lowered too. Up to five minutes are what clocks differ by; what was further off is kept.
Result<> stop_at(SpaceWriter& writer, const Record& entry, Timestamp wanted, Rule rule) {
  const Timestamp now = writer.latest();
  const Timestamp began = counted_start(entry, now);
  const Timestamp end = std::min(std::max(wanted, began), now);
  if (is_too_far_ahead(wanted, now)) CHECK_OK(keep_unbelieved(writer, entry, with_time(entry, "end", wanted)));
  JsonObject doc{JsonView(entry.doc)};
  if (start_of(entry) > end) {
    CHECK_OK(keep_unbelieved(writer, entry, entry.doc));
    doc.set_text("start", format_time(std::min(began, end)));
  }
  doc.set_text("end", format_time(end));
  return put_stopped(writer, entry, doc.to_text(), rule);
}

/// A timer whose start is too far ahead begins now, or where it began before the edit. What was sent is kept, and so is
/// the timer that it stops: nobody knows whether that has ended.
Result<> lower_start(SpaceWriter& writer, const Record* before, const Record& after) {
  CHECK_OK(writer.keep_version(after, Rule::clock_guard));
  TRY(const auto other, find_running(writer.txn()));
  if (other && other->id != after.id) CHECK_OK(writer.keep_version(*other, Rule::clock_guard));
  const Timestamp now = writer.latest();
  const bool ran = before != nullptr && is_running(*before);
  TRY(const Record stored, get_entry(writer, after.id));
  Record lowered = stored;
  lowered.doc = with_time(after, "start", ran ? counted_start(*before, now) : now);
  TRY([[maybe_unused]] const Seq seq, writer.put(std::move(lowered), &stored));
  return {};
}

/// `after` runs, and so does the entry of the summary: one of them may not.
Result<> settle(SpaceWriter& writer, const EntrySummary& summary, const Record& after) {
  TRY(const Record running, get_entry(writer, summary.running));
  const Timestamp now = writer.latest();
  const Timestamp began = counted_start(after, now);
  const Timestamp other_began = counted_start(running, now);
  if (began <= other_began) return stop_at(writer, after, other_began, Rule::one_timer);
  CHECK_OK(stop_at(writer, running, began, Rule::one_timer));
  TRY(EntrySummary stopped, read_summary(writer.txn()));
  stopped.running = after.id;
  store_summary(writer, stopped);
  announce(writer, kTimerStarted, after);
  return {};
}

/// A copy of another store may have two for a moment: that store stops one of them and delivers the stop.
Result<> show_the_later(SpaceWriter& writer, EntrySummary summary, const Record& after) {
  TRY(const Record running, get_entry(writer, summary.running));
  if (counted_start(after, writer.latest()) <= counted_start(running, writer.latest())) return {};
  summary.running = after.id;
  store_summary(writer, summary);
  announce(writer, kTimerStarted, after);
  return {};
}

/// The stored document with the fields that `row` names. A device whose start was lowered says the same start again.
Result<std::string> with_fields(const Record& stored, JsonView row, Timestamp now) {
  JsonObject doc{JsonView(stored.doc)};
  row.for_each_member([&](std::string_view name, JsonView value) { doc.set(name, std::string(value.raw())); });
  const auto start = row.find("start");
  const auto began = start ? parse_client_time(*start) : std::nullopt;
  if (began && is_too_far_ahead(*began, now)) doc.set_text("start", format_time(start_of(stored)));
  const std::string text = doc.to_text();
  return shape_row(entries(), JsonView(text), &stored, false, now);
}

/// A start for an entry that is finished or deleted: its device has not heard of that. What it says otherwise is kept,
/// and if it has pulled past the entry it gets it once more, with a stamp that is later than its copy's.
Result<StartedTimer> keep_finished(SpaceWriter& writer, const Record& stored, const std::string& doc) {
  if (!stored.deleted && doc != stored.doc) {
    Record loser = stored;
    loser.doc = doc;
    CHECK_OK(writer.keep_version(loser, Rule::one_timer));
  }
  if (!stored.deleted && writer.author().seen_through >= stored.seq) CHECK_OK(writer.deliver_again(stored));
  return StartedTimer{false, stored};
}

}  // namespace

Result<EntrySummary> read_summary(Snapshot& snapshot) {
  TRY(const auto text, snapshot.find_value(kSummaryValue));
  return text ? parse_summary(*text) : EntrySummary{};
}

Result<std::optional<Record>> find_running(Snapshot& snapshot) {
  TRY(const EntrySummary summary, read_summary(snapshot));
  if (summary.running.empty()) return std::nullopt;
  snapshot.expect([&] { return Reads{.records = {RecordKey{collection(), summary.running}}}; });
  return snapshot.find_undamaged(collection(), summary.running);
}

Result<> keep_one_timer(SpaceWriter& writer, const Record* before, const Record& after) {
  TRY(EntrySummary summary, read_summary(writer.txn()));
  const bool was_live = before != nullptr && !before->deleted;
  const bool wiped = after.rule == Rule::wiped;
  summary.live += static_cast<int>(!after.deleted) - static_cast<int>(was_live);
  summary.changed_at = wiped ? Timestamp{} : after.committed_at;
  const bool is_the_running_one = summary.running == after.id;
  if (is_running(after)) {
    // Whoever delivers versions here has its own clock: what it says is lowered there.
    if (writer.source() == Source::author && is_too_far_ahead(start_of(after), writer.latest())) {
      store_summary(writer, summary);
      return lower_start(writer, before, after);  // comes here again
    }
    const bool starts = summary.running.empty();
    if (starts) summary.running = after.id;
    store_summary(writer, summary);
    if (starts) announce(writer, kTimerStarted, after);
    if (starts || is_the_running_one) return {};
    return writer.source() == Source::adopted ? show_the_later(writer, summary, after) : settle(writer, summary, after);
  }
  if (is_the_running_one) summary.running.clear();
  store_summary(writer, summary);
  if (is_the_running_one && !wiped) announce(writer, kTimerStopped, after);
  return {};
}

Result<StartedTimer> start_timer(SpaceWriter& writer, const std::string& id, JsonView row) {
  CHECK_OK(check_record_id(id));
  TRY(const auto stored, writer.find(collection(), id));
  if (stored && stored->rule != Rule::wiped) {
    TRY(const std::string doc, with_fields(*stored, row, writer.latest()));
    if (!is_running(*stored)) return keep_finished(writer, *stored, doc);
    if (doc != stored->doc) {
      if (writer.author().seen_through < stored->seq) CHECK_OK(writer.keep_version(*stored, Rule::direct));
      // Newer than the copies of other devices, and still older than the sender's own.
      TRY([[maybe_unused]] const Seq seq,
          writer.replace(collection(), id, doc, Rule::direct, stored->updated_at.plus_micros(1)));
    }
    TRY(Record entry, get_entry(writer, id));
    return StartedTimer{false, std::move(entry)};
  }
  Record record;
  record.collection = collection();
  record.id = id;
  TRY(record.doc, shape_row(entries(), row, nullptr, false, writer.now()));
  // The sender's copy is never older than this one, so what is typed into a running timer is not overwritten.
  record.updated_at = record.effective_at = std::min(start_of(record), writer.now());
  if (start_of(record) > writer.now()) record.claimed_at = start_of(record);
  record.origin = writer.author().key;
  record.rule = Rule::direct;
  TRY([[maybe_unused]] const Seq seq, writer.put(std::move(record), stored ? &*stored : nullptr));
  TRY(Record mine, get_entry(writer, id));
  if (is_running(mine)) return StartedTimer{true, std::move(mine)};
  TRY(auto running, find_running(writer.txn()));
  return StartedTimer{false, running ? *std::move(running) : std::move(mine)};
}

Result<Record> stop_timer(SpaceWriter& writer, const std::optional<std::string>& id, std::optional<Timestamp> end) {
  TRY(const auto running, find_running(writer.txn()));
  if (!running || (id && *id != running->id)) return fail(ErrorCode::not_found, "that timer is not running");
  // A start that our own clock has not reached yet came from a device, while ours is in doubt.
  const bool began_later = start_of(*running) > writer.now();
  CHECK_OK(stop_at(writer, *running, end.value_or(began_later ? writer.latest() : writer.now()), Rule::direct));
  return get_entry(writer, running->id);
}

}  // namespace syncline::kaisho
