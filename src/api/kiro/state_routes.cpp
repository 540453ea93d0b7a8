// GET and POST /sync, and deleting a conversation or a document.
//
// Reading needs read, deleting write; an upload needs write, commands:submit or commands:run, and names in its answer
// what the key may not write. Errors: 400 for a field that breaks the form of a state, 404 for an unknown id, 412 if
// the state has changed since If-Match. An upload changes conversations, documents and commands; a deleted conversation
// takes its messages along.
#include <algorithm>

#include "api/kiro/merge_state.hpp"
#include "api/kiro/routes.hpp"
#include "api/kiro/state_form.hpp"
#include "api/long_poll.hpp"
#include "base/text.hpp"

namespace syncline::kiro {
namespace {

std::string etag_of(const Spaces& spaces, const SpaceName& space, Seq seq) {
  return '"' + spaces.cursor(space, seq).to_text() + '"';
}

/// "since" is a lastUpdate in milliseconds or an ETag of GET /sync. An ETag of another history counts as none: the
/// whole state follows.
Result<Since> parse_since(Spaces& spaces, const SpaceName& space, std::string text) {
  std::erase(text, '"');
  if (const auto millis = parse_integer(text)) return Since{.by = Since::By::last_update, .last_update_ms = *millis};
  TRY(const Cursor cursor, parse_cursor(text));
  const auto seq = spaces.resume(space, cursor);
  if (!seq && advice_of(seq.error().code) != Advice::resync) return std::unexpected(seq.error());
  if (!seq) return Since{.by = Since::By::seq, .seq = Seq{0}};
  return Since{.by = Since::By::seq, .seq = *seq};
}

Audience audience_of(const Principal& principal) {
  const bool is_agent = principal.scopes.has(Scope::commands_run) &&
                        !principal.scopes.has_any({Scope::commands_submit, Scope::commands_approve});
  return is_agent ? Audience::agents : Audience::everybody;
}

http::Response with_etag(const Spaces& spaces, const SpaceName& space, http::Response response, Seq seq) {
  response.headers.push_back({"ETag", etag_of(spaces, space, seq)});
  response.headers.push_back({"Cache-Control", "private, no-cache"});
  response.headers.push_back({"Vary", "Authorization, Accept-Encoding"});
  return response;
}

http::Response not_modified(const Spaces& spaces, const SpaceName& space, Seq seq) {
  http::Response response;
  response.status = 304;
  return with_etag(spaces, space, std::move(response), seq);
}

/// Deletes a record like any other writer: a version that the key had not seen is kept as a conflict.
Result<> delete_record(SpaceWriter& writer, std::string_view collection, std::string_view id) {
  TRY(const OpResult result, writer.apply({.collection = collection, .id = id, .deleted = true}));
  if (result.error) return std::unexpected(*result.error);
  return {};
}

/// Deletes the messages of a conversation and returns the time of the latest.
Result<Timestamp> delete_messages(SpaceWriter& writer, const std::string& conversation) {
  const std::string prefix = message_id_prefix(conversation);
  std::vector<std::string> ids;
  double latest_ms = 0;
  CHECK_OK(writer.txn().scan(kMessages, prefix, [&](const RecordView& record) {
    if (!record.id.starts_with(prefix)) return false;
    const auto message = record.deleted ? std::nullopt : parse_message_doc(record.doc);
    if (!message || message->conversation != conversation) return true;
    latest_ms = std::max(latest_ms, timestamp_of(JsonView(message->message)));
    ids.emplace_back(record.id);
    return true;
  }));
  for (const std::string& id : ids) CHECK_OK(delete_record(writer, kMessages, id));
  return Timestamp{static_cast<std::int64_t>(latest_ms * 1000)};
}

Result<> delete_conversation_in(SpaceWriter& writer, const std::string& id) {
  // A clock that runs ahead must not bring back what was deleted; one that is off by years must not close the
  // conversation for as long.
  constexpr std::int64_t kAheadMicrosMax = 24LL * 3600 * kMicrosPerSecond;
  TRY(const Timestamp latest, delete_messages(writer, id));
  const Timestamp stamp = std::max(writer.now(), std::min(latest, writer.now().plus_micros(kAheadMicrosMax)));
  TRY([[maybe_unused]] const Seq seq, writer.replace(kConversations, id, "", Rule::direct, stamp));
  return {};
}

/// So often an upload is compared with what is stored outside of the transaction. If somebody changes that every time,
/// it is done inside.
constexpr int kPreparationsMax = 3;
/// So many records of an upload are written in one transaction: about five milliseconds, then others have their turn.
constexpr std::size_t kRecordsOfOneWrite = 250;

/// What an answer that is still open says of the parts that were left out.
void append_ignored(std::string& body, const IgnoredParts& ignored) {
  if (ignored.count() == 0) return;
  body += ",\"ignored\":";
  JsonWriter writer(body);
  writer.begin_array();
  for (const Ignored& part : ignored.listed()) {
    writer.begin_object().string("part", part.part).string("id", part.id);
    if (part.index) writer.integer("index", static_cast<std::int64_t>(*part.index));
    writer.string("reason", part.reason).end_object();
  }
  writer.end_array();
  if (ignored.count() > ignored.listed().size()) body += ",\"ignoredCount\":" + std::to_string(ignored.count());
}

/// An agent that knows the published API alone asks for the state more often than that.
constexpr std::int64_t kAgentPauseMs = 30'000;

using Delete = Result<> (*)(SpaceWriter&, const std::string&);

void delete_item(Spaces& spaces, const SpaceName& space, const api::CallPtr& call, std::string_view collection,
                 std::string_view what, Delete remove) {
  const std::string id = call->param("id");
  spaces.write(
      space, call->principal().key,
      [id, collection] {
        Reads reads{.records = {RecordKey{std::string(collection), id}}};
        if (collection == kConversations) reads.prefixes = {RecordKey{std::string(kMessages), message_id_prefix(id)}};
        return reads;
      },
      [=](SpaceWriter& writer) -> Result<> {
        TRY(const auto stored, writer.txn().find(collection, id));
        if (!stored) return fail(ErrorCode::not_found, std::string(what) + " not found");
        return stored->deleted ? Result<>{} : remove(writer, id);
      },
      [call, id](Result<Cursor> cursor) {
        if (!cursor) {
          api::Problem problem = api::problem_of(cursor.error());
          if (problem.status == 404) problem.title = problem.detail;
          return call->fail(problem);
        }
        std::string body;
        JsonWriter(body).begin_object().string("deleted", id).end_object();
        call->respond_json(200, std::move(body));
      });
}

}  // namespace

struct Face::StateRequest {
  api::CallPtr call;
  SpaceName space;
  std::optional<Since> since;
  Seq wait_from;
  std::optional<api::LongPoll> poll;
  bool first_look = true;
};

/// What one transaction has done of an upload. It counts once it is committed.
struct Face::UploadStep {
  std::size_t written = 0;
  IgnoredParts ignored;  // commands: they are all in the last transaction
  bool is_current = false;
  bool newer = false;
};

/// An upload on its way through the store.
struct Face::Upload {
  Upload(api::CallPtr of, UploadedState what)
      : call(std::move(of)), last_update_ms(what.last_update_ms), merge(std::move(what), call->principal()) {}

  const api::CallPtr call;
  const double last_update_ms;  // as the client has it
  StateMerge merge;
  int preparations = 0;  // since the last write
  bool has_begun = false;
  bool newer = false;
  UploadStep step;  // of the transaction in progress
};

void Face::get_state(const api::CallPtr& call) {
  auto request = std::make_shared<StateRequest>();
  request->call = call;
  request->space = space_of(*call);
  TRY_CALL(call, request->poll, api::LongPoll::of(call, spaces_));
  if (audience_of(call->principal()) == Audience::agents) {
    note_runner(*call, kAgentPauseMs + (call->query("wait") ? limits::kWaitSecondsMax * 1000 : 0));
  }
  if (const auto since = call->query("since")) {
    TRY_CALL(call, request->since, parse_since(spaces_, request->space, *since));
  }
  answer_state(request);
}

void Face::answer_state(const std::shared_ptr<StateRequest>& request) {
  std::optional<http::Response> response;
  CHECK_CALL(request->call, views_.with(request->space, [&](StateView& view) { response = look(*request, view); }));
  if (response) return request->call->respond(*std::move(response));
  request->poll->wait(request->space, request->wait_from, [this, request] { answer_state(request); }, &workers_);
}

/// Answers from the view, or not yet: nothing has changed and there is time left.
std::optional<http::Response> Face::look(StateRequest& request, StateView& view) {
  const std::string_view if_none_match = request.call->header("If-None-Match");
  const std::string etag = etag_of(spaces_, request.space, view.seq());
  const bool matches = !if_none_match.empty() && if_none_match.find(etag) != std::string_view::npos;
  const bool waits = !request.poll->is_over();
  if (request.first_look && !request.since && if_none_match.empty() && waits) {
    // Waiting without a point to wait from means from now on.
    request.since = Since{.by = Since::By::seq, .seq = view.seq()};
  }
  request.first_look = false;
  request.wait_from = view.seq();
  const bool news = request.since ? view.has_changed(*request.since) : !matches;
  if (!news && waits) return std::nullopt;
  spaces_.note_pulled(request.call->principal().key, request.space, view.seq());
  if (matches) return not_modified(spaces_, request.space, view.seq());
  http::Response response;
  if (request.since) {
    response.body = view.delta(*request.since, audience_of(request.call->principal()));
  } else {
    response.body = view.full(audience_of(request.call->principal()));
  }
  return with_etag(spaces_, request.space, std::move(response), view.seq());
}

void Face::post_state(const api::CallPtr& call) {
  TRY_CALL(call, const api::JsonParts parts, call->json_parts());
  TRY_CALL(call, UploadedState state, read_state(parts.json, parts.is_doubtful));
  prepare_upload(std::make_shared<Upload>(call, std::move(state)));
}

void Face::prepare_upload(const std::shared_ptr<Upload>& upload) {
  upload->preparations += 1;
  CHECK_CALL(upload->call, spaces_.read(space_of(*upload->call),
                                        [&](Snapshot& snapshot) { return upload->merge.prepare(snapshot); }));
  write_upload(upload);
}

void Face::write_upload(const std::shared_ptr<Upload>& upload) {
  spaces_.write(
      space_of(*upload->call), upload->call->principal().key, [upload] { return upload->merge.reads(); },
      [this, upload](SpaceWriter& writer) -> Result<> {
        TRY(upload->step, apply_upload(*upload, writer));
        return {};
      },
      [this, upload](Result<Cursor> cursor) {
        if (!cursor) return upload->call->fail(cursor.error());
        workers_.post([this, upload, head = cursor->seq] { go_on_with_upload(upload, head); });
      });
}

void Face::go_on_with_upload(const std::shared_ptr<Upload>& upload, Seq head) {
  const UploadStep& step = upload->step;
  if (upload->call->fail_unless_valid()) return;
  if (!step.is_current) return prepare_upload(upload);
  if (!upload->has_begun) {
    upload->has_begun = true;
    upload->newer = step.newer;
  }
  upload->preparations = 0;
  upload->merge.note_written(step.written, head);
  upload->merge.size() > 0 ? write_upload(upload) : answer_upload(*upload);
}

/// In a transaction: writes the next records of the upload, if what it was compared with still stands.
Result<Face::UploadStep> Face::apply_upload(Upload& upload, SpaceWriter& writer) {
  const SpaceInfo& info = writer.txn().info();
  const std::string_view if_match = upload.call->header("If-Match");
  const bool is_conditional = !if_match.empty() && if_match != "*";
  if (is_conditional && if_match.find(etag_of(spaces_, info.name, info.head)) == std::string_view::npos) {
    return fail(ErrorCode::precondition_failed, "the state has changed since");
  }
  UploadStep step;
  TRY(step.is_current, upload.merge.is_current(writer.txn()));
  if (!step.is_current) {
    if (upload.preparations < kPreparationsMax) return step;  // compared again outside
    CHECK_OK(upload.merge.prepare(writer.txn()));
    step.is_current = true;
  }
  step.newer = upload.last_update_ms > static_cast<double>(info.updated_at.millis());
  // An upload with a condition is all or nothing.
  step.written = is_conditional ? upload.merge.size() : upload.merge.next_count(kRecordsOfOneWrite);
  TRY(step.ignored, upload.merge.apply(writer, commands_, step.written));
  return step;
}

void Face::answer_upload(const Upload& upload) {
  const SpaceName space = space_of(*upload.call);
  std::string body = std::string(R"({"status":")") + (upload.newer ? "updated" : "current") + R"(","data":)";
  Seq seq;
  const bool may_read = upload.call->principal().scopes.has(Scope::read);
  CHECK_CALL(upload.call, views_.with(space, [&](StateView& view) {
    // Who may only write is told how it went, not what the others have written.
    body += may_read ? *view.full(audience_of(upload.call->principal()))
                     : R"({"conversations":{},"documents":{},"commands":{},"lastUpdate":)" +
                           std::to_string(view.last_update_ms()) + '}';
    seq = view.seq();
  }));
  if (may_read) spaces_.note_pulled(upload.call->principal().key, space, seq);
  IgnoredParts ignored = upload.merge.ignored();
  ignored.add(upload.step.ignored);
  append_ignored(body, ignored);
  body += '}';
  upload.call->respond(with_etag(spaces_, space, http::make_text(200, "application/json", std::move(body)), seq));
}

void Face::delete_conversation(const api::CallPtr& call) {
  delete_item(spaces_, space_of(*call), call, kConversations, "Conversation", delete_conversation_in);
}

void Face::delete_document(const api::CallPtr& call) {
  delete_item(spaces_, space_of(*call), call, kDocuments, "Document",
              [](SpaceWriter& writer, const std::string& id) { return delete_record(writer, kDocuments, id); });
}

}  // namespace syncline::kiro
