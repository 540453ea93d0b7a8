#include "service/spaces.hpp"

#include <future>

#include "base/log.hpp"

namespace syncline {
namespace {

/// Devices come one after the other, and each of their spaces: the operator need not read of each.
constexpr std::int64_t kLossNotedEachMicros = 60 * kMicrosPerSecond;

/// What the write itself looks up, and what the rules of its space do.
NameReads with_those_of_rules(NameReads reads, const SpaceRules& rules) {
  if (rules.values.empty()) return reads;
  return [own = std::move(reads), &rules] {
    Reads all = own ? own() : Reads{};
    all.values.insert(all.values.end(), rules.values.begin(), rules.values.end());
    return all;
  };
}

}  // namespace

void Spaces::write(const SpaceName& space, KeyNumber author, NameReads reads, WriteBody run, WriteDone done) {
  const SpaceRules& rules = rules_.rules_of(space.name);
  WriteOptions options = rules.options;
  options.reads = with_those_of_rules(std::move(reads), rules);
  struct Said {
    std::vector<std::string> messages;
    std::vector<std::move_only_function<void()>> followers;
    bool has_emitted = false;
    SpaceInfo after;
    Quotas::Claim claim;
  };
  auto said = std::make_shared<Said>();
  store_.write(
      space, options,
      [this, space, author, &rules, said, body = std::move(run)](Txn& txn) mutable -> Result<> {
        const EventTypes wanted = audience_ != nullptr ? audience_->wanted(space.account) : EventTypes{};
        TRY(const Seq seen, progress_.seen_through(author, space));
        const Author who{author, seen, std::max(seen, progress_.head_at_start(space))};
        const SpaceInfo before = quotas_ != nullptr ? txn.info() : SpaceInfo{};
        SpaceWriter writer(txn, rules, who, wanted);
        CHECK_OK(body(writer));
        if (rules.on_written) rules.on_written(writer);
        if (quotas_ != nullptr) {
          said->after = txn.info();
          CHECK_OK(quotas_->claim(said->claim, before, said->after));
        }
        for (const auto witness : {Clock::Witness::client, Clock::Witness::store}) {
          const auto stamp = writer.latest_stamp_of(witness);
          if (stamp) writer.after_commit([this, stamp, witness] { clock_.note_stamp(*stamp, witness); });
        }
        said->messages = std::move(writer.messages());
        said->followers = std::move(writer.followers());
        said->has_emitted = writer.has_emitted();
        return {};
      },
      [this, space, said, finish = std::move(done)](Result<Committed> committed) mutable {
        if (committed) said->after.head = committed->head;
        if (quotas_ != nullptr) quotas_->settle(space.account, said->claim, committed ? &said->after : nullptr);
        if (!committed) {
          const bool is_refused = committed.error().code == ErrorCode::quota_exceeded;
          if (is_refused && quotas_ != nullptr) quotas_->note_refusal();
          return finish(std::unexpected(committed.error()));
        }
        for (auto& follow : said->followers) follow();
        if (committed->changed) live_.notify(space, committed->head);
        if (!said->messages.empty()) live_.announce(space, said->messages);
        if (said->has_emitted) audience_->on_events();
        finish(cursor(space, committed->head));
      });
}

Result<Cursor> Spaces::write_and_wait(const SpaceName& space, KeyNumber author, NameReads reads, WriteBody run) {
  std::promise<Result<Cursor>> promise;
  auto future = promise.get_future();
  write(space, author, std::move(reads), std::move(run),
        [&](Result<Cursor> result) { promise.set_value(std::move(result)); });
  return future.get();
}

Cursor Spaces::cursor(const SpaceName& space, Seq seq, Seq heard_through) const {
  Cursor cursor{.epoch = store_.epoch(space), .seq = seq, .heard_through = heard_through};
  cursor.incarnation = store_.lineage(space)->at(cursor.knows_through());
  return cursor;
}

Result<Seq> Spaces::resume(const SpaceName& space, const Cursor& cursor) {
  if (cursor.epoch.empty()) return Seq{0};
  const Seq head = store_.head(space);
  // Who is at the head cannot have missed purged deletions. Who is past it has read a commit that a snapshot showed
  // before the head did, so a snapshot must tell.
  if (cursor.seq == head && cursor.knows_through() <= head) {
    auto since = resume_at(cursor, store_.epoch(space), *store_.lineage(space), head, {});
    if (!since && since.error().code != ErrorCode::cursor_expired) note_lost_changes(space, cursor);
    return since;
  }
  Result<Seq> since;
  CHECK_OK(store_.read(space, [&](Snapshot& snapshot) -> Result<> {
    since = resume_in(snapshot, space, cursor);
    return {};
  }));
  return since;
}

Result<Seq> Spaces::resume_in(Snapshot& snapshot, const SpaceName& space, const Cursor& cursor) {
  const SpaceInfo& info = snapshot.info();
  auto since = resume_at(cursor, info.epoch, *store_.lineage(space), info.head, info.purged_through);
  if (!since && since.error().code != ErrorCode::cursor_expired) note_lost_changes(space, cursor);
  return since;
}

Result<> Spaces::check(const SpaceName& space, const Cursor& cursor) {
  std::string epoch = store_.epoch(space);
  Seq head = store_.head(space);
  if (cursor.knows_through() > head) {
    CHECK_OK(store_.read(space, [&](Snapshot& snapshot) -> Result<> {
      epoch = snapshot.info().epoch;
      head = snapshot.info().head;
      return {};
    }));
  }
  auto checked = check_history(cursor, epoch, *store_.lineage(space), head);
  if (!checked) note_lost_changes(space, cursor);
  return checked;
}

Result<> Spaces::check_history_of(const SpaceName& space, const Cursor& history, Seq through) {
  return check_history({.epoch = history.epoch, .seq = through, .incarnation = history.incarnation},
                       store_.epoch(space), *store_.lineage(space), through);
}

void Spaces::note_lost_changes(const SpaceName& space, const Cursor& cursor) {
  if (cursor.epoch != store_.epoch(space)) return;  // of before a restore, which the operator knows of
  const std::int64_t now = clock_.now().micros;
  std::int64_t noted = loss_noted_micros_;
  const bool is_time = noted == 0 || now - noted >= kLossNotedEachMicros || now < noted;
  if (!is_time || !loss_noted_micros_.compare_exchange_strong(noted, now)) return;
  log(LogLevel::error, "store_went_back",
      {{"space", space.name},
       {"account", space.account.value},
       {"device_knows", cursor.to_text()},
       {"newest_change", store_.head(space).value},
       {"reason",
        "a device has changes that this store does not have: an older copy replaced the store, or it lost "
        "commits"},
       {"what_now", "the device sends its data again"}});
}

std::string Spaces::lost_history_warning() const {
  const std::int64_t noted = loss_noted_micros_;
  if (noted == 0 || std::abs(clock_.now().micros - noted) >= kLossShownMicros) return "";
  return "at " + format_time(Timestamp{noted}) +
         ", a device had changes that this store does not have: an older copy replaced the store, or it lost "
         "commits; devices send again what they still have";
}

void Spaces::wait(const SpaceName& space, Seq since, std::int64_t wait_ms, std::move_only_function<void()> done) {
  live_.wait_for_change(space, since, [this, space] { return store_.head(space); }, wait_ms, std::move(done));
}

}  // namespace syncline
