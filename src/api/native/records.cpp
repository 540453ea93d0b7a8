// One record: read, write, delete, and its earlier versions.
//
// Reading needs read, changing write. Errors: 400 for a wrong name or document, 404 for a record that is unknown or,
// when it is read, deleted, 412 if a precondition fails. Changes one record.
#include "api/entity_tag.hpp"
#include "api/native/record_json.hpp"
#include "api/native/routes.hpp"

namespace syncline::native {
namespace {

struct Target {
  SpaceName space;
  std::string collection;
  std::string id;
};

Result<Target> target_of(const api::Call& call) {
  Target target{call.space(), call.param("collection"), call.param("id")};
  CHECK_OK(check_collection_name(target.collection));
  CHECK_OK(check_record_id(target.id));
  return target;
}

Error not_found() { return {ErrorCode::not_found, "record not found"}; }

std::string etag_of(const Spaces& spaces, const SpaceName& space, Seq seq) {
  return '"' + spaces.cursor(space, seq).to_text() + '"';
}

http::Response record_response(const Spaces& spaces, const SpaceName& space, int status, const Record& record,
                               Docs docs) {
  std::string body;
  append_record(body, view_of(record), docs);
  auto response = http::make_text(status, "application/json", std::move(body));
  response.headers.push_back({"ETag", etag_of(spaces, space, record.seq)});
  response.headers.push_back({"Cache-Control", "private, no-cache"});
  return response;
}

/// What If-Match and If-None-Match demand of the stored record.
Result<> check_preconditions(const Spaces& spaces, const SpaceName& space, const api::Call& call,
                             const std::optional<Record>& stored) {
  const bool exists = stored && !stored->deleted;
  const std::string etag = stored ? etag_of(spaces, space, stored->seq) : "";
  const std::string_view if_match = call.header("If-Match");
  if (!if_match.empty() && (!exists || !api::lists_etag(if_match, etag))) {
    return fail(ErrorCode::precondition_failed, "the record does not match If-Match");
  }
  const std::string_view if_none_match = call.header("If-None-Match");
  if (!if_none_match.empty() && exists && api::lists_etag(if_none_match, etag)) {
    return fail(ErrorCode::precondition_failed, "the record already exists");
  }
  return {};
}

/// A PUT or DELETE on its way through the store.
struct Edit {
  api::CallPtr call;
  Target target;
  Docs docs = Docs::values;  // of the answer

  [[nodiscard]] Reads reads() const { return {.records = {RecordKey{target.collection, target.id}}}; }

  // What it came to, in the last run of its write.
  bool existed = false;  // live, before
  bool known = false;    // live or deleted, before
  std::optional<OpResult> result;
  std::optional<Record> after;
};

Result<> apply(Edit& edit, bool deleted, SpaceWriter& writer, const Spaces& spaces) {
  Txn& txn = writer.txn();
  TRY(const auto stored, writer.find(edit.target.collection, edit.target.id));
  const bool is_damaged = writer.is_damaged(edit.target.collection, edit.target.id);
  edit.known = is_damaged || stored;
  edit.existed = is_damaged || (stored && !stored->deleted);
  CHECK_OK(check_preconditions(spaces, edit.target.space, *edit.call, stored));
  if (deleted && !edit.existed) return {};
  Op op{.collection = edit.target.collection, .id = edit.target.id, .deleted = deleted};
  if (!deleted) op.doc = edit.call->body();
  if (stored && !edit.call->header("If-Match").empty()) op.base = stored->seq;
  TRY(edit.result, writer.apply(op, SpaceWriter::Caller::generic));
  if (edit.result->error) return std::unexpected(*edit.result->error);
  TRY(edit.after, txn.find(edit.target.collection, edit.target.id));
  return {};
}

Result<> check_document(std::string& body) {
  CHECK_OK(api::error_of(check_json(body, limits::kDocumentDepthMax)));
  const std::string trimmed(JsonView(body).raw());
  if (!JsonView(trimmed).is_object()) return fail(ErrorCode::invalid_document, "the document must be a JSON object");
  body = trimmed;
  return {};
}

}  // namespace

void Face::get_record(const api::CallPtr& call) {
  TRY_CALL(call, const Target target, target_of(*call));
  TRY_CALL(call, const Docs docs, docs_of(*call));
  std::optional<Record> record;
  CHECK_CALL(call, spaces_.read(target.space, [&](Snapshot& snapshot) -> Result<> {
    TRY(record, snapshot.find(target.collection, target.id));
    return {};
  }));
  if (!record || record->deleted) return call->fail(not_found());
  const std::string etag = etag_of(spaces_, target.space, record->seq);
  const std::string_view if_none_match = call->header("If-None-Match");
  if (!if_none_match.empty() && api::lists_etag(if_none_match, etag)) {
    http::Response response;
    response.status = 304;
    response.headers.push_back({"ETag", etag});
    return call->respond(std::move(response));
  }
  call->respond(record_response(spaces_, target.space, 200, *record, docs));
}

void Face::put_record(const api::CallPtr& call) {
  TRY_CALL(call, Target target, target_of(*call));
  TRY_CALL(call, const Docs docs, docs_of(*call));
  CHECK_CALL(call, check_document(call->body()));
  auto edit = std::make_shared<Edit>(Edit{.call = call, .target = std::move(target), .docs = docs});
  spaces_.write(
      edit->target.space, call->principal().key, [edit] { return edit->reads(); },
      [edit, this](SpaceWriter& writer) { return apply(*edit, false, writer, spaces_); },
      [edit, this](Result<Cursor> cursor) {
        if (!cursor) return edit->call->fail(cursor.error());
        edit->call->respond(
            record_response(spaces_, edit->target.space, edit->existed ? 200 : 201, *edit->after, edit->docs));
      });
}

void Face::delete_record(const api::CallPtr& call) {
  TRY_CALL(call, Target target, target_of(*call));
  auto edit = std::make_shared<Edit>(Edit{.call = call, .target = std::move(target)});
  spaces_.write(
      edit->target.space, call->principal().key, [edit] { return edit->reads(); },
      [edit, this](SpaceWriter& writer) { return apply(*edit, true, writer, spaces_); },
      [edit](Result<Cursor> cursor) {
        if (!cursor) return edit->call->fail(cursor.error());
        if (!edit->known) return edit->call->fail(not_found());
        edit->call->respond_empty();
      });
}

Result<std::string> history_json(Snapshot& snapshot, Access& access, std::string_view collection, std::string_view id,
                                 Docs docs) {
  std::vector<Record> versions;
  Record newest;
  TRY(Located located, snapshot.locate(collection, id));
  if (located.damaged) {
    newest.collection = collection;
    newest.id = id;
    newest.previous = located.damaged->previous;
  } else {
    if (!located.record) return std::unexpected(not_found());
    newest = *std::move(located.record);
    versions.push_back(newest);
  }
  TRY(auto earlier, snapshot.history(newest, limits::kHistoryVersionsShown, kListBytesMax));
  std::ranges::move(earlier, std::back_inserter(versions));
  std::string body = "{\"versions\":[";
  for (std::size_t i = 0; i < versions.size(); ++i) {
    const Record& version = versions[i];
    body += i == 0 ? "{" : ",{";
    append_record_members(body, view_of(version), docs);
    TRY(const std::string label, access.label_of(version.origin));
    body += ",\"key_label\":";
    append_json_string(body, label);
    body += ",\"committed_at\":\"" + format_time(version.committed_at) + "\",\"rule\":\"";
    body.append(to_text(version.rule)).append("\"}");
  }
  return body + "]}";
}

void Face::get_history(const api::CallPtr& call) {
  TRY_CALL(call, const Target target, target_of(*call));
  TRY_CALL(call, const Docs docs, docs_of(*call));
  std::string body;
  CHECK_CALL(call, spaces_.read(target.space, [&](Snapshot& snapshot) -> Result<> {
    TRY(body, history_json(snapshot, access_, target.collection, target.id, docs));
    return {};
  }));
  call->respond_json(200, std::move(body));
}

}  // namespace syncline::native
