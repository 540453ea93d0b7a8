// GET and POST /sync, and deleting a conversation or a document.
#include "api/kiro/handlers.hpp"
#include "api/kiro/merge_state.hpp"
#include "base/text.hpp"

namespace syncline::kiro {
namespace {

std::string etag_of(const Spaces& spaces, Seq seq) { return '"' + spaces.cursor(seq).to_text() + '"'; }

/// "since" is a lastUpdate in milliseconds or an ETag of GET /sync. An ETag of another history counts as none: the
/// whole state follows.
Result<Since> parse_since(Spaces& spaces, const SpaceName& space, std::string text) {
  std::erase(text, '"');
  if (const auto millis = parse_integer(text)) return Since{.by = Since::By::last_update, .last_update_ms = *millis};
  TRY(const Cursor cursor, parse_cursor(text));
  const auto seq = spaces.resume(space, cursor);
  if (!seq) return Since{.by = Since::By::seq, .seq = Seq{0}};
  return Since{.by = Since::By::seq, .seq = *seq};
}

struct StateRequest {
  api::CallPtr call;
  SpaceName space;
  std::optional<Since> since;
  Seq wait_from;
  std::int64_t wait_until_ms = 0;
  bool first_look = true;
};

http::Response with_etag(const Spaces& spaces, http::Response response, Seq seq) {
  response.headers.push_back({"ETag", etag_of(spaces, seq)});
  response.headers.push_back({"Cache-Control", "private, no-cache"});
  response.headers.push_back({"Vary", "Authorization, Accept-Encoding"});
  return response;
}

http::Response not_modified(const Spaces& spaces, Seq seq) {
  http::Response response;
  response.status = 304;
  return with_etag(spaces, std::move(response), seq);
}

/// Answers from the view, or not yet: nothing has changed and there is time left.
std::optional<http::Response> look(Handlers& on, StateRequest& request, View& view) {
  const std::string_view if_none_match = request.call->header("If-None-Match");
  const bool matches = !if_none_match.empty() && if_none_match.find(etag_of(on.spaces, view.seq())) != std::string_view::npos;
  const bool waits = request.wait_until_ms > on.spaces.clock().now().millis();
  if (request.first_look && !request.since && if_none_match.empty() && waits) {
    // Waiting without a point to wait from means from now on.
    request.since = Since{.by = Since::By::seq, .seq = view.seq()};
  }
  request.first_look = false;
  request.wait_from = view.seq();
  const bool news = request.since ? view.has_changed(*request.since) : !matches;
  if (!news && waits) return std::nullopt;
  on.spaces.note_pulled(request.call->principal().key, request.space, view.seq());
  if (matches) return not_modified(on.spaces, view.seq());
  http::Response response;
  if (request.since) {
    response.body = view.delta(*request.since);
  } else {
    response.body = view.full();
  }
  return with_etag(on.spaces, std::move(response), view.seq());
}

void answer_state(Handlers on, const std::shared_ptr<StateRequest>& request) {
  std::optional<http::Response> response;
  CHECK_CALL(request->call,
             on.views.with(request->space, [&](View& view) { response = look(on, *request, view); }));
  if (response) return request->call->respond(*std::move(response));
  const std::int64_t wait_ms = request->wait_until_ms - on.spaces.clock().now().millis();
  on.spaces.wait(request->space, request->wait_from, wait_ms, [on, request] {
    if (request->wait_from >= on.spaces.head(request->space)) request->wait_until_ms = 0;  // time-out
    on.workers.post([on, request] { answer_state(on, request); });
  });
}

/// An upload on its way through the store.
struct Upload {
  api::CallPtr call;
  JsonView state;
  bool newer = false;
  std::vector<Ignored> ignored;
};

Result<> apply(Handlers& on, Upload& upload, SpaceWriter& writer) {
  const SpaceInfo& info = writer.txn().info();
  const std::string_view if_match = upload.call->header("If-Match");
  if (!if_match.empty() && if_match != "*" && if_match.find(etag_of(on.spaces, info.head)) == std::string_view::npos) {
    return fail(ErrorCode::precondition_failed, "the state has changed since");
  }
  const auto last_update = upload.state.find("lastUpdate");
  const double sent = last_update ? last_update->as_number().value_or(0) : 0;
  upload.newer = sent > static_cast<double>(info.updated_at.millis());
  TRY(upload.ignored, merge_state(writer, on.commands, upload.state, upload.call->principal()));
  return {};
}

void answer_upload(Handlers on, const Upload& upload) {
  const SpaceName space = space_of(*upload.call);
  std::string body = std::string(R"({"status":")") + (upload.newer ? "updated" : "current") + R"(","data":)";
  Seq seq;
  CHECK_CALL(upload.call, on.views.with(space, [&](View& view) {
    body += *view.full();
    seq = view.seq();
  }));
  on.spaces.note_pulled(upload.call->principal().key, space, seq);
  if (!upload.ignored.empty()) {
    body += ",\"ignored\":";
    JsonWriter writer(body);
    writer.begin_array();
    for (const Ignored& part : upload.ignored) {
      writer.begin_object()
          .name("part").string(part.part)
          .name("id").string(part.id)
          .name("reason").string(part.reason)
          .end_object();
    }
    writer.end_array();
  }
  body += '}';
  upload.call->respond(with_etag(on.spaces, http::make_text(200, "application/json", std::move(body)), seq));
}

/// Deletes `id` of a collection with what hangs on it.
void delete_item(Handlers on, const api::CallPtr& call, std::string_view collection, std::string_view what,
                 bool with_messages) {
  const std::string id = call->param("id");
  on.spaces.write(
      space_of(*call), call->principal().key,
      [=](SpaceWriter& writer) -> Result<> {
        TRY(const auto stored, writer.txn().find(collection, id));
        if (!stored) return fail(ErrorCode::not_found, std::string(what) + " not found");
        if (stored->deleted) return {};
        if (with_messages) {
          const std::string prefix = message_id_prefix(id);
          std::vector<std::string> messages;
          CHECK_OK(writer.txn().scan(kMessages, prefix, [&](const RecordView& record) {
            if (!record.id.starts_with(prefix)) return false;
            const auto message = record.deleted ? std::nullopt : parse_message_doc(record.doc);
            if (message && message->conversation == id) messages.emplace_back(record.id);
            return true;
          }));
          for (const std::string& message : messages) {
            TRY([[maybe_unused]] const Seq seq, writer.replace(kMessages, message, "", Rule::direct));
          }
        }
        TRY([[maybe_unused]] const Seq seq, writer.replace(collection, id, "", Rule::direct));
        return {};
      },
      [call, id](Result<Cursor> cursor) {
        if (!cursor) {
          api::Problem problem = api::problem_of(cursor.error());
          if (problem.status == 404) problem.title = problem.detail;
          return call->fail(problem);
        }
        std::string body;
        JsonWriter(body).begin_object().name("deleted").string(id).end_object();
        call->respond_json(200, std::move(body));
      });
}

}  // namespace

void Handlers::get_state(const api::CallPtr& call) {
  auto request = std::make_shared<StateRequest>();
  request->call = call;
  request->space = space_of(*call);
  TRY_CALL(call, const std::int64_t wait_s, call->query_integer("wait", 0, limits::kWaitSecondsMax, 0));
  if (const auto since = call->query("since")) {
    TRY_CALL(call, request->since, parse_since(spaces, request->space, *since));
  }
  request->wait_until_ms = spaces.clock().now().millis() + wait_s * 1000;
  answer_state(*this, request);
}

void Handlers::post_state(const api::CallPtr& call) {
  auto upload = std::make_shared<Upload>();
  upload->call = call;
  TRY_CALL(call, upload->state, call->json_object());
  CHECK_CALL(call, check_state(upload->state));
  spaces.write(
      space_of(*call), call->principal().key,
      [on = *this, upload](SpaceWriter& writer) mutable { return apply(on, *upload, writer); },
      [on = *this, upload](Result<Cursor> cursor) mutable {
        if (!cursor) return upload->call->fail(cursor.error());
        on.workers.post([on, upload] { answer_upload(on, *upload); });
      });
}

void Handlers::delete_conversation(const api::CallPtr& call) {
  delete_item(*this, call, kConversations, "Conversation", true);
}

void Handlers::delete_document(const api::CallPtr& call) {
  delete_item(*this, call, kDocuments, "Document", false);
}

}  // namespace syncline::kiro
