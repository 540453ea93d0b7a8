// /webhooks: the webhooks of an account and their deliveries.
//
// Showing needs read or keys, changing write or keys, and read where it decides what is sent. Errors: 400 for a wrong
// event, URL or secret, 404 for an unknown webhook or delivery, 409 for too many webhooks. Changes the account's
// webhooks and the delivery queue.
#include "api/webhooks/routes.hpp"

#include "api/idempotency.hpp"
#include "api/kernle/errors.hpp"
#include "api/names_in.hpp"
#include "api/route_builder.hpp"
#include "api/webhooks/schemas.hpp"
#include "base/json_object.hpp"
#include "base/text.hpp"
#include "webhooks/operator_events.hpp"

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

Result<std::optional<std::string>> url_in(JsonView body) {
  const auto value = body.find_set(body.find_set("webhook_url") ? "webhook_url" : "url");
  if (!value) return std::nullopt;
  auto url = value->as_string();
  if (!url) return fail(ErrorCode::invalid_argument, "webhook_url must be a string");
  return url;
}

/// Events show what the account contains.
Result<> check_may_read(const api::CallPtr& call) {
  if (call->principal().scopes.has(Scope::read)) return {};
  return fail(ErrorCode::forbidden, "webhooks need a key with scope read");
}

std::string webhooks_text(const std::vector<Webhook>& webhooks) {
  std::string out;
  JsonWriter writer(out);
  writer.begin_object().name("webhooks").begin_array();
  for (const Webhook& webhook : webhooks) append_webhook(writer, webhook);
  writer.end_array().end_object();
  return out;
}

AccountNumber account_of(const api::CallPtr& call) { return call->principal().account; }

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

std::string deliveries_text(const std::vector<Delivery>& deliveries) {
  std::string out;
  JsonWriter writer(out);
  writer.begin_object().name("deliveries").begin_array();
  for (const Delivery& delivery : deliveries) append_delivery(writer, delivery);
  writer.end_array().end_object();
  return out;
}

void Face::add_webhook(const api::CallPtr& call) {
  if (call->fail_unless_valid()) return;
  CHECK_CALL(call, check_may_read(call));
  TRY_CALL(call, const JsonView body, call->json_object());
  const auto secret = body.find_set("secret");
  if (secret && !secret->is_string()) {
    return call->fail(Error{ErrorCode::invalid_argument, "secret must be a string"});
  }
  TRY_CALL(call, const auto url, url_in(body));
  TRY_CALL(call, const auto names, api::names_in(body, "events"));
  if (!url) return call->fail(Error{ErrorCode::invalid_argument, "webhook_url is missing"});
  if (!names) return call->fail(Error{ErrorCode::invalid_argument, "events is missing"});
  TRY_CALL(call, const EventTypes events, subscriptions_.parse_events(*names));
  CHECK_CALL(call, check_audience(events, call->principal().role));
  TRY_CALL(call, const auto idempotency, api::Idempotency::of(*call));
  TRY_CALL(call, const Webhook webhook,
           subscriptions_.add(account_of(call), *url, events, body.text_of("secret"), idempotency.name()));
  note(*call, "webhook.created", webhook.id);
  auto response = http::make_text(201, "application/json", webhook_text(webhook, true));
  response.headers.push_back({"Cache-Control", "no-store"});
  call->respond(std::move(response));
}

void Face::note(const api::Call& call, std::string_view action, const std::string& webhook) {
  access_.audit().note(
      {.action = std::string(action), .account = call.principal().email, .target = webhook, .detail = {}});
}

void Face::list_webhooks(const api::CallPtr& call) {
  call->respond_json(200, webhooks_text(subscriptions_.list(account_of(call))));
}

void Face::get_webhook(const api::CallPtr& call) {
  TRY_CALL(call, const Webhook webhook, subscriptions_.find(account_of(call), call->param("id")));
  call->respond_json(200, webhook_text(webhook, false));
}

void Face::change_webhook(const api::CallPtr& call) {
  if (call->fail_unless_valid()) return;
  CHECK_CALL(call, check_may_read(call));
  TRY_CALL(call, const JsonView body, call->json_object());
  WebhookChange change;
  TRY_CALL(call, change.url, url_in(body));
  TRY_CALL(call, const auto names, api::names_in(body, "events"));
  if (names) {
    TRY_CALL(call, change.events, subscriptions_.parse_events(*names));
    CHECK_CALL(call, check_audience(*change.events, call->principal().role));
  }
  if (const auto enabled = body.find_set("enabled")) {
    change.enabled = enabled->as_boolean();
    if (!change.enabled) return call->fail(Error{ErrorCode::invalid_argument, "enabled must be true or false"});
  }
  TRY_CALL(call, const Webhook webhook, subscriptions_.change(account_of(call), call->param("id"), change));
  note(*call, "webhook.changed", webhook.id);
  if (change.enabled == true) CHECK_CALL(call, deliveries_.retry_now(webhook.id));
  wake_sender_();
  call->respond_json(200, webhook_text(webhook, false));
}

void Face::rotate_secret(const api::CallPtr& call) {
  CHECK_CALL(call, check_may_read(call));  // the secret lets its holder pass events off as the hub's
  TRY_CALL(call, const Webhook webhook, subscriptions_.rotate(account_of(call), call->param("id")));
  note(*call, "webhook.secret_rotated", webhook.id);
  auto response = http::make_text(200, "application/json", webhook_text(webhook, true));
  response.headers.push_back({"Cache-Control", "no-store"});
  call->respond(std::move(response));
}

void Face::remove_webhook(const api::CallPtr& call) {
  CHECK_CALL(call, subscriptions_.remove(account_of(call), call->param("id")));
  note(*call, "webhook.removed", call->param("id"));
  call->respond_empty();
}

void Face::list_deliveries(const api::CallPtr& call) {
  TRY_CALL(call, const std::int64_t limit, call->query_integer("limit", 1, kDeliveriesMax, kDeliveriesDefault));
  TRY_CALL(call, const Webhook webhook, subscriptions_.find(account_of(call), call->param("id")));
  TRY_CALL(call, const auto deliveries, deliveries_.list(webhook.id, static_cast<std::size_t>(limit)));
  call->respond_json(200, deliveries_text(deliveries));
}

void Face::replay_delivery(const api::CallPtr& call) {
  TRY_CALL(call, const Webhook webhook, subscriptions_.find(account_of(call), call->param("id")));
  const auto number = parse_integer(call->param("delivery"));
  if (!number) return call->fail(Error{ErrorCode::not_found, "delivery not found"});
  CHECK_CALL(call, check_enabled(webhook));
  TRY_CALL(call, const Delivery delivery, deliveries_.replay(webhook.id, *number));
  wake_sender_();
  std::string out;
  JsonWriter writer(out);
  append_delivery(writer, delivery);
  call->respond_json(200, std::move(out));
}

std::vector<api::Route> Face::make_routes() {
  const ScopeSet reads = {Scope::read, Scope::keys};
  const ScopeSet writes = {Scope::write, Scope::keys};
  api::RouteBuilder routes(*this, "webhooks", kernle::kErrors);
  routes.all().with_schemas(kSchemas).heavy().with_cookies().body_at_most(kBodyBytesMax);
  routes.post("/webhooks", writes, "Add a webhook", &Face::add_webhook)
      .described(
          "The hub posts each event with the headers of Standard Webhooks 1.0.0, and retries until the receiver "
          "answers "
          "2xx.")
      .body(
          "webhook_url, events: some of sync.completed, memory.created, conflict.detected, record.changed, "
          "command.completed, timer.started, timer.stopped, and for admins backup.failed, backup.overdue, backup.ok; "
          "optionally the secret to use",
          "WebhookRequest")
      .answers(201, "the webhook with its secret, which is shown once", "Webhook")
      .answers(400, "not an event or a URL, or a URL at an address that webhooks may not reach")
      .answers(403, "an event for admins, or the key lacks a scope")
      .header("Idempotency-Key", "a second request with this key gets the webhook of the first one")
      .answers(409, "the account has too many webhooks")
      .answers(422, "Idempotency-Key reused");
  routes.get("/webhooks", reads, "List the webhooks of this account", &Face::list_webhooks)
      .answers(200, "the webhooks", "Webhooks");
  routes.get("/webhooks/{id}", reads, "Show a webhook", &Face::get_webhook)
      .answers(200, "the webhook", "Webhook")
      .answers(404, "unknown");
  routes.patch("/webhooks/{id}", writes, "Change a webhook", &Face::change_webhook)
      .described("enabled: true re-enables a webhook that the hub had disabled, and sends its queued deliveries.")
      .body("any of webhook_url, events, enabled", "WebhookChange")
      .answers(200, "the webhook", "Webhook")
      .answers(400, "not an event or a URL, or a URL at an address that webhooks may not reach")
      .answers(403, "an event for admins, or the key lacks a scope")
      .answers(404, "unknown");
  routes.del("/webhooks/{id}", writes, "Delete a webhook and its log", &Face::remove_webhook)
      .answers(204, "deleted")
      .answers(404, "unknown");
  routes.post("/webhooks/{id}/rotate-secret", writes, "Replace the secret", &Face::rotate_secret)
      .described("For 24 hours the hub signs with both secrets.")
      .answers(200, "the webhook with its new secret, which is shown once", "Webhook")
      .answers(404, "unknown");
  routes.get("/webhooks/{id}/deliveries", reads, "List deliveries", &Face::list_deliveries)
      .described("Newest first. The hub keeps finished ones for 30 days.")
      .query_integer("limit", "1 to 500, 50 if absent")
      .answers(200, "the deliveries", "WebhookDeliveries")
      .answers(404, "unknown");
  routes.post("/webhooks/{id}/deliveries/{delivery}/replay", writes, "Send a delivery again", &Face::replay_delivery)
      .described("The message keeps its id.")
      .answers(200, "the delivery", "WebhookDelivery")
      .answers(404, "unknown")
      .answers(409, "the webhook is disabled");
  return routes.take();
}

api::FaceModule make_module() {
  return {.name = "webhooks", .prefixes = {"/kernle"}, .make = [](const api::FaceParts& parts) {
            return std::make_unique<Face>(parts);
          }};
}

}  // namespace syncline::webhooks
