// JSON Schemas of the bodies and answers of Kaisho's API, for /openapi.json.
#pragma once

#include <string_view>

namespace syncline::kaisho {

/// A row has more members than these where a newer client has sent some.
inline constexpr std::string_view kSchemas = R"({
"KaishoRow": {"type": "object", "required": ["id", "updated_at", "deleted_at"],
  "description": "A row of entries, inbox, tasks, notes or projects; docs/api/kaisho.md lists the fields of each.",
  "properties": {
  "id": {"type": "string"}, "created_at": {}, "updated_at": {"type": "string", "format": "date-time"},
  "deleted_at": {"type": ["string", "null"], "format": "date-time"}}, "additionalProperties": true},
"KaishoSentRow": {"type": "object", "required": ["id", "updated_at"], "properties": {
  "id": {"type": "string"}, "updated_at": {"type": "string", "description": "with an offset"},
  "deleted_at": {"type": ["string", "null"], "description": "set: the row is deleted"}}, "additionalProperties": true},
"KaishoChanges": {"type": "object", "required": ["now", "cursor", "has_more", "entries"], "properties": {
  "now": {"type": "string", "format": "date-time"}, "cursor": {"type": "string"}, "has_more": {"type": "boolean"},
  "entries": {"type": "array", "items": {"$ref": "#/components/schemas/KaishoRow"}},
  "errors": {"type": "array", "items": {"type": "string"}, "description": "ids of the rows that were left out"},
  "problems": {"type": "array", "items": {"type": "object", "required": ["id", "error"], "properties": {
    "id": {"type": "string"}, "error": {"type": "string"}}}}}},
"KaishoApply": {"type": "object", "required": ["entries"], "properties": {
  "entries": {"type": "array", "items": {"$ref": "#/components/schemas/KaishoSentRow"}}}},
"KaishoApplyEntries": {"examples": [{"entries": [
    {"id": "e1", "start": "2026-01-31T09:00:00Z", "end": "2026-01-31T10:00:00Z",
    "customer": "Acme", "updated_at": "2026-01-31T10:00:00Z"}]}],
  "$ref": "#/components/schemas/KaishoApply"},
"KaishoApplyInbox": {"examples": [{"entries": [
    {"id": "i1", "title": "Call back", "updated_at": "2026-01-31T10:00:00Z"}]}],
  "$ref": "#/components/schemas/KaishoApply"},
"KaishoApplyTasks": {"examples": [{"entries": [
    {"id": "t1", "title": "Review", "customer": "Acme", "updated_at": "2026-01-31T10:00:00Z"}]}],
  "$ref": "#/components/schemas/KaishoApply"},
"KaishoApplyNotes": {"examples": [{"entries": [
    {"id": "n1", "title": "Ideas", "updated_at": "2026-01-31T10:00:00Z"}]}],
  "$ref": "#/components/schemas/KaishoApply"},
"KaishoApplyProjects": {"examples": [{"entries": [
    {"id": "p1", "name": "Website", "customer": "Acme", "updated_at": "2026-01-31T10:00:00Z"}]}],
  "$ref": "#/components/schemas/KaishoApply"},
"KaishoApplied": {"type": "object", "required": ["inserted", "updated", "skipped", "errors", "applied_at"],
  "properties": {
  "inserted": {"type": "integer"}, "updated": {"type": "integer"}, "skipped": {"type": "integer"},
  "errors": {"type": "array", "items": {"type": "string"}, "description": "ids of the rows that were not stored"},
  "problems": {"type": "array", "items": {"type": "object", "required": ["row", "id", "error"], "properties": {
    "row": {"type": "integer"}, "id": {"type": "string"}, "error": {"type": "string"}}}},
  "applied_at": {"type": "string", "format": "date-time"}}},
"KaishoIds": {"examples": [{"ids": ["r1"]}],
  "type": "object", "required": ["ids"], "properties": {
  "ids": {"type": "array", "minItems": 1, "items": {"type": "string"}}}},
"KaishoAcknowledged": {"type": "object", "required": ["acked"], "properties": {"acked": {"type": "integer"}}},
"KaishoEntry": {"type": "object", "required": ["id", "start", "end", "updated_at", "deleted_at"], "properties": {
  "id": {"type": "string"}, "customer": {"type": ["string", "null"]}, "description": {"type": "string"},
  "start": {"type": "string", "format": "date-time"}, "end": {"type": ["string", "null"], "format": "date-time"},
  "task_id": {"type": ["string", "null"]}, "contract": {"type": ["string", "null"]},
  "project": {"type": ["string", "null"]}, "notes": {"type": "string"}, "invoiced": {"type": "boolean"},
  "created_at": {}, "updated_at": {"type": "string", "format": "date-time"},
  "deleted_at": {"type": ["string", "null"], "format": "date-time"}}, "additionalProperties": true},
"KaishoClock": {"type": "object", "required": ["id", "start", "end", "duration_minutes", "synced_at"], "properties": {
  "id": {"type": "string"}, "start": {"type": "string", "format": "date-time"},
  "end": {"type": ["string", "null"], "format": "date-time"}, "duration_minutes": {"type": ["integer", "null"]},
  "synced_at": {"type": ["string", "null"], "format": "date-time"}}, "additionalProperties": true,
  "description": "The members of an entry, and these"},
"KaishoClocks": {"type": "array", "items": {"$ref": "#/components/schemas/KaishoClock"}},
"KaishoDays": {"type": "object", "required": ["zone", "seconds", "days"], "properties": {
  "zone": {"type": "string"}, "seconds": {"type": "integer"},
  "days": {"type": "array", "items": {"type": "object", "required": ["date", "seconds", "entries"], "properties": {
    "date": {"type": "string", "description": "YYYY-MM-DD"}, "seconds": {"type": "integer"},
    "entries": {"type": "integer", "description": "how many were worked on that day"}}}}}},
"KaishoActive": {"type": "object", "required": ["active"], "properties": {"active": {"type": "boolean"}},
  "additionalProperties": true, "description": "The members of the entry too, if one runs"},
"KaishoStart": {"examples": [{"id": "t1", "start": "2026-01-31T09:00:00Z", "customer": "Acme"}],
  "type": "object", "required": ["id", "start"], "properties": {
  "id": {"type": "string"}, "start": {"type": "string"}, "customer": {"type": ["string", "null"]},
  "description": {"type": ["string", "null"]}, "task_id": {"type": ["string", "null"]},
  "contract": {"type": ["string", "null"]}, "project": {"type": ["string", "null"]}}, "additionalProperties": true},
"KaishoStarted": {"type": "object", "required": ["active", "winner", "id"], "properties": {
  "active": {"type": "boolean"}, "winner": {"enum": ["incoming", "existing"]}, "id": {"type": "string"}},
  "additionalProperties": true, "description": "The members of the entry that stands, and these"},
"KaishoStop": {"examples": [{"id": "t1"}],
  "type": "object", "properties": {
  "id": {"type": ["string", "null"]}, "end": {"type": ["string", "null"]}}},
"KaishoClockStart": {"examples": [{"customer": "Acme", "description": "Review"}],
  "type": "object", "properties": {
  "id": {"type": ["string", "null"]}, "start": {"type": ["string", "null"]}, "end": {"type": ["string", "null"]},
  "customer": {"type": ["string", "null"]}, "description": {"type": ["string", "null"]},
  "task_id": {"type": ["string", "null"]}, "contract": {"type": ["string", "null"]},
  "project": {"type": ["string", "null"]}}},
"KaishoClockStop": {"examples": [{"id": "t1"}],
  "type": "object", "properties": {
  "id": {"type": ["string", "null"]}, "start": {"type": ["string", "null"]}, "end": {"type": ["string", "null"]}}},
"KaishoBooking": {"examples": [{"duration": "1h30m", "customer": "Acme"}],
  "type": "object", "properties": {
  "duration": {"type": "string", "examples": ["2h", "30m", "1.5h", "1h30m"]},
  "start": {"type": ["string", "null"]}, "end": {"type": ["string", "null"]},
  "date": {"type": ["string", "null"], "description": "YYYY-MM-DD"},
  "zone": {"type": ["string", "null"], "description": "of the date; UTC if absent"},
  "customer": {"type": ["string", "null"]}, "description": {"type": ["string", "null"]},
  "task_id": {"type": ["string", "null"]}, "contract": {"type": ["string", "null"]},
  "project": {"type": ["string", "null"]}}},
"KaishoClockChange": {"examples": [{"description": "Review"}],
  "type": "object", "properties": {
  "customer": {"type": ["string", "null"]}, "description": {"type": ["string", "null"]},
  "task_id": {"type": ["string", "null"]}, "contract": {"type": ["string", "null"]},
  "project": {"type": ["string", "null"]}, "notes": {"type": ["string", "null"]}, "invoiced": {"type": "boolean"},
  "start_at": {"type": "string"}, "end_at": {"type": ["string", "null"]}}},
"KaishoSettings": {"examples": [{"theme": "dark"}],
  "type": "object", "description": "Settings that all devices share; the clients name them"},
"KaishoSnapshot": {"examples": [{"customers": [{"name": "Acme"}], "tasks": [], "config": {"theme": "dark"}}],
  "type": "object", "properties": {
  "customers": {"type": ["array", "null"], "items": {"type": "object"}},
  "tasks": {"type": ["array", "null"], "items": {"type": "object"}}, "snapshot_at": {},
  "config": {"type": ["object", "null"]}}},
"KaishoSnapshotStored": {"type": "object", "required": ["ok", "config"], "properties": {
  "ok": {"const": true}, "config": {"type": ["object", "null"]},
  "problems": {"type": "array", "items": {"type": "object", "required": ["list", "row", "error"], "properties": {
    "list": {"type": "string"}, "row": {"type": "integer"}, "error": {"type": "string"}}}}}},
"KaishoCustomers": {"type": "array", "items": {"type": "object", "required": ["name", "contracts"], "properties": {
  "name": {"type": "string"}, "contracts": {"type": "array"}}}},
"KaishoTasks": {"type": "array", "items": {"type": "object", "required": ["id", "customer", "title", "status"],
  "properties": {"id": {"type": "string"}, "customer": {"type": ["string", "null"]}, "title": {"type": "string"},
  "status": {"type": "string"}}}},
"KaishoWiped": {"type": "object", "required": ["deleted"], "properties": {"deleted": {"type": "integer"}}},
"KaishoStats": {"type": "object", "required": ["entry_count", "last_change_at", "active_timer_id", "plan", "email"],
  "properties": {
  "entry_count": {"type": "integer"}, "last_change_at": {"type": ["string", "null"], "format": "date-time"},
  "active_timer_id": {"type": ["string", "null"]}, "plan": {"type": "string"}, "email": {"type": ["string", "null"]}}},
"KaishoStatus": {"type": "object", "required": ["plan", "pending"], "properties": {
  "plan": {"type": "string"}, "pending": {"type": "integer"}}}
})";

}  // namespace syncline::kaisho
