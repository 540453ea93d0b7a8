#include "support/example_requests.hpp"

#include <algorithm>
#include <array>

namespace syncline::test {
namespace {

struct ExampleRequest {
  http::Method method = http::Method::get;
  std::string_view pattern;  // of the route, without a face's prefix
  std::string_view target;   // empty: the pattern
  std::string_view body;     // empty: {}
};

using enum http::Method;

constexpr std::string_view kRow =
    R"({"entries":[{"id":"{n}","start":"2026-11-21T09:00:00Z","updated_at":"2026-11-21T09:00:00Z","title":"t"}]})";
constexpr std::string_view kStaleOp =
    R"({"ops":[{"collection":"c","id":"{record}","updated_at":"2001-01-01T00:00:00Z","doc":{"v":2}}]})";
constexpr std::string_view kPush =
    R"({"stack_id":"claire","operations":[{"operation":"update","table":"notes","record_id":"{memory}",)"
    R"("local_updated_at":"2001-11-22T10:00:00+00:00","data":{"content":"old"}}]})";
constexpr std::string_view kState =
    R"({"conversations":{"{conversation}":[{"role":"user","content":"new","timestamp":5}]},)"
    R"("documents":{"{document}":{"content":"new","timestamp":5}}})";

constexpr auto kRequests = std::to_array<ExampleRequest>({
    {post, "/v1/spaces/{space}/push", "/v1/spaces/s/push", kStaleOp},
    {get, "/v1/spaces/{space}/changes", "/v1/spaces/s/changes?since={cursor}", {}},
    {get, "/v1/spaces/{space}/collections", "/v1/spaces/s/collections", {}},
    {get, "/v1/spaces/{space}/records/{collection}", "/v1/spaces/s/records/c", {}},
    {get, "/v1/spaces/{space}/records/{collection}/{id}", "/v1/spaces/s/records/c/{record}", {}},
    {put, "/v1/spaces/{space}/records/{collection}/{id}", "/v1/spaces/s/records/c/{record}", R"({"v":3})"},
    {del, "/v1/spaces/{space}/records/{collection}/{id}", "/v1/spaces/s/records/c/{record}", {}},
    {get, "/v1/spaces/{space}/records/{collection}/{id}/history", "/v1/spaces/s/records/c/{record}/history", {}},
    {get, "/v1/spaces/{space}/conflicts", "/v1/spaces/conflicts/conflicts", {}},
    {post, "/v1/spaces/{space}/conflicts/{id}", "/v1/spaces/conflicts/conflicts/{conflict}", R"({"action":"restore"})"},
    {get, "/v1/spaces/{space}/shares", "/v1/spaces/s/shares", {}},
    {put, "/v1/spaces/{space}/shares/{guest}", "/v1/spaces/s/shares/cleo@example.org", R"({"rights":"read"})"},
    {del, "/v1/spaces/{space}/shares/{guest}", "/v1/spaces/{shared}/shares/cleo@example.org", {}},
    {get, "/v1/events", "/v1/events?spaces=s&last_event_id=s={cursor}", {}},
    {post, "/v1/keys", {}, R"({"label":"l","scopes":["read"]})"},
    {patch, "/v1/keys/{id}", "/v1/keys/{key}", R"({"label":"l"})"},
    {del, "/v1/keys/{id}", "/v1/keys/{key}", {}},
    {post, "/v1/session", {}, R"({"email":"cleo@example.org","password":"correct horse"})"},
    {post, "/v1/pairings/look", {}, R"({"code":"{pairing}"})"},
    {post, "/v1/pairings/claim", {}, R"({"code":"{pairing}"})"},
    {post, "/v1/password", {}, R"({"current":"wrong horse","new":"correct horse"})"},
    {get, "/sync", "/sync?since={state}", {}},
    {post, "/sync", {}, kState},
    {del, "/conversation/{id}", "/conversation/{conversation}", {}},
    {del, "/document/{id}", "/document/{document}", {}},
    {post, "/command", {}, R"({"type":"execute_bash","command":"ls"})"},
    {post, "/command/claim", "/command/claim?for={pending}", {}},
    {get, "/command", "/command?status=pending", {}},
    {del, "/command/approvals/{id}", "/command/approvals/{approval}", {}},
    {post, "/command/{id}/approval/request", "/command/{running}/approval/request", R"({"rule":"r","pattern":"ls"})"},
    {post, "/command/{id}/approval", "/command/{held}/approval", R"({"decision":"approve","always":true})"},
    {get, "/command/{id}", "/command/{pending}", {}},
    {patch, "/command/{id}", "/command/{running}", R"({"status":"completed","result":{}})"},
    {del, "/command/{id}", "/command/{pending}", {}},
    {get, "/command/{id}/output", "/command/{pending}/output", {}},
    {post, "/command/{id}/output", "/command/{running}/output", R"({"stream":"stdout","data":"x"})"},
    {post, "/sync/push", {}, kPush},
    {post, "/sync/pull", {}, R"({"stack_id":"claire","since":"2026-11-22T10:00:00+00:00"})"},
    {post, "/sync/full", {}, kPush},
    {get, "/sync/status", "/sync/status?agent_id=claire", {}},
    {post, "/memories/search", {}, R"({"query":"{memory} remembered"})"},
    {post, "/search", {}, R"({"query":"{memory} remembered"})"},
    {post, "/sync/active/start", {}, R"({"id":"{n}","start":"2026-11-22T09:00:00Z"})"},
    {post, "/sync/push-snapshot", {}, R"({"customers":[{"name":"{n}"}],"tasks":[],"config":{"a":"{n}"}})"},
    {patch, "/ref/config", {}, R"({"b":"{n}"})"},
    {get, "/clocks/entries", "/clocks/entries?period=year", {}},
    {get, "/clocks/days", "/clocks/days?period=year", {}},
    {post, "/clocks/start", {}, R"({"customer":"c"})"},
    {post, "/clocks/quick-book", {}, R"({"duration":"30m"})"},
    {patch, "/clocks/{id}", "/clocks/{entry}", R"({"notes":"n"})"},
    {del, "/clocks/{id}", "/clocks/{entry}", {}},
    {post, "/webhooks", {}, R"({"webhook_url":"https://app.example/hook","events":["record.changed"]})"},
    {patch, "/webhooks/{id}", "/webhooks/{webhook}", R"({"enabled":false})"},
    {del, "/webhooks/{id}", "/webhooks/{webhook}", {}},
    {post, "/webhooks/{id}/rotate-secret", "/webhooks/{webhook}/rotate-secret", {}},
    {get, "/webhooks/{id}/deliveries", "/webhooks/{webhook}/deliveries", {}},
    {post, "/webhooks/{id}/deliveries/{delivery}/replay", "/webhooks/{delivery}/replay", {}},
    {post, "/auth/register", {}, R"({"email":"{n}@example.org"})"},
    {post, "/auth/token", {}, R"({"secret":"{api_key}"})"},
    {del, "/auth/keys/{id}", "/auth/keys/{key}", {}},
    {post, "/auth/keys/{id}/cycle", "/auth/keys/{key}/cycle", {}},
    {post, "/auth/signup", {}, R"({"email":"{n}@example.org","password":"correct horse"})"},
    {post, "/auth/login", {}, R"({"email":"cleo@example.org","password":"correct horse"})"},
    {post, "/auth/refresh", {}, R"({"refresh_token":"{refresh}"})"},
    {post, "/auth/reset-password", {}, R"({"token":"{reset}","password":"correct horse"})"},
});

constexpr auto kWithoutReads = std::to_array<std::string_view>({
    "/",
    "/docs",
    "/docs/{face}",
    "/openapi.json",
    "/openapi/{document}",
    "/health",
    "/ready",
    "/metrics",
    "/problems/{code}",
    "/set-password",
    "/setup",
    "/console",
    "/console/a/{file}",
    "/console/{screen}",
    "/console/{screen}/{of}",
    "/console/{screen}/{of}/{part}",
    "/v1/setup",    // it remembers that it is done
    "/v1/session",  // GET
    "/v1/me",
    "/v1/admin/audit",  // a device's session may not
    "/m/pair",
    "/v1/pairings",  // they are in memory
    "/v1/pairings/{id}",
    "/v1/passkeys",          // POST: keys may not
    "/v1/passkeys/options",  // keys may not
    "/v1/session/passkey-options",
    "/v1/oidc",  // without a provider:
    "/oidc/sign-in",
    "/oidc/callback",
    "/v1/identities",  // POST: keys may not
    "/v1/time",
    "/sync/status",  // the one of plans
    "/auth/usage",
    "/auth/forgot-password",
    "/auth/logout",  // of a key that is no session
    "/webhooks",
    // Without an upstream:
    "/ai/complete",
    "/v1/chat/completions",
    "/v1/responses",
    "/v1/embeddings",
    "/v1/models",
});

std::string_view without_prefix(std::string_view pattern) {
  for (const std::string_view prefix : {"/kaisho", "/kernle", "/kiro"}) {
    if (pattern.starts_with(prefix) && pattern.size() > prefix.size()) return pattern.substr(prefix.size());
  }
  return pattern;
}

/// With "1" for each parameter.
std::string plain_target(std::string_view pattern) {
  std::string target(pattern);
  for (std::size_t open = target.find('{'); open != std::string::npos; open = target.find('{', open)) {
    target.replace(open, target.find('}') - open + 1, "1");
  }
  return target;
}

}  // namespace

bool answers_without_reading(const api::Route& route) {
  return std::ranges::find(kWithoutReads, without_prefix(route.pattern)) != kWithoutReads.end();
}

bool is_alias(const api::Route& route) { return without_prefix(route.pattern) != route.pattern; }

ExampleFixture::ExampleFixture() {
  everything_ = add_key("ann@example.org",
                        {Scope::read, Scope::write, Scope::keys, Scope::commands_submit, Scope::commands_run,
                         Scope::commands_approve, Scope::admin},
                        "everything");
  other_ = add_key("ann@example.org", {Scope::read, Scope::write, Scope::keys, Scope::commands_run}, "other");
  ide_ = add_key("ann@example.org", {Scope::commands_submit}, "ide");
  api_key_ = as(everything_, http::Method::post, "/auth/keys", R"({"name":"device"})").at("key");
  EXPECT_TRUE(access_.add_account("cleo@example.org", Plan::pro));
  EXPECT_TRUE(sessions_.set_password("cleo@example.org", "correct horse"));
}

std::string ExampleFixture::open_session() {
  return call({.method = http::Method::post, .target = "/auth/login", .token = api_key_}).at("token");
}

Answer ExampleFixture::as(const std::string& token, http::Method method, const std::string& target,
                          const std::string& body) {
  clock_.advance_micros(1000);
  Answer answer = call({.method = method, .target = target, .token = token, .body = body});
  EXPECT_LT(answer.status, 300) << target << ' ' << answer.body;
  return answer;
}

RequestSpec ExampleFixture::request_for(const api::Route& route, const std::string& token) {
  const std::string_view pattern = without_prefix(route.pattern);
  const std::string prefix(route.pattern.substr(0, route.pattern.size() - pattern.size()));
  const auto found = std::ranges::find_if(kRequests, [&](const ExampleRequest& example) {
    return example.method == route.method && example.pattern == pattern;
  });
  RequestSpec spec{
      .method = route.method, .target = plain_target(pattern), .token = token, .body = "{}", .headers = {}};
  if (found != kRequests.end()) {
    if (!found->target.empty()) spec.target = found->target;
    if (!found->body.empty()) spec.body = found->body;
  } else if (pattern.ends_with("/apply")) {
    spec.body = kRow;
  } else if (pattern.ends_with("/ack")) {
    spec.body = R"({"ids":["{entry}"]})";
  }
  if (pattern.ends_with("/stop")) (void)fill("{timer}");
  spec.target = prefix + fill(spec.target);
  spec.body = fill(spec.body);
  spec.headers["Idempotency-Key"] = fill("{n}");
  spec.headers["Host"] = "localhost";
  return spec;
}

std::string ExampleFixture::fill(std::string_view text) {
  std::string out(text);
  for (std::size_t open = out.find('{'); open != std::string::npos; open = out.find('{', open + 1)) {
    const std::size_t close = out.find('}', open);
    const std::string name = out.substr(open + 1, close == std::string::npos ? 0 : close - open - 1);
    const bool is_name =
        !name.empty() && std::ranges::all_of(name, [](char c) { return (c >= 'a' && c <= 'z') || c == '_'; });
    if (is_name) out.replace(open, close - open + 1, make(name));
  }
  return out;
}

std::string ExampleFixture::submit(const std::string& line) {
  return as(ide_, http::Method::post, "/command", R"({"type":"execute_bash","command":")" + line + "\"}")
      .at("commandId");
}

std::string ExampleFixture::run_command(const std::string& line) {
  std::string id = submit(line);
  as(everything_, http::Method::patch, "/command/" + id, R"({"status":"processing"})");
  return id;
}

std::string ExampleFixture::hold_command(const std::string& pattern) {
  std::string id = run_command(pattern);  // a pattern without * matches the line that is the same
  as(everything_, http::Method::post, "/command/" + id + "/approval/request",
     R"({"rule":"r","pattern":")" + pattern + "\"}");
  return id;
}

std::string ExampleFixture::make(std::string_view name) {
  std::string n = "n" + std::to_string(++count_);
  if (name == "n") return n;
  if (name == "api_key") return api_key_;
  if (name == "record" || name == "cursor") {
    const std::string op = R"({"ops":[{"collection":"c","id":")" + n + R"(","doc":{"v":1}}]})";
    const std::string before = get("/v1/spaces/s/changes").at("cursor");
    as(everything_, http::Method::post, "/v1/spaces/s/push", op);
    return name == "record" ? n : before;
  }
  if (name == "shared") {
    as(everything_, http::Method::put, "/v1/spaces/s/shares/cleo@example.org", R"({"rights":"read"})");
    return "s";
  }
  if (name == "conflict") {
    const auto push = [&](const std::string& token, const std::string& year) {
      as(token, http::Method::post, "/v1/spaces/conflicts/push",
         R"({"ops":[{"collection":"c","id":")" + n + R"(","updated_at":")" + year + R"(-01-01T00:00:00Z","doc":{"y":)" +
             year + "}}]}");
    };
    push(everything_, "2020");
    push(other_, "2010");
    return get("/v1/spaces/conflicts/conflicts").at("conflicts.0.id");
  }
  if (name == "conversation" || name == "document" || name == "state") {
    std::string before = call({.target = "/sync", .token = everything_}).headers.at("ETag");
    std::erase(before, '"');
    as(everything_, http::Method::post, "/sync",
       R"({"conversations":{")" + n + R"(":[{"role":"user","content":"c","timestamp":1}]},"documents":{")" + n +
           R"(":{"content":"c","timestamp":1}}})");
    return name == "state" ? before : n;
  }
  if (name == "pending") return submit();
  if (name == "running") return run_command();
  if (name == "held") return hold_command(n);
  if (name == "approval") {
    as(everything_, http::Method::post, "/command/" + hold_command(n) + "/approval",
       R"({"decision":"approve","always":true})");
    return as(everything_, http::Method::get, "/command/approvals").at("approvals.0.id");
  }
  if (name == "memory") {
    as(other_, http::Method::post, "/sync/push",
       R"({"stack_id":"claire","operations":[{"operation":"update","table":"notes","record_id":")" + n +
           R"(","local_updated_at":"2026-11-22T10:00:00+00:00","data":{"content":")" + n + R"( remembered"}}]})");
    return n;
  }
  if (name == "entry") {
    as(everything_, http::Method::post, "/sync/apply",
       R"({"entries":[{"id":")" + n +
           R"(","start":"2026-11-22T08:00:00Z","end":"2026-11-22T09:00:00Z","updated_at":"2026-11-22T09:00:00Z"}]})");
    return n;
  }
  if (name == "timer") {
    (void)call({.method = http::Method::post,
                .target = "/clocks/start",
                .token = everything_,
                .body = "{}"});  // unless one runs
    return n;
  }
  if (name == "webhook") {
    return as(everything_, http::Method::post, "/webhooks",
              R"({"webhook_url":"https://app.example/hook","events":["record.changed"]})")
        .at("id");
  }
  if (name == "delivery") {
    const std::string webhook = make("webhook");
    EXPECT_TRUE(deliveries_.add({{.id = "msg_" + n,
                                  .account = (*access_.find_account("ann@example.org"))->number,
                                  .type = "record.changed",
                                  .body = "{}",
                                  .webhooks = {webhook}}}));
    return webhook + "/deliveries/" + std::to_string(deliveries_.list(webhook, 1)->front().number);
  }
  if (name == "pairing") return as(everything_, http::Method::post, "/v1/pairings").at("code");
  if (name == "key") return as(everything_, http::Method::post, "/auth/keys", R"({"name":"k"})").at("id");
  if (name == "refresh") {
    return call({.method = http::Method::post,
                 .target = "/auth/login",
                 .body = R"({"email":"cleo@example.org","password":"correct horse"})"})
        .at("refresh_token");
  }
  if (name == "reset") return sessions_.make_reset_token("cleo@example.org").value_or("");
  ADD_FAILURE() << "nothing is called " << name;
  return n;
}

}  // namespace syncline::test
