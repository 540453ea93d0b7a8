// JSON Schemas of the native API's bodies and answers, for /openapi.json.
#pragma once

#include <string_view>

namespace syncline::native {

inline constexpr std::string_view kSchemas = R"({
"Record": {"type": "object", "required": ["seq", "collection", "id", "updated_at", "deleted"], "properties": {
  "seq": {"type": "integer"}, "collection": {"type": "string"}, "id": {"type": "string"},
  "updated_at": {"type": "string", "format": "date-time"}, "deleted": {"type": "boolean"},
  "doc": {"type": ["object", "string"], "additionalProperties": true,
    "description": "absent from a deleted record; a string with its text if the request has docs=text"}}},
"DamagedRecord": {"type": "object", "required": ["seq", "damaged"], "properties": {
  "seq": {"type": "integer"}, "collection": {"type": "string", "description": "absent if the hub cannot tell"},
  "id": {"type": "string", "description": "absent if the hub cannot tell"}, "damaged": {"const": true},
  "replaced": {"const": true, "description": "the record has been written again since; who has this version sends it"}}},
"ReadRecord": {"anyOf": [{"$ref": "#/components/schemas/Record"}, {"$ref": "#/components/schemas/DamagedRecord"}]},
"Document": {"examples": [{"text": "hello"}], "type": "object", "additionalProperties": true},
"Time": {"type": "object", "required": ["now"], "properties": {"now": {"type": "string", "format": "date-time"}}},
"Op": {"type": "object", "required": ["collection", "id"], "properties": {
  "collection": {"type": "string"}, "id": {"type": "string"},
  "updated_at": {"type": ["string", "integer", "null"], "description": "RFC 3339, or microseconds; now if absent"},
  "base": {"type": ["integer", "null"], "description": "the seq that the writer has seen"},
  "deleted": {"type": "boolean"}, "doc": {"type": ["object", "null"], "additionalProperties": true}}},
"Push": {"examples": [
  {"ops": [{"collection": "notes", "id": "n1", "doc": {"text": "hello"}},
    {"collection": "notes", "id": "n2", "deleted": true}]}],
  "type": "object", "required": ["ops"], "properties": {
  "epoch": {"type": "string", "description": "the history that each base belongs to"},
  "known": {"type": "string", "description": "the newest cursor that the client has received"},
  "ops": {"type": "array", "maxItems": 5000, "items": {"$ref": "#/components/schemas/Op"}}}},
"PushResult": {"type": "object", "required": ["status"], "properties": {
  "index": {"type": "integer"}, "status": {"enum": ["applied", "merged", "noop", "stale", "refused"]},
  "seq": {"type": "integer"}, "updated_at": {"type": "string", "format": "date-time"},
  "record": {"$ref": "#/components/schemas/Record"},
  "error": {"type": "object", "required": ["code", "detail"], "properties": {
    "code": {"type": "string"}, "detail": {"type": "string"}}},
  "clock": {"type": "object", "required": ["sent", "used"], "properties": {
    "sent": {"type": "string", "format": "date-time"}, "used": {"type": "string", "format": "date-time"}}}}},
"PushAnswer": {"type": "object", "required": ["cursor", "results"], "properties": {
  "cursor": {"type": "string"}, "results": {"type": "array", "items": {"$ref": "#/components/schemas/PushResult"}}}},
"ChangesPage": {"type": "object", "required": ["changes", "cursor", "more"], "properties": {
  "changes": {"type": "array", "items": {"$ref": "#/components/schemas/ReadRecord"}},
  "damaged": {"type": "array", "items": {"$ref": "#/components/schemas/DamagedRecord"},
    "description": "versions before the cursor that the hub has lost; absent if there are none"},
  "cursor": {"type": "string"}, "more": {"type": "boolean"}}},
"RecordsPage": {"type": "object", "required": ["records", "after"], "properties": {
  "records": {"type": "array", "items": {"$ref": "#/components/schemas/ReadRecord"}},
  "after": {"type": ["string", "null"], "description": "null on the last page"}}},
"Collections": {"type": "object", "required": ["collections"], "properties": {
  "collections": {"type": "array", "items": {"type": "object", "required": ["name", "records", "bytes"],
    "properties": {"name": {"type": "string"}, "records": {"type": "integer", "description": "live ones"},
    "bytes": {"type": "integer", "description": "of the live documents"}}}}}},
"Space": {"type": "object", "required": ["name", "cursor", "records", "bytes", "updated_at"], "properties": {
  "name": {"type": "string"}, "cursor": {"type": "string"}, "records": {"type": "integer"},
  "bytes": {"type": "integer"}, "updated_at": {"type": "string", "format": "date-time"}}},
"Spaces": {"type": "object", "required": ["spaces"], "properties": {
  "spaces": {"type": "array", "items": {"$ref": "#/components/schemas/Space"}},
  "shared": {"type": "array", "items": {"type": "object", "required": ["name", "owner", "rights", "cursor"],
    "properties": {"name": {"type": "string"}, "owner": {"type": "string"}, "rights": {"enum": ["read", "write"]},
    "cursor": {"type": "string"}}}, "description": "spaces of other accounts; absent on a node"}}},
"Version": {"type": "object",
  "required": ["seq", "collection", "id", "updated_at", "deleted", "key_label", "committed_at", "rule"], "properties": {
  "seq": {"type": "integer"}, "collection": {"type": "string"}, "id": {"type": "string"},
  "updated_at": {"type": "string", "format": "date-time"}, "deleted": {"type": "boolean"},
  "doc": {"type": ["object", "string"], "additionalProperties": true}, "key_label": {"type": "string"},
  "committed_at": {"type": "string", "format": "date-time"},
  "rule": {"type": "string"}}},
"History": {"type": "object", "required": ["versions"], "properties": {
  "versions": {"type": "array", "items": {"$ref": "#/components/schemas/Version"}}}},
"Conflict": {"type": "object",
  "required": ["id", "collection", "record_id", "rule", "at", "state", "loser_key_label", "loser", "winner"],
  "properties": {
  "id": {"type": "string"}, "collection": {"type": "string"}, "record_id": {"type": "string"},
  "rule": {"type": "string"}, "at": {"type": "string", "format": "date-time"},
  "state": {"enum": ["open", "restored", "dismissed"]}, "loser_key_label": {"type": "string"},
  "loser": {"$ref": "#/components/schemas/Record"},
  "winner": {"anyOf": [{"$ref": "#/components/schemas/Record"}, {"type": "null"}]}}},
"Conflicts": {"type": "object", "required": ["conflicts"], "properties": {
  "conflicts": {"type": "array", "items": {"$ref": "#/components/schemas/Conflict"}}}},
"ConflictDecision": {"type": "object", "required": ["action"], "properties": {
  "action": {"enum": ["restore", "dismiss"]}}},
"Me": {"type": "object", "required": ["api", "account", "plan", "ai", "key", "limits"], "properties": {
  "api": {"type": "integer", "description": "rises with what the hub takes"},
  "account": {"type": "string"}, "plan": {"type": "string"},
  "ai": {"type": "boolean", "description": "the hub has AI for the account"},
  "key": {"type": "object", "required": ["id", "label", "scopes", "spaces"], "properties": {
    "id": {"type": "string"}, "label": {"type": "string"}, "scopes": {"type": "array", "items": {"type": "string"}},
    "spaces": {"type": ["array", "null"], "items": {"type": "string"}, "description": "null: all"}}},
  "limits": {"type": "object", "additionalProperties": {"type": "integer"}}}}
})";

}  // namespace syncline::native
