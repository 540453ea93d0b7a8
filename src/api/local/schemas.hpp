// JSON Schemas of the bodies and answers of a node's own routes, for /openapi.json; docs/api/node.md explains them.
#pragma once

#include <string_view>

namespace syncline::local {

inline constexpr std::string_view kSchemas = R"({
"Ok": {"type": "object", "required": ["ok"], "properties": {"ok": {"const": true}}},
"Fields": {"examples": [{"title": "Review"}],
  "type": "object", "description": "any members of the row or memory"},
"SpaceState": {"type": "object",
  "required": ["space", "state", "reason", "since", "next_try", "last_sync", "pending", "dead_letters", "to_pull",
    "pulled", "pushed", "conflicts"], "properties": {
  "space": {"type": "string"}, "state": {"type": "string"}, "reason": {"type": "string"},
  "since": {"type": ["string", "null"], "format": "date-time"}, "next_try": {"type": ["string", "null"], "format": "date-time"},
  "last_sync": {"type": ["string", "null"], "format": "date-time"}, "pending": {"type": "integer"},
  "dead_letters": {"type": "integer"}, "to_pull": {"type": "integer"}, "pulled": {"type": "integer"},
  "pushed": {"type": "integer"}, "conflicts": {"type": "integer"}}},
"Profile": {"type": "object",
  "required": ["profile", "active", "enabled", "url", "live", "settings_error", "spaces"], "properties": {
  "profile": {"type": "string"}, "active": {"type": "boolean"}, "enabled": {"type": "boolean"},
  "url": {"type": "string"}, "live": {"type": "boolean"}, "settings_error": {"type": ["string", "null"]},
  "clock": {"type": "string", "description": "trusted, or why it is in doubt"}, "dialect": {"type": "string"}, "limits": {"type": "array", "items": {"type": "string"}},
  "spaces": {"type": "array", "items": {"$ref": "#/components/schemas/SpaceState"}}}},
"Profiles": {"type": "object", "required": ["profiles"], "properties": {
  "profiles": {"type": "array", "items": {"$ref": "#/components/schemas/Profile"}}}},
"ProfileRequest": {"examples": [{"name": "work"}],
  "type": "object", "required": ["name"], "properties": {"name": {"type": "string"}}},
"ProfileRemoved": {"type": "object", "required": ["kept_in"], "properties": {"kept_in": {"type": "string"}}},
"CloudStatus": {"type": "object",
  "required": ["enabled", "api_key_set", "url", "interval", "connected", "plan", "last_pull_cursor",
    "last_push_cursor", "last_pull_at", "last_push_at", "last_error", "pending_deletes", "state", "pending_changes"],
  "properties": {
  "enabled": {"type": "boolean"}, "api_key_set": {"type": "boolean"}, "url": {"type": "string"},
  "interval": {"type": "integer"}, "connected": {"type": "boolean"}, "plan": {"type": ["string", "null"]},
  "last_pull_cursor": {"type": "string"}, "last_push_cursor": {"type": "string"},
  "last_pull_at": {"type": ["string", "null"], "format": "date-time"},
  "last_push_at": {"type": ["string", "null"], "format": "date-time"}, "last_error": {"type": ["string", "null"]},
  "pending_deletes": {"type": "integer"}, "email": {"type": "string"}, "cloud_entry_count": {"type": "integer"},
  "cloud_last_change_at": {"type": ["string", "null"]}, "cloud_active_timer_id": {"type": ["string", "null"]},
  "state": {"type": "string"}, "pending_changes": {"type": "integer"}, "dialect": {"type": "string"},
  "limits": {"type": "array", "items": {"type": "string"}}}},
"CloudConnect": {"examples": [{"url": "https://hub.example.org", "api_key": "KEY"}],
  "type": "object", "required": ["url", "api_key"], "properties": {
  "url": {"type": "string"}, "api_key": {"type": "string"}, "ca_file": {"type": "string"}}},
"CloudConnected": {"type": "object", "required": ["ok", "plan", "dialect", "auto_set_models"], "properties": {
  "ok": {"const": true}, "plan": {"type": "string"}, "dialect": {"type": "string"},
  "auto_set_models": {"type": "object", "additionalProperties": {"type": "string"}}}},
"CloudDisconnect": {"examples": [{"wipe": false}],
  "type": "object", "properties": {"wipe": {"type": "boolean"}}},
"CloudDisconnected": {"type": "object", "required": ["ok", "wiped", "pull_error", "wipe_error"], "properties": {
  "ok": {"const": true}, "wiped": {"type": "boolean"}, "pull_error": {"type": ["string", "null"]},
  "wipe_error": {"type": ["string", "null"]}}},
"CloudAiUsage": {"type": "object", "required": ["month", "total_tokens", "request_count", "cap"], "properties": {
  "month": {"type": "string"}, "input_tokens": {"type": "integer"}, "output_tokens": {"type": "integer"},
  "total_tokens": {"type": "integer"}, "request_count": {"type": "integer"}, "cap": {"type": "integer"},
  "error": {"type": "string"}}, "additionalProperties": true},
"CloudCycle": {"type": "object", "required": ["enabled"], "properties": {
  "enabled": {"type": "boolean"}, "pulled_up": {"type": "integer"}, "pulled_del": {"type": "integer"},
  "pushed_live": {"type": "integer"}, "pushed_del": {"type": "integer"}, "pushed_deletes": {"type": "integer"},
  "duration_ms": {"type": "integer"}, "snapshot_pushed": {"type": "boolean"}, "error": {"type": ["string", "null"]}}},
"CloudModels": {"type": "object", "required": ["advisor_model", "cron_model", "advisor_changed", "jobs_changed"],
  "properties": {
  "advisor_model": {"type": "string"}, "cron_model": {"type": "string"}, "advisor_changed": {"type": "boolean"},
  "jobs_changed": {"type": "integer"}}},
"CloudTimer": {"type": "object", "required": ["active"], "properties": {"active": {"type": "boolean"}},
  "additionalProperties": true},
"CloudEntry": {"type": "object", "required": ["id"], "properties": {"id": {"type": "string"}},
  "additionalProperties": true},
"CloudPending": {"type": "array", "items": {"type": "object",
  "required": ["sync_id", "customer", "description", "start", "end", "duration_minutes", "task_id", "invoiced",
    "notes", "contract", "updated_at", "from_cloud"], "properties": {
  "sync_id": {"type": "string"}, "customer": {"type": "string"}, "description": {"type": ["string", "null"]},
  "start": {"type": ["string", "null"], "description": "local time"},
  "end": {"type": ["string", "null"], "description": "local time"}, "duration_minutes": {"type": ["integer", "null"]},
  "task_id": {"type": ["string", "null"]}, "invoiced": {"type": ["boolean", "null"]},
  "notes": {"type": ["string", "null"]}, "contract": {"type": ["string", "null"]},
  "updated_at": {"type": "string", "format": "date-time"}, "from_cloud": {"const": true}}}},
"CloudTriage": {"examples": [{"entries": [{"sync_id": "r1", "customer": "Acme"}]}],
  "type": "object", "required": ["entries"], "properties": {
  "entries": {"type": "array", "items": {"type": "object", "properties": {
    "sync_id": {"type": ["string", "null"]}, "start": {"type": ["string", "null"]},
    "customer": {"type": ["string", "null"], "description": "null keeps what is stored, an empty text clears it"},
    "task_id": {"type": ["string", "null"]}, "contract": {"type": ["string", "null"]}}}}}},
"CloudTriaged": {"type": "object", "required": ["updated"], "properties": {"updated": {"type": "integer"}}},
"Row": {"type": "object", "required": ["id", "updated_at", "deleted_at"], "properties": {
  "id": {"type": "string"}, "updated_at": {"type": "string", "format": "date-time"},
  "deleted_at": {"type": ["string", "null"], "format": "date-time"}}, "additionalProperties": true},
"Rows": {"type": "array", "items": {"$ref": "#/components/schemas/Row"}},
"Customer": {"type": "object", "required": ["name"], "properties": {
  "name": {"type": "string"}, "contracts": {"type": "array"}}, "additionalProperties": true},
"Customers": {"type": "array", "items": {"$ref": "#/components/schemas/Customer"}},
"AgentRequest": {"examples": [{"agent_id": "claire"}],
  "type": "object", "properties": {
  "agent_id": {"type": "string"}, "stack_id": {"type": "string"},
  "operations": {"type": "array", "items": {"type": "object"}}, "limit": {"type": ["integer", "null"], "minimum": 1},
  "full": {"type": "boolean"}}},
"AgentStatus": {"type": "object", "required": ["success", "data"], "properties": {
  "success": {"const": true},
  "data": {"type": "object",
    "required": ["agent_id", "pending_operations", "last_push", "last_pull", "remote_changes_available", "status",
      "state", "reason", "dead_letters", "url"], "properties": {
    "agent_id": {"type": "string"}, "pending_operations": {"type": "integer"},
    "last_push": {"type": ["string", "null"], "format": "date-time"},
    "last_pull": {"type": ["string", "null"], "format": "date-time"}, "remote_changes_available": {"type": "integer"},
    "status": {"enum": ["connected", "disconnected", "off"]}, "state": {"type": "string"},
    "reason": {"type": "string"}, "dead_letters": {"type": "integer"}, "url": {"type": "string"}}}}},
"AgentPushed": {"type": "object", "required": ["success", "data"], "properties": {
  "success": {"const": true},
  "data": {"type": "object", "required": ["pushed", "failed", "remaining", "results"], "properties": {
    "pushed": {"type": "integer"}, "failed": {"type": "integer"}, "remaining": {"type": "integer"},
    "results": {"type": "array", "items": {"type": "object",
      "required": ["record_id", "status", "remote_id", "table"], "properties": {
      "record_id": {"type": "string"}, "status": {"enum": ["synced", "queued", "rejected"]},
      "remote_id": {"type": "string"}, "table": {"type": "string"}, "error": {"type": "string"}}}}}}}},
"AgentPulled": {"type": "object", "required": ["success", "data"], "properties": {
  "success": {"const": true},
  "data": {"type": "object", "required": ["pulled", "tables", "last_sync", "conflicts"], "properties": {
    "pulled": {"type": "integer"}, "tables": {"type": "object", "additionalProperties": {"type": "integer"}},
    "last_sync": {"type": "string", "format": "date-time"}, "conflicts": {"type": "integer"}}}}},
"AgentPhase": {"type": "object", "required": ["records", "tables"], "properties": {
  "records": {"type": "integer"}, "tables": {"type": "array", "items": {"type": "string"}}}},
"AgentSynced": {"type": "object", "required": ["success", "data"], "properties": {
  "success": {"const": true},
  "data": {"type": "object", "required": ["pull", "push", "conflicts_resolved", "sync_completed_at"], "properties": {
    "pull": {"$ref": "#/components/schemas/AgentPhase"}, "push": {"$ref": "#/components/schemas/AgentPhase"},
    "conflicts_resolved": {"type": "integer"}, "sync_completed_at": {"type": "string", "format": "date-time"}}}}},
"DeadLetters": {"type": "object", "required": ["dead_letters"], "properties": {
  "dead_letters": {"type": "array", "items": {"type": "object",
    "required": ["table", "record_id", "state", "offers", "since", "code", "error"], "properties": {
    "table": {"type": "string"}, "record_id": {"type": "string"}, "state": {"enum": ["dead", "waiting"]},
    "offers": {"type": "integer"}, "since": {"type": "string", "format": "date-time"}, "code": {"type": "string"},
    "error": {"type": "string"}}}}}},
"DeadLettersRetried": {"type": "object", "required": ["retried"], "properties": {"retried": {"type": "integer"}}},
"Memory": {"type": "object", "required": ["id", "local_updated_at"], "properties": {
  "id": {"type": "string"}, "local_updated_at": {"type": "string", "format": "date-time"}},
  "additionalProperties": true},
"Memories": {"type": "object", "required": ["records", "after"], "properties": {
  "records": {"type": "array", "items": {"$ref": "#/components/schemas/Memory"}},
  "after": {"type": ["string", "null"], "description": "null on the last page"}}},
"MemoryHits": {"type": "object", "required": ["results"], "properties": {
  "results": {"type": "array", "items": {"type": "object", "required": ["table", "score", "record"], "properties": {
    "table": {"type": "string"}, "score": {"type": "number"},
    "record": {"$ref": "#/components/schemas/Memory"}}}}}}
})";

}  // namespace syncline::local
