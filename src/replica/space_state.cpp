#include "replica/space_state.hpp"

#include "base/json_object.hpp"

namespace syncline::replica {
namespace {

constexpr std::string_view kStateValue = "replica";

}  // namespace

Result<SpaceState> read_space_state(Snapshot& snapshot) {
  TRY(const auto text, snapshot.find_value(kStateValue));
  SpaceState state;
  if (!text) return state;
  const JsonObject object{JsonView(*text)};
  state.generation = object.integer_of("generation").value_or(1);
  state.epoch = object.text_of("epoch");
  TRY(state.cursor, parse_cursor(object.text_of("cursor")));
  TRY(state.known, parse_cursor(object.text_of("known")));
  state.pushed = {object.integer_of("pushed").value_or(0)};
  state.offer_through = {object.integer_of("offer_through").value_or(0)};
  const auto from_start = object.find("reads_from_start");
  state.reads_from_start = from_start && from_start->as_boolean().value_or(false);
  state.missed_in = {object.integer_of("missed_in").value_or(0)};
  if (const auto positions = object.find("positions")) state.positions = positions->raw();
  state.exchanged_at = {object.integer_of("exchanged_at").value_or(0)};
  return state;
}

void put_space_state(Txn& txn, const SpaceState& state) {
  std::string text;
  JsonWriter(text)
      .begin_object()
      .integer("generation", state.generation)
      .string("epoch", state.epoch)
      .string("cursor", state.cursor.epoch.empty() ? "0" : state.cursor.to_text())
      .string("known", state.known.epoch.empty() ? "0" : state.known.to_text())
      .integer("pushed", state.pushed.value)
      .integer("offer_through", state.offer_through.value)
      .boolean("reads_from_start", state.reads_from_start)
      .integer("missed_in", state.missed_in.value)
      .raw("positions", state.positions)
      .integer("exchanged_at", state.exchanged_at.micros)
      .end_object();
  txn.put_value(kStateValue, std::move(text));
}

}  // namespace syncline::replica
