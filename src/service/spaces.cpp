#include "service/spaces.hpp"

#include <future>

namespace syncline {

void Spaces::write(const SpaceName& space, KeyNumber author, WriteBody run,
                   std::move_only_function<void(Result<Cursor>)> done) {
  const SpaceRules& rules = rules_.rules_of(space.name);
  struct Said {
    std::vector<std::string> messages;
    bool has_emitted = false;
  };
  auto said = std::make_shared<Said>();
  store_.write(
      space, rules.options,
      [this, space, author, &rules, said, body = std::move(run)](Txn& txn) mutable -> Result<> {
        const EventTypes wanted = audience_ != nullptr ? audience_->wanted(space.account) : EventTypes{};
        const Seq seen = progress_.seen_through(author, space);
        const Author who{author, seen, std::max(seen, progress_.head_at_start(space))};
        SpaceWriter writer(txn, rules, who, clock_.now(), wanted);
        CHECK_OK(body(writer));
        if (rules.on_written) rules.on_written(writer);
        *said = {std::move(writer.messages()), writer.has_emitted()};
        return {};
      },
      [this, space, said, finish = std::move(done)](Result<Committed> committed) mutable {
        if (!committed) return finish(std::unexpected(committed.error()));
        if (committed->changed) live_.notify(space, committed->head);
        if (!said->messages.empty()) live_.announce(space, said->messages);
        if (said->has_emitted) audience_->on_events();
        finish(cursor(committed->head));
      });
}

Result<Cursor> Spaces::write_and_wait(const SpaceName& space, KeyNumber author, WriteBody run) {
  std::promise<Result<Cursor>> promise;
  auto future = promise.get_future();
  write(space, author, std::move(run), [&](Result<Cursor> result) { promise.set_value(std::move(result)); });
  return future.get();
}

Result<Seq> Spaces::resume(const SpaceName& space, const Cursor& cursor) {
  if (cursor.epoch.empty()) return Seq{0};
  const Seq head = store_.head(space);
  Seq purged_through;
  if (cursor.seq < head) {  // only an old cursor can have missed purged deletions
    CHECK_OK(store_.read(space, [&](Snapshot& snapshot) -> Result<> {
      purged_through = snapshot.info().purged_through;
      return {};
    }));
  }
  return resume_at(cursor, store_.epoch(), head, purged_through);
}

void Spaces::wait(const SpaceName& space, Seq since, std::int64_t wait_ms, std::function<void()> done) {
  live_.wait_for_change(space, since, [this, space] { return store_.head(space); }, wait_ms, std::move(done));
}

}  // namespace syncline
