// JSON Schemas of what admins see, for /openapi.json.
#pragma once

#include <string_view>

namespace syncline::admin {

inline constexpr std::string_view kSchemas = R"({
"AuditEntry": {"type": "object",
  "required": ["number", "at", "actor", "key", "label", "address", "action", "account", "target", "outcome", "detail"],
  "properties": {
  "number": {"type": "integer"}, "at": {"type": "string", "format": "date-time"},
  "actor": {"type": ["string", "null"],
    "description": "address of the account that acted; operator: a command on the hub's machine; null: not known"},
  "key": {"type": ["string", "null"], "description": "id of the key or session that it acted with"},
  "label": {"type": ["string", "null"], "description": "label of that key"},
  "address": {"type": ["string", "null"], "description": "address of the client"},
  "action": {"type": "string"},
  "account": {"type": ["string", "null"], "description": "address of the account that it concerns"},
  "target": {"type": ["string", "null"], "description": "id of the key, session, command, webhook ..."},
  "outcome": {"enum": ["ok", "refused"]}, "detail": {"type": ["string", "null"]}}},
"AuditPage": {"type": "object", "required": ["entries", "next"], "properties": {
  "entries": {"type": "array", "items": {"$ref": "#/components/schemas/AuditEntry"}},
  "next": {"type": ["integer", "null"], "description": "after of the next page"}}}
})";

}  // namespace syncline::admin
