// changes, apply and ack: the same three calls for each of the five resources.
//
// changes and ack need read, apply needs write. Errors: 400 if no row can be read, or for a wrong limit; a row that
// cannot be stored is named in the answer instead. apply changes rows of its resource, and may stop the running timer;
// ack changes marks beside the feed; changes notes how far the key has pulled.
#include <algorithm>

#include "api/kaisho/change_cursor.hpp"
#include "api/kaisho/routes.hpp"
#include "base/text.hpp"

namespace syncline::kaisho {
namespace {

constexpr std::int64_t kPageRowsDefault = 200;
constexpr std::int64_t kChangesPageRowsMax = 500;
/// A page ends behind so many bytes: rows may be large.
constexpr std::size_t kPageBytesMax = 8UL << 20U;
/// What is said of rows that are left out.
constexpr std::size_t kLeftOutBytesMax = 64UL << 10U;
/// Documents that one apply may put: rows that repeat an id inherit what their client does not know, each time.
constexpr std::size_t kApplyBytesMax = 256UL << 20U;
/// So many rows that nobody can read are no accident.
constexpr std::size_t kFaultsMax = 1000;
constexpr std::size_t kAcknowledgedMax = 1'000'000;

struct Page {
  std::string rows;
  std::int64_t count = 0;
  Seq last;
  bool has_more = false;
  /// Rows behind the cursor that no desktop could take: ids, and {"id", "error"}.
  std::string left_out_ids;
  std::string left_out;
};

void append_item(std::string& list, const std::string& item) {
  if (!list.empty()) list += ',';
  list += item;
}

/// Names a row that is not delivered: a desktop that pulls it fails, now and ever after.
void leave_out(Page& page, const RecordView& record, const std::string& why) {
  std::string id;
  append_json_string(id, record.id);
  std::string problem;
  JsonWriter(problem).begin_object().raw("id", id).string("error", why).end_object();
  append_item(page.left_out_ids, id);
  append_item(page.left_out, problem);
}

Result<Page> read_page(Snapshot& snapshot, const Resource& resource, Seq since, std::int64_t limit) {
  Page page;
  CHECK_OK(snapshot.feed(since, [&](const RecordView& record) {
    if (record.collection != resource.collection || record.rule == Rule::wiped) return true;
    if (page.count == limit || page.rows.size() > kPageBytesMax) {
      page.has_more = true;
      return false;
    }
    if (const auto why = why_not_deliverable(resource, record)) {
      if (page.left_out.size() < kLeftOutBytesMax) leave_out(page, record, *why);
      return true;
    }
    if (page.count > 0) page.rows += ',';
    append_row(page.rows, record);
    page.count += 1;
    page.last = record.seq;
    return true;
  }));
  return page;
}

/// Why a row is not stored.
struct Fault {
  /// `refused`: a row that a client may send all the same.
  enum class Kind : std::uint8_t { malformed, refused };
  Kind kind = Kind::malformed;
  std::string text;
};

Fault fault_of(const Error& error) {
  return {error.code == ErrorCode::invalid_argument ? Fault::Kind::malformed : Fault::Kind::refused, error.text};
}

/// One row of an apply, as it came.
struct Row {
  std::string id;
  Op op;
  std::optional<Fault> fault;  // of its form: nothing to store
};

/// What a write made of the rows.
struct Applied {
  std::int64_t inserted = 0;
  std::int64_t updated = 0;
  std::int64_t skipped = 0;
  std::map<std::size_t, Fault> faults;  // by row
};

struct Apply {
  api::CallPtr call;
  std::vector<Row> rows;
  Applied applied;

  /// Nothing for a row that was stored.
  [[nodiscard]] const Fault* fault_of_row(std::size_t at) const {
    if (rows[at].fault) return &*rows[at].fault;
    const auto found = applied.faults.find(at);
    return found == applied.faults.end() ? nullptr : &found->second;
  }
};

Result<std::string> text_member(JsonView row, std::string_view name) {
  const auto value = row.find(name);
  if (!value) return fail(ErrorCode::invalid_argument, std::string(name) + " is missing");
  auto text = value->as_string();
  if (!text) return fail(ErrorCode::invalid_argument, std::string(name) + " must be a string");
  return *std::move(text);
}

Result<> read_row(Row& row, JsonView json, bool is_doubtful, const Resource& resource) {
  if (!json.is_object()) return fail(ErrorCode::invalid_argument, "a row must be an object");
  TRY(row.id, text_member(json, "id"));
  // People edit ids by hand: such a row is no reason to refuse its batch.
  if (const auto good = check_record_id(row.id); !good) return fail(ErrorCode::invalid_document, good.error().text);
  if (const auto good = api::check_part(json, limits::kDocumentDepthMax, is_doubtful); !good) {
    return fail(good.error().code, "the row " + good.error().text);
  }
  const auto updated_at = json.find("updated_at");
  if (!updated_at) return fail(ErrorCode::invalid_argument, "updated_at is missing");
  const auto stamp = parse_client_time(*updated_at);
  if (!stamp) return fail(ErrorCode::invalid_argument, "updated_at must be a time like 2026-11-22T09:05:00Z");
  if (!is_client_time(*stamp)) {
    return fail(ErrorCode::invalid_document, "updated_at must be " + std::string(kClientYears));
  }
  const auto deleted_at = json.find("deleted_at");
  row.op.collection = resource.collection;
  row.op.updated_at = *stamp;
  row.op.deleted = deleted_at && deleted_at->kind() != JsonKind::null;
  row.op.doc = json.raw();
  return {};
}

Result<> read_rows(Apply& apply, const Resource& resource) {
  TRY(const api::JsonParts parts, apply.call->json_parts());
  const auto rows = parts.json.find("entries");
  if (!rows || !rows->is_array()) return fail(ErrorCode::invalid_argument, "entries must be a list of rows");
  std::size_t faults = 0;
  rows->for_each_element([&](JsonView json) {
    if (faults > kFaultsMax) return;
    Row& row = apply.rows.emplace_back();
    if (const auto read = read_row(row, json, parts.is_doubtful, resource); !read) {
      row.fault = fault_of(read.error());
      faults += 1;
    }
  });
  if (faults > kFaultsMax) {
    return fail(ErrorCode::invalid_argument, "more than " + std::to_string(kFaultsMax) +
                                                 " rows cannot be read, the first because " +
                                                 (apply.rows.front().fault ? apply.rows.front().fault->text : ""));
  }
  for (Row& row : apply.rows) row.op.id = row.id;  // now that no row moves any more
  return {};
}

Reads reads_of(const Apply& apply) {
  Reads reads;
  for (const Row& row : apply.rows) {
    if (!row.fault) reads.records.push_back({std::string(row.op.collection), row.id});
  }
  return reads;
}

Result<Applied> apply_rows(const std::vector<Row>& rows, SpaceWriter& writer, const Resource& resource) {
  Applied applied;
  std::size_t bytes = 0;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    if (rows[i].fault) continue;
    if (bytes > kApplyBytesMax) {
      applied.faults[i] = fault_of({ErrorCode::too_large, "the request is too large; send this row again"});
      continue;
    }
    TRY(const OpResult result, writer.apply(rows[i].op));
    if (result.error) {
      applied.faults[i] = fault_of(*result.error);
    } else if (result.status == OpStatus::applied) {
      (result.created ? applied.inserted : applied.updated) += 1;
      bytes += result.doc_bytes;
    } else {
      applied.skipped += 1;
    }
  }
  // A timer that was stopped on the way is no row of this request.
  if (const std::int64_t changed = applied.inserted + applied.updated; changed > 0) {
    writer.changed()[std::string(resource.collection)] = changed;
  }
  return applied;
}

/// No row is one: the request as a whole is at fault. Nothing if at least one could be read.
std::optional<std::string> fault_of_all(const Apply& apply) {
  for (std::size_t i = 0; i < apply.rows.size(); ++i) {
    const Fault* fault = apply.fault_of_row(i);
    if (fault == nullptr || fault->kind != Fault::Kind::malformed) return std::nullopt;
  }
  if (apply.rows.empty()) return std::nullopt;
  const Row& first = apply.rows.front();
  return "entries[0]" + (first.id.empty() ? "" : " (" + first.id + ")") + ": " + apply.fault_of_row(0)->text;
}

void answer(const Apply& apply, Timestamp now) {
  if (const auto fault = fault_of_all(apply)) return apply.call->fail(Error{ErrorCode::invalid_argument, *fault});
  std::string out;
  JsonWriter writer(out);
  writer.begin_object()
      .integer("inserted", apply.applied.inserted)
      .integer("updated", apply.applied.updated)
      .integer("skipped", apply.applied.skipped);
  std::string errors;
  JsonWriter problems(errors);
  writer.name("errors").begin_array();
  problems.begin_array();
  for (std::size_t i = 0; i < apply.rows.size(); ++i) {
    const Fault* fault = apply.fault_of_row(i);
    if (fault == nullptr) continue;
    writer.string(apply.rows[i].id);
    problems.begin_object()
        .integer("row", static_cast<std::int64_t>(i))
        .string("id", apply.rows[i].id)
        .string("error", fault->text)
        .end_object();
  }
  writer.end_array();
  problems.end_array();
  if (errors != "[]") writer.raw("problems", errors);
  writer.string("applied_at", format_time(now)).end_object();
  apply.call->respond_json(200, std::move(out));
}

Result<std::vector<std::string>> read_ids(api::Call& call) {
  TRY(const JsonView json, call.json_object());
  const auto list = json.find("ids");
  if (!list || !list->is_array()) return fail(ErrorCode::invalid_argument, "ids must be a list of strings");
  std::vector<std::string> ids;
  bool all_text = true;
  list->for_each_element([&](JsonView value) {
    auto id = value.as_string();
    all_text = all_text && id.has_value();
    if (id) ids.push_back(*std::move(id));
  });
  if (!all_text) return fail(ErrorCode::invalid_argument, "ids must be a list of strings");
  if (ids.empty()) return fail(ErrorCode::invalid_argument, "ids must name at least one row");
  std::ranges::sort(ids);
  ids.erase(std::ranges::unique(ids).begin(), ids.end());
  if (ids.size() > kAcknowledgedMax) return fail(ErrorCode::too_large, "too many ids in one request");
  return ids;
}

/// What an acknowledgement comes to: how many rows there are, and which of them are to be marked.
struct Acknowledged {
  std::int64_t rows = 0;
  std::vector<std::string> to_mark;
};

Result<Acknowledged> look_up(Snapshot& snapshot, const Resource& resource, const std::vector<std::string>& ids) {
  const bool has_marks = &resource == &entries();
  Acknowledged found;
  for (const std::string& id : ids) {
    TRY(const auto record, snapshot.find_undamaged(resource.collection, id));
    if (!record || record->rule == Rule::wiped) continue;
    found.rows += 1;
    if (!has_marks) continue;
    TRY(const auto mark, snapshot.find_value(synced_at_value(id)));
    const bool marked_since = mark && parse_integer(*mark).value_or(0) >= record->committed_at.micros;
    if (!marked_since) found.to_mark.push_back(id);
  }
  return found;
}

void respond_acknowledged(const api::CallPtr& call, std::int64_t rows) {
  call->respond_json(200, "{\"acked\":" + std::to_string(rows) + "}");
}

}  // namespace

SpaceName Face::pulled_of(const SpaceName& space, const Resource& resource) {
  return {space.account, space.name + '#' + std::string(resource.collection)};  // no space has such a name
}

void Face::get_changes(const api::CallPtr& call, const Resource& resource) {
  TRY_CALL(call, const std::int64_t limit, call->query_integer("limit", 1, kChangesPageRowsMax, kPageRowsDefault));
  const SpaceName space = space_of(*call);
  const SpaceName pulled = pulled_of(space, resource);
  const std::string text = call->query("since").value_or("1970-01-01T00:00:00Z");
  Page page;
  Seq since;
  std::string epoch;
  CHECK_CALL(call, spaces_.read(space, [&](Snapshot& snapshot) -> Result<> {
    const Seq head = snapshot.info().head;
    epoch = snapshot.info().epoch;
    since = parse_change_cursor(text, epoch, *spaces_.lineage(space), head);
    TRY(page, read_page(snapshot, resource, quiet_ends_.skip(pulled, since), limit));
    if (page.count == 0 && page.left_out.empty()) quiet_ends_.note(pulled, since, head);
    return {};
  }));
  // An empty page says so too: whoever asks from there has everything up to there.
  spaces_.note_pulled(call->principal().key, pulled, page.count > 0 ? page.last : since);
  std::string out;
  out.reserve(page.rows.size() + 200);
  JsonWriter(out)
      .begin_object()
      .string("now", format_time(spaces_.clock().now()))
      .string("cursor", page.count > 0 ? format_change_cursor(spaces_.cursor(space, page.last)) : text)
      .boolean("has_more", page.has_more)
      .name("entries");
  out.append("[").append(page.rows).append("]");
  if (!page.left_out.empty()) {
    out.append(R"(,"errors":[)")
        .append(page.left_out_ids)
        .append(R"(],"problems":[)")
        .append(page.left_out)
        .append("]");
  }
  out += '}';
  call->respond_json(200, std::move(out));
}

void Face::apply(const api::CallPtr& call, const Resource& resource) {
  auto state = std::make_shared<Apply>();
  state->call = call;
  CHECK_CALL(call, read_rows(*state, resource));
  TRY_CALL(call, const Seq seen, spaces_.pulled_through(call->principal().key, pulled_of(space_of(*call), resource)));
  spaces_.write(
      space_of(*call), call->principal().key, [state] { return reads_of(*state); },
      [state, &resource, seen](SpaceWriter& writer) -> Result<> {
        writer.note_seen_through(seen);
        TRY(state->applied, apply_rows(state->rows, writer, resource));
        return {};
      },
      [state, this_clock = &spaces_.clock()](Result<Cursor> cursor) {
        if (!cursor) return state->call->fail(cursor.error());
        answer(*state, this_clock->now());
      });
}

void Face::acknowledge(const api::CallPtr& call, const Resource& resource) {
  TRY_CALL(call, const auto ids, read_ids(*call));
  const SpaceName space = space_of(*call);
  Acknowledged found;
  CHECK_CALL(call, spaces_.read(space, [&](Snapshot& snapshot) -> Result<> {
    TRY(found, look_up(snapshot, resource, ids));
    return {};
  }));
  if (found.to_mark.empty()) return respond_acknowledged(call, found.rows);
  const std::int64_t rows = found.rows;
  spaces_.write(
      space, call->principal().key,
      [to_mark = std::move(found.to_mark)](SpaceWriter& writer) -> Result<> {
        const std::string now = std::to_string(writer.now().micros);
        for (const std::string& id : to_mark) writer.txn().put_value(synced_at_value(id), now);
        return {};
      },
      [call, rows](const Result<Cursor>& cursor) {
        if (!cursor) return call->fail(cursor.error());
        respond_acknowledged(call, rows);
      });
}

namespace {

/// The same for all resources, each with a row of its own as the example.
std::string_view apply_schema_of(const Resource& resource) {
  if (resource.collection == "inbox") return "KaishoApplyInbox";
  if (resource.collection == "tasks") return "KaishoApplyTasks";
  if (resource.collection == "notes") return "KaishoApplyNotes";
  if (resource.collection == "projects") return "KaishoApplyProjects";
  return "KaishoApplyEntries";
}

}  // namespace

void Face::add_sync_routes(Routes& routes) {
  for (const Resource& resource : resources()) {
    routes
        .get(resource.changes_path, Scope::read, "List rows that changed after a cursor", &Face::get_changes, resource)
        .described(
            "Live rows and tombstones, oldest change first. Rows with times outside of the years 1900 to 2200, which "
            "stores of earlier versions may have, are left out, and named in errors.")
        .query("since", "the cursor of the previous page; all rows if absent")
        .query_integer("limit", "rows of a page, 1 to 500; 200 if absent")
        .answers(200, "a page of rows", "KaishoChanges")
        .answers(400, "limit is not a positive number");
    routes.post(resource.apply_path, Scope::write, "Store rows", &Face::apply, resource)
        .described(
            "A row replaces the stored one if its updated_at is later; an equal row changes nothing. A row that cannot "
            "be stored is listed in errors and never blocks the others.")
        .body("entries: a list of rows, of any length", apply_schema_of(resource))
        .body_at_most(limits::kBodyBytesLarge)
        .answers(200, "how many rows were stored, and which were not", "KaishoApplied")
        .answers(400, "no row could be read; error names the row and the field");
    routes.post(resource.ack_path, Scope::read, "Mark rows as seen by a desktop", &Face::acknowledge, resource)
        .body("ids: a list of ids, of any length", "KaishoIds")
        .body_at_most(limits::kBodyBytesLarge)
        .answers(200, "acked: how many of these rows exist", "KaishoAcknowledged")
        .answers(400, "not a list of ids");
  }
}

}  // namespace syncline::kaisho
