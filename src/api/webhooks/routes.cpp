#include "api/webhooks/routes.hpp"

#include "base/json_object.hpp"
#include "base/text.hpp"

namespace syncline::webhooks {
namespace {

constexpr std::size_t kBodyBytesMax = 64UL << 10U;
constexpr std::int64_t kDeliveriesMax = 500;
constexpr std::int64_t kDeliveriesDefault = 50;

void time_or_null(JsonWriter& writer, std::string_view name, Timestamp time) {
  writer.name(name);
  time.micros == 0 ? writer.null() : writer.string(format_time(time));
}

void append_webhook(JsonWriter& writer, const Webhook& webhook) {
  writer.begin_object().string("id", webhook.id).string("webhook_url", webhook.url);
  writer.name("events").begin_array();
  for (const std::string_view name : webhook.events.names()) writer.string(name);
  writer.end_array().boolean("enabled", webhook.enabled).name("disabled_because");
  webhook.disabled_because.empty() ? writer.null() : writer.string(webhook.disabled_because);
  writer.string("created_at", format_time(webhook.created_at)).end_object();
}

void append_delivery(JsonWriter& writer, const Delivery& delivery) {
  writer.begin_object()
      .integer("id", delivery.number)
      .string("webhook", delivery.webhook)
      .string("message_id", delivery.message)
      .string("type", delivery.type)
      .string("state", to_text(delivery.state))
      .integer("attempts", delivery.attempts)
      .string("created_at", format_time(delivery.created_at));
  time_or_null(writer, "next_at", delivery.state == Delivery::State::waiting ? delivery.next_at : Timestamp{});
  time_or_null(writer, "last_at", delivery.last_at);
  writer.integer("last_status", delivery.last_status)
      .string("last_error", delivery.last_error)
      .raw("payload", delivery.body)
      .end_object();
}

Result<std::optional<std::vector<std::string>>> names_in(JsonView body) {
  const auto list = body.find_set("events");
  if (!list) return std::nullopt;
  std::vector<std::string> names;
  bool good = list->is_array();
  if (good) {
    list->for_each_element([&](JsonView name) {
      good = good && name.is_string();
      names.push_back(name.as_string().value_or(""));
    });
  }
  if (!good) return fail(ErrorCode::invalid_argument, "events must be a list of names");
  return names;
}

Result<std::optional<std::string>> url_in(JsonView body) {
  const auto value = body.find_set(body.find_set("webhook_url") ? "webhook_url" : "url");
  if (!value) return std::nullopt;
  auto url = value->as_string();
  if (!url) return fail(ErrorCode::invalid_argument, "webhook_url must be a string");
  return url;
}

struct Handlers {
  Services on;

  /// Events tell of what there is.
  static Result<> check_may_read(const api::CallPtr& call) {
    if (call->principal().scopes.has(Scope::read)) return {};
    return fail(ErrorCode::forbidden, "a key that may not read cannot have events sent");
  }

  static AccountNumber account_of(const api::CallPtr& call) { return call->principal().account; }

  void add(const api::CallPtr& call) const {
    if (call->fail_if_revoked()) return;
    CHECK_CALL(call, check_may_read(call));
    TRY_CALL(call, const JsonView body, call->json_object());
    const auto secret = body.find_set("secret");
    if (secret && !secret->is_string()) {
      return call->fail(Error{ErrorCode::invalid_argument, "secret must be a string"});
    }
    TRY_CALL(call, const auto url, url_in(body));
    TRY_CALL(call, const auto names, names_in(body));
    if (!url) return call->fail(Error{ErrorCode::invalid_argument, "webhook_url is missing"});
    if (!names) return call->fail(Error{ErrorCode::invalid_argument, "events is missing"});
    TRY_CALL(call, const EventTypes events, on.subscriptions.parse_events(*names));
    TRY_CALL(call, const Webhook webhook, on.subscriptions.add(account_of(call), *url, events, body.text_of("secret")));
    auto response = http::make_text(201, "application/json", webhook_text(webhook, true));
    response.headers.push_back({"Cache-Control", "no-store"});
    call->respond(std::move(response));
  }

  void list(const api::CallPtr& call) const {
    call->respond_json(200, webhooks_text(on.subscriptions.list(account_of(call))));
  }

  void show(const api::CallPtr& call) const {
    TRY_CALL(call, const Webhook webhook, on.subscriptions.find(account_of(call), call->param("id")));
    call->respond_json(200, webhook_text(webhook, false));
  }

  void change(const api::CallPtr& call) const {
    if (call->fail_if_revoked()) return;
    CHECK_CALL(call, check_may_read(call));
    TRY_CALL(call, const JsonView body, call->json_object());
    WebhookChange change;
    TRY_CALL(call, change.url, url_in(body));
    TRY_CALL(call, const auto names, names_in(body));
    if (names) {
      TRY_CALL(call, change.events, on.subscriptions.parse_events(*names));
    }
    if (const auto enabled = body.find_set("enabled")) {
      change.enabled = enabled->as_boolean();
      if (!change.enabled) return call->fail(Error{ErrorCode::invalid_argument, "enabled must be true or false"});
    }
    TRY_CALL(call, const Webhook webhook, on.subscriptions.change(account_of(call), call->param("id"), change));
    if (change.enabled == true) CHECK_CALL(call, on.queue.hurry(webhook.id, on.spaces.clock().now()));
    on.wake();
    call->respond_json(200, webhook_text(webhook, false));
  }

  void rotate(const api::CallPtr& call) const {
    TRY_CALL(call, const Webhook webhook, on.subscriptions.rotate(account_of(call), call->param("id")));
    auto response = http::make_text(200, "application/json", webhook_text(webhook, true));
    response.headers.push_back({"Cache-Control", "no-store"});
    call->respond(std::move(response));
  }

  void remove(const api::CallPtr& call) const {
    CHECK_CALL(call, on.subscriptions.remove(account_of(call), call->param("id")));
    CHECK_CALL(call, on.queue.forget(call->param("id")));
    call->respond_empty();
  }

  void list_deliveries(const api::CallPtr& call) const {
    TRY_CALL(call, const std::int64_t limit, call->query_integer("limit", 1, kDeliveriesMax, kDeliveriesDefault));
    TRY_CALL(call, const Webhook webhook, on.subscriptions.find(account_of(call), call->param("id")));
    TRY_CALL(call, const auto deliveries, on.queue.list(webhook.id, static_cast<std::size_t>(limit)));
    call->respond_json(200, deliveries_text(deliveries));
  }

  void replay(const api::CallPtr& call) const {
    TRY_CALL(call, const Webhook webhook, on.subscriptions.find(account_of(call), call->param("id")));
    const auto number = parse_integer(call->param("delivery"));
    if (!number) return call->fail(Error{ErrorCode::not_found, "there is no such delivery"});
    TRY_CALL(call, const Delivery delivery, on.queue.replay(webhook.id, *number, on.spaces.clock().now()));
    on.wake();
    std::string out;
    JsonWriter writer(out);
    append_delivery(writer, delivery);
    call->respond_json(200, std::move(out));
  }
};

}  // namespace

std::string webhook_text(const Webhook& webhook, bool with_secret) {
  std::string out;
  JsonWriter writer(out);
  append_webhook(writer, webhook);
  if (!with_secret) return out;
  JsonObject shown{JsonView(out)};
  shown.set_text("secret", webhook.secret);
  return shown.to_text();
}

std::string webhooks_text(const std::vector<Webhook>& webhooks) {
  std::string out;
  JsonWriter writer(out);
  writer.begin_object().name("webhooks").begin_array();
  for (const Webhook& webhook : webhooks) append_webhook(writer, webhook);
  writer.end_array().end_object();
  return out;
}

std::string deliveries_text(const std::vector<Delivery>& deliveries) {
  std::string out;
  JsonWriter writer(out);
  writer.begin_object().name("deliveries").begin_array();
  for (const Delivery& delivery : deliveries) append_delivery(writer, delivery);
  writer.end_array().end_object();
  return out;
}

std::vector<api::Route> make_routes(Services services) {
  using http::Method;
  const Handlers handlers{std::move(services)};
  std::vector<api::Route> routes;
  const auto add = [&](Method method, std::string_view pattern, ScopeSet any_of, api::Description description,
                       void (Handlers::*handle)(const api::CallPtr&) const) {
    routes.push_back({.method = method,
                      .pattern = pattern,
                      .face = "webhooks",
                      .any_of = any_of,
                      .description = std::move(description),
                      .handle = [handlers, handle](const api::CallPtr& call) { (handlers.*handle)(call); },
                      .body_bytes_max = kBodyBytesMax,
                      .cost = api::Route::Cost::heavy,
                      .errors = api::ErrorStyle::envelope});
  };
  const ScopeSet reads = {Scope::read, Scope::keys};
  const ScopeSet writes = {Scope::write, Scope::keys};
  constexpr std::string_view kWebhook = "id, webhook_url, events, enabled, disabled_because, created_at";
  constexpr std::string_view kWithSecret = "the webhook, and secret: shown once";
  add(Method::post, "/webhooks", writes,
      {"Be told of events",
       "Each is posted with the headers of Standard Webhooks 1.0.0 until the receiver answers 2xx.",
       {},
       "webhook_url, events: some of sync.completed, memory.created, conflict.detected, record.changed, "
       "command.completed, timer.started, timer.stopped; secret if it is to be a given one",
       {{201, kWithSecret}, {400, "no such event or no URL"}, {409, "there are too many"}}},
      &Handlers::add);
  add(Method::get, "/webhooks", reads, {"Webhooks of this account", "", {}, "", {{200, "webhooks"}}}, &Handlers::list);
  add(Method::get, "/webhooks/{id}", reads, {"One webhook", "", {}, "", {{200, kWebhook}, {404, "unknown"}}},
      &Handlers::show);
  add(Method::patch, "/webhooks/{id}", writes,
      {"Change a webhook",
       "With enabled true also one that the hub had given up; what waited is sent.",
       {},
       "webhook_url, events, enabled: what is absent stays",
       {{200, kWebhook}, {400, "no such event or no URL"}, {404, "unknown"}}},
      &Handlers::change);
  add(Method::del, "/webhooks/{id}", writes,
      {"Remove a webhook and its log", "", {}, "", {{204, "done"}, {404, "unknown"}}}, &Handlers::remove);
  add(Method::post, "/webhooks/{id}/rotate-secret", writes,
      {"A new secret", "For 24 hours both sign.", {}, "", {{200, kWithSecret}, {404, "unknown"}}}, &Handlers::rotate);
  add(Method::get, "/webhooks/{id}/deliveries", reads,
      {"What became of its messages",
       "Newest first; those that have ended are kept for 30 days.",
       {{"limit", "query", "1 to 500, 50 if absent"}},
       "",
       {{200, "deliveries"}, {404, "unknown"}}},
      &Handlers::list_deliveries);
  add(Method::post, "/webhooks/{id}/deliveries/{delivery}/replay", writes,
      {"Send a message once more", "With the id it has.", {}, "", {{200, "the delivery"}, {404, "unknown"}}},
      &Handlers::replay);
  return routes;
}

}  // namespace syncline::webhooks
