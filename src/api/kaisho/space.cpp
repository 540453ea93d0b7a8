#include "api/kaisho/space.hpp"

#include "api/kaisho/timer.hpp"
#include "wire/kaisho_rows.hpp"

namespace syncline::kaisho {

namespace {

/// On a copy of another store: what arrives without a customer waits for one.
void mark_if_from_cloud(SpaceWriter& writer, const Record* before, const Record& after) {
  if (writer.source() == Source::author) return;
  const bool lacks_customer = !after.deleted && JsonView(after.doc).text_of("customer").empty();
  if (before == nullptr && lacks_customer) writer.txn().put_value(from_cloud_value(after.id), "1");
  if (before != nullptr && !lacks_customer) writer.txn().put_value(from_cloud_value(after.id), "");
}

/// What nobody sets on purpose: an end before the start, and a stop of what somebody has stopped before. Whoever names
/// the version or the time of an edit has seen that, or is judged by the merge. An entry that has such times already
/// may be changed otherwise.
Result<> check_pushed_entry(const Op& op, const Record* stored) {
  const JsonObject row{JsonView(op.doc)};
  const auto sent = [&](std::string_view name) {
    const auto value = row.find(name);
    return value ? parse_client_time(*value) : std::nullopt;
  };
  const bool is_live = stored != nullptr && !stored->deleted;
  const bool keeps_times =
      is_live && sent("start") == time_field(stored->doc, "start") && sent("end") == time_field(stored->doc, "end");
  if (keeps_times) return {};
  CHECK_OK(check_order_of_times(row));
  const auto stopped_at = is_live ? time_field(stored->doc, "end") : std::nullopt;
  if (!stopped_at || op.updated_at || op.base) return {};
  const auto end = sent("end");
  if (end && *end <= *stopped_at) return {};
  return fail(ErrorCode::precondition_failed, "the entry ended at " + format_time(*stopped_at) +
                                                  " already; to change that, name the version that you edit (base, "
                                                  "If-Match) or the time of the edit (updated_at)");
}

}  // namespace

SpaceRules make_space_rules() {
  SpaceRules rules;
  for (const Resource& resource : resources()) {
    CollectionRules& collection = rules.collections[std::string(resource.collection)];
    collection.merge.tie = MergePolicy::Tie::stored_stays;
    collection.merge.echo = MergePolicy::Echo::changes_nothing;
    collection.merge.ahead = MergePolicy::Ahead::kept;
    collection.merge.seen = MergePolicy::Seen::pulled_before_edit;
    collection.stale_author = CollectionRules::StaleAuthor::pulls_again;
    collection.shape = [&resource](const Op& op, const Record* stored, Timestamp now) -> Result<std::string> {
      // A delete without a document keeps what is there.
      const bool bare = op.doc.empty();
      if (bare && stored != nullptr) return shape_row(resource, JsonView(stored->doc), stored, op.deleted, now);
      return shape_row(resource, JsonView(bare ? "{}" : op.doc), stored, op.deleted, now);
    };
  }
  rules.collections[std::string(kReference)].check = [](const Op& op) -> Result<> {
    if (op.deleted || op.id == "config") return {};
    const auto items = JsonView(op.doc).find("items");
    if (items && items->is_array()) return {};
    return fail(ErrorCode::invalid_document, "a reference list must be {\"items\": [...]}");
  };
  rules.collections["entries"].check_generic = check_pushed_entry;
  rules.collections["entries"].on_put = [](SpaceWriter& writer, const Record* before, const Record& after) -> Result<> {
    mark_if_from_cloud(writer, before, after);
    return keep_one_timer(writer, before, after);
  };
  rules.values = {std::string(kSummaryValue)};
  rules.on_written = [](SpaceWriter& writer) {
    for (const Resource& resource : resources()) {
      const auto changed = writer.changed().find(resource.collection);
      if (changed == writer.changed().end() || changed->second == 0) continue;
      writer.announce(event_text(resource.event, "{\"count\":" + std::to_string(changed->second) + "}"));
    }
  };
  return rules;
}

std::string event_text(std::string_view event, std::string_view data) {
  std::string text;
  JsonWriter(text).begin_object().string("event", event).raw("data", data).end_object();
  return text;
}

}  // namespace syncline::kaisho
