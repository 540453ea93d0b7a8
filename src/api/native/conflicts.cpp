// Edits that lost a merge: list, restore, dismiss.
//
// Listing needs read, deciding write. Errors: 400 for a wrong state or action, 404 for an unknown conflict, 409 for one
// that is decided. Restoring writes the losing edit as a new version; both decisions change the state of the conflict.
#include "api/idempotency.hpp"
#include "api/native/record_json.hpp"
#include "api/native/routes.hpp"
#include "base/text.hpp"

namespace syncline::native {
namespace {

constexpr std::int64_t kConflictsMax = 500;

Result<std::optional<ConflictState>> state_of(const api::Call& call) {
  const std::string text = call.query("state").value_or("open");
  if (text == "all") return std::nullopt;
  for (const auto state : {ConflictState::open, ConflictState::restored, ConflictState::dismissed}) {
    if (text == to_text(state)) return state;
  }
  return fail(ErrorCode::invalid_argument, "state must be open, restored, dismissed or all");
}

}  // namespace

void Face::list_conflicts(const api::CallPtr& call) {
  const SpaceName& space = call->space();
  TRY_CALL(call, const auto state, state_of(*call));
  TRY_CALL(call, const Docs docs, docs_of(*call));
  TRY_CALL(call, const std::int64_t limit, call->query_integer("limit", 1, kConflictsMax, kConflictsMax));
  TRY_CALL(call, const std::int64_t after, call->query_integer("after", 0, INT64_MAX, 0));
  std::string body = "{\"conflicts\":[";
  CHECK_CALL(call, spaces_.read(space, [&](Snapshot& snapshot) -> Result<> {
    TRY(const auto conflicts, snapshot.conflicts(state, {after}, static_cast<std::size_t>(limit)));
    for (const Conflict& conflict : conflicts) {
      if (body.size() > kListBytesMax) break;  // the next page has the rest
      if (body.back() != '[') body += ',';
      TRY(const auto winner, find_winner(snapshot, conflict.loser));
      TRY(const std::string label, access_.label_of(conflict.loser.origin));
      append_conflict(body, conflict, winner, label, docs);
    }
    return {};
  }));
  call->respond_json(200, body + "]}");
}

void Face::decide_conflict(const api::CallPtr& call) {
  const SpaceName& space = call->space();
  TRY_CALL(call, const JsonView json, call->json_object());
  const auto number = parse_integer(call->param("id"));
  if (!number) return call->fail(Error{ErrorCode::not_found, "conflict not found"});
  const auto action = json.find("action");
  const std::string wanted = action ? action->as_string().value_or("") : "";
  if (wanted != "restore" && wanted != "dismiss") {
    return call->fail(Error{ErrorCode::invalid_argument, "action must be restore or dismiss"});
  }
  TRY_CALL(call, const Docs docs, docs_of(*call));
  struct Outcome {
    api::Idempotency idempotency;
    std::optional<Receipt> replayed;
    std::string body;
    Conflict conflict;
    std::optional<Record> winner;
  };
  auto outcome = std::make_shared<Outcome>();
  TRY_CALL(call, outcome->idempotency, api::Idempotency::of(*call));
  spaces_.write(
      space, call->principal().key,
      [outcome, number] {
        Reads reads{.conflicts = {ConflictNumber{*number}}};
        outcome->idempotency.declare(reads);
        return reads;
      },
      [outcome, number, wanted, docs, this](SpaceWriter& writer) -> Result<> {
        TRY(outcome->replayed, outcome->idempotency.find(writer.txn()));
        if (outcome->replayed) return {};
        TRY(outcome->conflict, wanted == "restore" ? writer.restore({*number}) : writer.dismiss({*number}));
        const Record& loser = outcome->conflict.loser;
        writer.expect(loser.collection, loser.id);
        TRY(outcome->winner, find_winner(writer.txn(), loser));
        // Before the commit: nothing may fail after it.
        TRY(const std::string loser_key_label, access_.label_of(loser.origin));
        outcome->body.clear();
        append_conflict(outcome->body, outcome->conflict, outcome->winner, loser_key_label, docs);
        outcome->idempotency.keep(writer.txn(), 200, outcome->body);
        return {};
      },
      [outcome, call](Result<Cursor> cursor) {
        if (!cursor) return call->fail(cursor.error());
        if (outcome->replayed) return call->respond(api::replay(*std::move(outcome->replayed)));
        call->respond_json(200, std::move(outcome->body));
      });
}

}  // namespace syncline::native
