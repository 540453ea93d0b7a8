// JSON Schemas of the bodies and answers of Kernle's API, for /openapi.json.
#pragma once

#include <string_view>

namespace syncline::kernle {

/// Requests name their agent as stack_id or, as older clients do, agent_id.
inline constexpr std::string_view kSchemas = R"({
"KernleMeta": {"type": "object", "required": ["timestamp", "request_id"], "properties": {
  "timestamp": {"type": "string", "format": "date-time"}, "request_id": {"type": "string"}}},
"KernleSentOperation": {"examples": [
  {"operation": "upsert", "table": "notes", "record_id": "n1", "local_updated_at": "2026-01-31T12:00:00Z",
    "data": {"content": "Check the logs first"}}],
  "type": "object", "required": ["table", "record_id"], "properties": {
  "operation": {"enum": ["insert", "update", "upsert", "delete"]}, "table": {"type": "string"},
  "record_id": {"type": "string"}, "local_updated_at": {"type": ["string", "null"]},
  "data": {"type": ["object", "null"]}, "version": {"type": ["integer", "null"]}}},
"KernlePush": {"examples": [
  {"stack_id": "claire", "operations": [{"operation": "upsert", "table": "notes", "record_id": "n1",
    "local_updated_at": "2026-01-31T12:00:00Z", "data": {"content": "Check the logs first"}}]}],
  "type": "object", "required": ["operations"], "properties": {
  "stack_id": {"type": ["string", "null"]}, "agent_id": {"type": ["string", "null"]},
  "operations": {"type": "array", "items": {"$ref": "#/components/schemas/KernleSentOperation"}},
  "limit": {"type": ["integer", "null"], "minimum": 1, "description": "store only the first ones"}}},
"KernleFullSync": {"examples": [{"stack_id": "claire"}],
  "type": "object", "properties": {
  "stack_id": {"type": ["string", "null"]}, "agent_id": {"type": ["string", "null"]},
  "operations": {"type": ["array", "null"], "items": {"$ref": "#/components/schemas/KernleSentOperation"}}}},
"KernlePull": {"examples": [{"stack_id": "claire"}],
  "type": "object", "properties": {
  "stack_id": {"type": ["string", "null"]}, "agent_id": {"type": ["string", "null"]},
  "since": {"type": ["string", "null"]}, "full": {"type": ["boolean", "null"]},
  "limit": {"type": ["integer", "null"], "minimum": 1}, "cursor": {"type": ["string", "null"]}}},
"KernleTarget": {"type": "object", "required": ["table", "record_id"], "properties": {
  "table": {"type": "string"}, "record_id": {"type": "string"}}},
"KernleRefusal": {"type": "object", "required": ["table", "record_id", "operation", "error", "code"], "properties": {
  "table": {"type": "string"}, "record_id": {"type": "string"}, "operation": {"type": "string"},
  "error": {"type": "string"}, "code": {"type": "string"}}},
"KernleMerge": {"type": "object", "required": ["table", "record_id", "resolution", "conflict_id"], "properties": {
  "table": {"type": "string"}, "record_id": {"type": "string"},
  "resolution": {"enum": ["local_wins", "cloud_wins", "local_wins_arrays_merged", "cloud_wins_arrays_merged"]},
  "conflict_id": {"type": ["string", "null"]}}},
"KernleResult": {"type": "object", "required": ["table", "record_id", "operation", "status"], "properties": {
  "table": {"type": "string"}, "record_id": {"type": "string"}, "operation": {"type": "string"},
  "status": {"enum": ["synced", "merged", "stale", "rejected"]}, "error": {"type": "string"},
  "remote_id": {"type": "string"}, "version": {"type": "integer"}, "seq": {"type": "integer"}}},
"KernlePushed": {"type": "object",
  "required": ["success", "data", "synced", "conflicts", "acknowledged_operations", "merges", "server_time", "cursor",
    "meta"], "properties": {
  "success": {"const": true},
  "data": {"type": "object", "required": ["pushed", "failed", "remaining", "results"], "properties": {
    "pushed": {"type": "integer"}, "failed": {"type": "integer"}, "remaining": {"type": "integer"},
    "results": {"type": "array", "items": {"$ref": "#/components/schemas/KernleResult"}}}},
  "synced": {"type": "integer"},
  "conflicts": {"type": "array", "items": {"$ref": "#/components/schemas/KernleRefusal"}},
  "acknowledged_operations": {"type": "array", "items": {"$ref": "#/components/schemas/KernleTarget"}},
  "merges": {"type": "array", "items": {"$ref": "#/components/schemas/KernleMerge"}},
  "server_time": {"type": "string", "format": "date-time"}, "cursor": {"type": "string"},
  "meta": {"$ref": "#/components/schemas/KernleMeta"}}},
"KernleOperation": {"type": "object",
  "required": ["operation", "table", "record_id", "data", "local_updated_at", "version", "seq"], "properties": {
  "operation": {"enum": ["update", "delete"]}, "table": {"type": "string"}, "record_id": {"type": "string"},
  "data": {"type": ["object", "null"]}, "local_updated_at": {"type": "string", "format": "date-time"},
  "version": {"type": "integer"}, "seq": {"type": "integer"}}},
"KernlePulled": {"type": "object",
  "required": ["success", "operations", "has_more", "server_time", "cursor", "data", "meta"], "properties": {
  "success": {"const": true},
  "operations": {"type": "array", "items": {"$ref": "#/components/schemas/KernleOperation"}},
  "has_more": {"type": "boolean"}, "server_time": {"type": "string", "format": "date-time"},
  "cursor": {"type": "string"},
  "data": {"type": "object", "required": ["pulled", "tables", "last_sync", "conflicts"], "properties": {
    "pulled": {"type": "integer"}, "tables": {"type": "object", "additionalProperties": {"type": "integer"}},
    "last_sync": {"type": "string", "format": "date-time"}, "conflicts": {"type": "integer"}}},
  "meta": {"$ref": "#/components/schemas/KernleMeta"}}},
"KernlePhase": {"type": "object", "required": ["records", "tables"], "properties": {
  "records": {"type": "integer"}, "tables": {"type": "array", "items": {"type": "string"}}}},
"KernleFullySynced": {"type": "object",
  "required": ["success", "operations", "has_more", "server_time", "cursor", "data", "synced", "conflicts",
    "acknowledged_operations", "merges", "meta"], "properties": {
  "success": {"const": true},
  "operations": {"type": "array", "items": {"$ref": "#/components/schemas/KernleOperation"}},
  "has_more": {"type": "boolean"}, "server_time": {"type": "string", "format": "date-time"},
  "cursor": {"type": "string"},
  "data": {"type": "object", "required": ["pull", "push", "conflicts_resolved", "sync_completed_at"], "properties": {
    "pull": {"$ref": "#/components/schemas/KernlePhase"}, "push": {"$ref": "#/components/schemas/KernlePhase"},
    "conflicts_resolved": {"type": "integer"}, "sync_completed_at": {"type": "string", "format": "date-time"}}},
  "synced": {"type": "integer"},
  "conflicts": {"type": "array", "items": {"$ref": "#/components/schemas/KernleRefusal"}},
  "acknowledged_operations": {"type": "array", "items": {"$ref": "#/components/schemas/KernleTarget"}},
  "merges": {"type": "array", "items": {"$ref": "#/components/schemas/KernleMerge"}},
  "meta": {"$ref": "#/components/schemas/KernleMeta"}}},
"KernleStanding": {"type": "object",
  "required": ["agent_id", "stack_id", "pending_operations", "last_push", "last_pull", "remote_changes_available",
    "status"], "properties": {
  "agent_id": {"type": "string"}, "stack_id": {"type": "string"}, "pending_operations": {"type": "integer"},
  "last_push": {"type": ["string", "null"], "format": "date-time"},
  "last_pull": {"type": ["string", "null"], "format": "date-time"},
  "remote_changes_available": {"type": "integer"}, "status": {"type": "string"}}},
"KernleStatus": {"type": "object",
  "required": ["success", "data", "agent_id", "stack_id", "pending_operations", "last_push", "last_pull",
    "remote_changes_available", "status", "meta"], "properties": {
  "success": {"const": true}, "data": {"$ref": "#/components/schemas/KernleStanding"},
  "agent_id": {"type": "string"}, "stack_id": {"type": "string"}, "pending_operations": {"type": "integer"},
  "last_push": {"type": ["string", "null"], "format": "date-time"},
  "last_pull": {"type": ["string", "null"], "format": "date-time"},
  "remote_changes_available": {"type": "integer"}, "status": {"type": "string"},
  "meta": {"$ref": "#/components/schemas/KernleMeta"}}},
"KernleSearch": {"examples": [{"query": "logs"}],
  "type": "object", "required": ["query"], "properties": {
  "query": {"type": "string"}, "limit": {"type": ["integer", "null"], "minimum": 1},
  "stack_id": {"type": ["string", "null"]}, "agent_id": {"type": ["string", "null"]},
  "space": {"type": ["string", "null"], "description": "the space of an agent, also one of another account"},
  "types": {"type": ["array", "null"], "items": {"type": "string"}},
  "memory_types": {"type": ["array", "null"], "items": {"type": "string"}},
  "tags": {"type": ["array", "null"], "items": {"type": "string"}}, "min_score": {"type": ["number", "null"]},
  "created_after": {"type": ["string", "null"]}, "created_before": {"type": ["string", "null"]}}},
"KernleMemory": {"type": "object",
  "required": ["id", "memory_type", "type", "content", "score", "created_at", "agent_id", "stack_id", "metadata"],
  "properties": {
  "id": {"type": "string"}, "memory_type": {"type": "string"}, "type": {"type": "string"},
  "content": {"type": "string"}, "score": {"type": "number"},
  "created_at": {"type": "string", "format": "date-time"}, "agent_id": {"type": "string"},
  "stack_id": {"type": "string"}, "metadata": {"type": "object"}}},
"KernleMemories": {"type": "object", "required": ["success", "results", "query", "total", "meta"], "properties": {
  "success": {"const": true}, "results": {"type": "array", "items": {"$ref": "#/components/schemas/KernleMemory"}},
  "query": {"type": "string"}, "total": {"type": "integer"}, "meta": {"$ref": "#/components/schemas/KernleMeta"}}},
"KernleHit": {"type": "object", "required": ["type", "id", "agent_id", "score", "content", "created_at"],
  "properties": {
  "type": {"type": "string"}, "id": {"type": "string"}, "agent_id": {"type": "string"}, "score": {"type": "number"},
  "content": {"type": "object"}, "created_at": {"type": "string", "format": "date-time"}}},
"KernleHits": {"type": "object", "required": ["success", "data", "meta"], "properties": {
  "success": {"const": true},
  "data": {"type": "object", "required": ["results", "total", "query_time_ms"], "properties": {
    "results": {"type": "array", "items": {"$ref": "#/components/schemas/KernleHit"}},
    "total": {"type": "integer"}, "query_time_ms": {"type": "integer"}}},
  "meta": {"$ref": "#/components/schemas/KernleMeta"}}}
})";

}  // namespace syncline::kernle
