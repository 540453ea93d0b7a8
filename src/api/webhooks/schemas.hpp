// JSON Schemas of the bodies and answers of /webhooks, for /openapi.json.
#pragma once

#include <string_view>

namespace syncline::webhooks {

inline constexpr std::string_view kSchemas = R"({
"WebhookRequest": {"examples": [{"webhook_url": "https://app.example/hook", "events": ["record.changed"]}],
  "type": "object", "required": ["events"], "properties": {
  "webhook_url": {"type": "string", "format": "uri"}, "url": {"type": "string", "description": "the same"},
  "events": {"type": "array", "minItems": 1, "items": {"type": "string"}},
  "secret": {"type": ["string", "null"], "description": "made if absent"}}},
"WebhookChange": {"examples": [{"enabled": true}],
  "type": "object", "properties": {
  "webhook_url": {"type": ["string", "null"]}, "url": {"type": ["string", "null"]},
  "events": {"type": ["array", "null"], "items": {"type": "string"}}, "enabled": {"type": ["boolean", "null"]}}},
"Webhook": {"type": "object", "required": ["id", "webhook_url", "events", "enabled", "disabled_because", "created_at"],
  "properties": {
  "id": {"type": "string"}, "webhook_url": {"type": "string"},
  "events": {"type": "array", "items": {"type": "string"}}, "enabled": {"type": "boolean"},
  "disabled_because": {"type": ["string", "null"]}, "created_at": {"type": "string", "format": "date-time"},
  "secret": {"type": "string", "description": "shown once, when it is made"}}},
"Webhooks": {"type": "object", "required": ["webhooks"], "properties": {
  "webhooks": {"type": "array", "items": {"$ref": "#/components/schemas/Webhook"}}}},
"WebhookDelivery": {"type": "object",
  "required": ["id", "webhook", "message_id", "type", "state", "attempts", "created_at", "next_at", "last_at",
    "last_status", "last_error", "payload"], "properties": {
  "id": {"type": "integer"}, "webhook": {"type": "string"}, "message_id": {"type": "string"},
  "type": {"type": "string"}, "state": {"type": "string"}, "attempts": {"type": "integer"},
  "created_at": {"type": "string", "format": "date-time"},
  "next_at": {"type": ["string", "null"], "format": "date-time"},
  "last_at": {"type": ["string", "null"], "format": "date-time"}, "last_status": {"type": "integer"},
  "last_error": {"type": "string"}, "payload": {"type": "object"}}},
"WebhookDeliveries": {"type": "object", "required": ["deliveries"], "properties": {
  "deliveries": {"type": "array", "items": {"$ref": "#/components/schemas/WebhookDelivery"}}}}
})";

}  // namespace syncline::webhooks
