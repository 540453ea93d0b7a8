// How exchanges of a walk end: with the hub's answer, with somebody else's, or with none.
#include "vectors/outbox_walk.hpp"

namespace syncline::vectors {
namespace {

/// Faults of an exchange: one after the other, over all walks.
constexpr std::int64_t kFaults = 35;

std::int64_t count_ops(const http::ClientRequest& request) {
  std::int64_t count = 0;
  if (const auto ops = JsonView(request.body).find("ops")) ops->for_each_element([&](JsonView) { ++count; });
  return count;
}

/// The answer of a hub that leaves out the versions which have won, as one does when they are too large together.
std::string without_records(const std::string& body) {
  std::string out;
  JsonWriter writer(out);
  writer.begin_object();
  JsonView(body).for_each_member([&](std::string_view name, JsonView value) {
    if (name != "results") {
      writer.raw(name, value.raw());
      return;
    }
    writer.name("results").begin_array();
    value.for_each_element([&](JsonView result) {
      writer.begin_object();
      result.for_each_member([&](std::string_view member, JsonView its) {
        if (member != "record") writer.raw(member, its.raw());
      });
      writer.end_object();
    });
    writer.end_array();
  });
  writer.end_object();
  return out;
}

http::ClientResponse response_of(const test::Answer& answer) {
  http::ClientResponse response{answer.status, answer.body, std::nullopt};
  if (const auto header = answer.headers.find("Retry-After"); header != answer.headers.end()) {
    response.retry_after_s = JsonView(header->second).as_integer();
  }
  return response;
}

http::ClientResponse problem(int status, std::string_view code, std::optional<std::int64_t> retry_after_s = {}) {
  std::string body;
  JsonWriter(body)
      .begin_object()
      .string("type", "/problems/" + std::string(code))
      .string("title", "No")
      .integer("status", status)
      .string("detail", "the walk says " + std::string(code))
      .string("code", code)
      .string("request_id", "test-request")
      .end_object();
  return {status, std::move(body), retry_after_s};
}

}  // namespace

OutboxWalk::Response OutboxWalk::draw_response(const http::ClientRequest& request) {
  const auto hubs = [&] { return response_of(hub_.call(request)); };
  const bool pushes = is_push(request);
  if (is_calm_ || !random_.chance(pushes ? 0.6 : 0.42)) return hubs();
  const std::string faults = pushes ? "a fault of a push" : "a fault of a pull";
  const std::int64_t drawn = file_.count_of_prefix(faults) % kFaults;
  file_.count(faults);
  switch (drawn) {
    case 0:
    case 1:
    case 2: return fail(ErrorCode::unavailable, "connection refused");
    case 3:
    case 4: return fail(ErrorCode::timed_out, "no answer came in time");
    case 5:
    case 6:
    case 7:
    case 8: (void)hubs(); return fail(ErrorCode::unavailable, "the connection broke");
    case 9: return problem(401, "invalid_token");
    case 10: return problem(403, "insufficient_scope");
    case 11: return problem(404, "not_found");
    case 12: return problem(409, "conflict");
    case 13: return problem(429, "rate_limited", 7);
    case 14: return problem(503, "unavailable", 2);
    case 15: return problem(500, "internal");
    case 16: return problem(503, "unavailable", 100'000);
    case 17: return http::ClientResponse{503, "<h1>Maintenance</h1>", 600};
    case 18: return http::ClientResponse{401, "<h1>Log in to this network</h1>", std::nullopt};
    case 19: return http::ClientResponse{200, "<h1>Log in to this network</h1>", std::nullopt};
    case 20: return http::ClientResponse{400, "<h1>Bad request</h1>", std::nullopt};
    case 21: return http::ClientResponse{413, "<h1>Too large</h1>", std::nullopt};
    case 22:
    case 23: return problem(pushes ? 413 : 404, pushes ? "too_large" : "not_found");
    case 24: return problem(pushes ? 422 : 400, "invalid_argument");
    case 25: return problem(410, "cursor_ahead");
    case 26: return problem(410, "cursor_expired");
    case 34: return problem(410, "epoch_changed");
    default: break;
  }
  http::ClientResponse response = hubs();
  if (response.status != 200) return response;
  if (drawn == 27) {
    response.body.resize(response.body.size() / 2);
  } else if (pushes && drawn < 31) {
    response.body = without_records(response.body);
  } else if (pushes) {
    // An account that is full.
    std::string refusals;
    for (std::int64_t i = count_ops(request); i > 0; --i) {
      refusals += R"({"status":"refused","error":{"code":"quota_exceeded","detail":"the account is full"}})";
      if (i > 1) refusals += ',';
    }
    response.body = R"({"cursor":")" + hub_.head().to_text() + R"(","results":[)" + refusals + "]}";
  }
  return response;
}

void OutboxWalk::cover_response(const http::ClientRequest& request, const Response& response) {
  const std::string step = is_push(request) ? "push: " : "pull: ";
  if (!response) {
    file_.count(step + (response.error().code == ErrorCode::timed_out ? "timed out" : "no answer"));
    return;
  }
  std::string body = response->body;
  const bool is_json = check_json(body, limits::kBodyDepthMax).fault == JsonFault::none && JsonView(body).is_object();
  if (!is_json) {
    file_.count(step + std::to_string(response->status) + " without JSON");
    return;
  }
  const JsonView json(body);
  if (response->status != 200) {
    file_.count(step + std::to_string(response->status) + ' ' + json.text_of("code"));
    return;
  }
  if (const auto results = json.find("results")) {
    results->for_each_element([&](JsonView result) {
      const auto error = result.find("error");
      file_.count("verdict: " + result.text_of("status") + (error ? ' ' + error->text_of("code") : "") +
                  (result.find("record") ? " with the version" : "") +
                  (result.find("updated_at") ? " with another stamp" : ""));
    });
  }
  if (const auto changes = json.find("changes")) {
    changes->for_each_element(
        [&](JsonView change) { file_.count(change.find("damaged") ? "a damaged record" : "a version from the hub"); });
    if (json.find("more")->as_boolean().value_or(false)) file_.count("a page with more behind it");
  }
}

}  // namespace syncline::vectors
