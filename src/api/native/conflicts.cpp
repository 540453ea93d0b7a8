// Versions that lost: list, restore, dismiss.
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
  TRY_CALL(call, const SpaceName space, space_of(*call));
  TRY_CALL(call, const auto state, state_of(*call));
  TRY_CALL(call, const std::int64_t limit, call->query_integer("limit", 1, kConflictsMax, kConflictsMax));
  TRY_CALL(call, const std::int64_t after, call->query_integer("after", 0, INT64_MAX, 0));
  std::string body = "{\"conflicts\":[";
  CHECK_CALL(call, spaces_.read(space, [&](Snapshot& snapshot) -> Result<> {
    TRY(const auto conflicts, snapshot.conflicts(state, {after}, static_cast<std::size_t>(limit)));
    for (const Conflict& conflict : conflicts) {
      if (body.size() > kListBytesMax) break;  // the next page has the rest
      if (body.back() != '[') body += ',';
      TRY(const auto winner, snapshot.find(conflict.loser.collection, conflict.loser.id));
      append_conflict(body, conflict, winner, access_.label_of(conflict.loser.origin));
    }
    return {};
  }));
  call->respond_json(200, body + "]}");
}

void Face::decide_conflict(const api::CallPtr& call) {
  TRY_CALL(call, const SpaceName space, space_of(*call));
  TRY_CALL(call, const JsonView json, call->json_object());
  const auto number = parse_integer(call->param("id"));
  if (!number) return call->fail(Error{ErrorCode::not_found, "conflict not found"});
  const auto action = json.find("action");
  const std::string wanted = action ? action->as_string().value_or("") : "";
  if (wanted != "restore" && wanted != "dismiss") {
    return call->fail(Error{ErrorCode::invalid_argument, "action must be restore or dismiss"});
  }
  struct Outcome {
    Conflict conflict;
    std::optional<Record> winner;
  };
  auto outcome = std::make_shared<Outcome>();
  spaces_.write(
      space, call->principal().key,
      [outcome, number, wanted](SpaceWriter& writer) -> Result<> {
        TRY(outcome->conflict, wanted == "restore" ? writer.restore({*number}) : writer.dismiss({*number}));
        const Record& loser = outcome->conflict.loser;
        TRY(outcome->winner, writer.txn().find(loser.collection, loser.id));
        return {};
      },
      [outcome, call, this](Result<Cursor> cursor) {
        if (!cursor) return call->fail(cursor.error());
        std::string body;
        append_conflict(body, outcome->conflict, outcome->winner, access_.label_of(outcome->conflict.loser.origin));
        call->respond_json(200, std::move(body));
      });
}

}  // namespace syncline::native
