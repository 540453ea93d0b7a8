#include "api/local/profile_face.hpp"

#include "api/kaisho/errors.hpp"
#include "api/local/schemas.hpp"
#include "wire/kaisho_rows.hpp"

namespace syncline::local {

std::vector<api::Route> ProfileFace::make_routes() {
  Routes routes(*this, "local", kaisho::kErrors);
  routes.all().with_schemas(kSchemas).body_at_most(limits::kBodyBytesLarge);
  add_profile_routes(routes);
  add_cloud_sync_routes(routes);
  routes.all().in_space(kaisho::kSpace);
  add_triage_routes(routes);
  add_data_routes(routes);
  routes.all().in_named_spaces();
  add_agent_sync_routes(routes);
  add_memory_routes(routes);
  return routes.take();
}

void ProfileFace::answer_later(const api::CallPtr& call, std::move_only_function<Result<std::string>()> work) {
  blocking_.post([call, work = std::move(work)]() mutable {
    auto answer = work();
    if (!answer) return call->fail(answer.error());
    call->respond_json(200, *std::move(answer));
  });
}

void ProfileFace::answer_write(const api::CallPtr& call, const SpaceName& space, int status,
                               std::move_only_function<Result<std::string>(SpaceWriter&)> work) {
  auto text = std::make_shared<std::string>();
  profile_.spaces().write(
      space, call->principal().key,
      [text, work = std::move(work)](SpaceWriter& writer) mutable -> Result<> {
        TRY(*text, work(writer));
        return {};
      },
      [call, text, status](const Result<Cursor>& cursor) {
        if (!cursor) return call->fail(cursor.error());
        if (text->empty()) return call->respond_empty();
        call->respond_json(status, std::move(*text));
      });
}

void append_time_or_null(JsonWriter& writer, std::string_view name, const std::optional<Timestamp>& time) {
  if (time) {
    writer.string(name, format_time(*time));
  } else {
    writer.name(name).null();
  }
}

void append_text_or_null(JsonWriter& writer, std::string_view name, std::string_view text) {
  writer.name(name);
  if (text.empty()) {
    writer.null();
  } else {
    writer.string(text);
  }
}

Result<JsonView> body_or_empty(api::Call& call) {
  if (call.body().empty()) call.body() = "{}";
  return call.json_object();
}

}  // namespace syncline::local
