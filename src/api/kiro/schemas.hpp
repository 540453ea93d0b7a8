// JSON Schemas of the bodies and answers of Kiro's API, for /openapi.json. All times are Unix milliseconds.
#pragma once

#include <string_view>

namespace syncline::kiro {

inline constexpr std::string_view kSchemas = R"({
"KiroMessage": {"examples": [{"role": "user", "content": "Hello", "timestamp": 1769860800000}],
  "type": "object", "required": ["role", "content", "timestamp"], "properties": {
  "role": {"type": "string"}, "content": {}, "timestamp": {"type": "number"}}, "additionalProperties": true},
"KiroDocument": {"examples": [{"content": "# Notes", "timestamp": 1769860800000}],
  "type": "object", "properties": {
  "content": {}, "timestamp": {"type": "number"}}, "additionalProperties": true},
"KiroApproval": {"type": "object", "properties": {
  "state": {"enum": ["requested", "approved", "denied"]}, "rule": {"type": "string"}, "pattern": {"type": "string"},
  "runner": {"type": "string"}, "hash": {"type": "string"},
  "requestedAt": {"type": "integer"}, "by": {"type": "string"}, "at": {"type": "integer"},
  "always": {"type": "boolean"}}, "additionalProperties": true},
"KiroCommand": {"type": "object", "required": ["type", "status"],
  "description": "The fields of its type, and these; docs/api/kiro.md lists the types.", "properties": {
  "type": {"type": "string"}, "status": {"enum": ["pending", "processing", "completed", "failed"]},
  "commandId": {"type": "string"}, "priority": {"type": "integer"}, "createdAt": {"type": "integer"},
  "updatedAt": {"type": "integer"}, "submittedBy": {"type": "string"}, "submittedByLabel": {"type": "string"},
  "claimedBy": {"type": "string"}, "leaseMs": {"type": "integer"}, "cancelRequested": {"type": "boolean"},
  "approval": {"$ref": "#/components/schemas/KiroApproval"}}, "additionalProperties": true},
"KiroState": {"type": "object", "required": ["conversations", "documents", "commands", "lastUpdate"], "properties": {
  "conversations": {"type": "object", "additionalProperties": {
    "type": "array", "items": {"$ref": "#/components/schemas/KiroMessage"}}},
  "documents": {"type": "object", "additionalProperties": {"$ref": "#/components/schemas/KiroDocument"}},
  "commands": {"type": "object", "additionalProperties": {"$ref": "#/components/schemas/KiroCommand"}},
  "deleted": {"type": "object", "description": "only with since", "properties": {
    "conversations": {"type": "array", "items": {"type": "string"}},
    "documents": {"type": "array", "items": {"type": "string"}},
    "commands": {"type": "array", "items": {"type": "string"}}}},
  "lastUpdate": {"type": "integer"}}},
"KiroUpload": {"examples": [
  {"conversations": {"conv-1": [{"role": "user", "content": "Hello", "timestamp": 1769860800000}]},
    "documents": {"notes": {"content": "# Notes", "timestamp": 1769860800000}}}],
  "type": "object", "description": "Any subset of a state", "properties": {
  "conversations": {"type": ["object", "null"], "additionalProperties": {
    "type": "array", "items": {"$ref": "#/components/schemas/KiroMessage"}}},
  "documents": {"type": ["object", "null"], "additionalProperties": {"$ref": "#/components/schemas/KiroDocument"}},
  "commands": {"type": ["object", "null"], "additionalProperties": {"type": "object"}},
  "lastUpdate": {"type": ["number", "null"]}}},
"KiroUploaded": {"type": "object", "required": ["status", "data"], "properties": {
  "status": {"enum": ["updated", "current"]}, "data": {"$ref": "#/components/schemas/KiroState"},
  "ignored": {"type": "array", "items": {"type": "object", "required": ["part", "id", "reason"], "properties": {
    "part": {"type": "string"}, "id": {"type": "string"}, "index": {"type": "integer"},
    "reason": {"type": "string"}}}}, "ignoredCount": {"type": "integer"}}},
"KiroDeleted": {"type": "object", "required": ["deleted"], "properties": {"deleted": {"type": "string"}}},
"KiroSubmission": {"examples": [{"type": "execute_bash", "command": "uptime"}],
  "type": "object", "required": ["type"], "properties": {
  "type": {"enum": ["execute_bash", "read_file", "write_file", "list_directory", "aws_operation", "code_search"]},
  "workingDir": {"type": "string"}, "timeoutMs": {"type": "integer", "minimum": 1},
  "ttlMs": {"type": "integer", "minimum": 0}, "priority": {"type": "integer"}, "metadata": {}}, "additionalProperties": true},
"KiroSubmitted": {"type": "object", "required": ["commandId", "status"], "properties": {
  "commandId": {"type": "string"}, "status": {"const": "pending"}, "runners": {"type": "integer"}}},
"KiroCommandSummary": {"type": "object", "required": ["commandId"], "properties": {
  "commandId": {"type": "string"}, "type": {"type": "string"}, "command": {}, "path": {}, "query": {}, "service": {},
  "operation": {}, "workingDir": {"type": "string"}, "status": {"type": "string"}, "createdAt": {"type": "integer"},
  "updatedAt": {"type": "integer"}, "claimedBy": {"type": "string"}, "submittedByLabel": {"type": "string"},
  "approval": {"$ref": "#/components/schemas/KiroApproval"}, "error": {}}},
"KiroCommands": {"type": "object", "required": ["commands"], "properties": {
  "commands": {"type": "array", "items": {"$ref": "#/components/schemas/KiroCommandSummary"}}}},
"KiroStandingApproval": {"type": "object", "required": ["id", "type", "pattern", "by", "at"], "properties": {
  "id": {"type": "string"}, "type": {"type": "string"}, "pattern": {"type": "string"}, "by": {"type": "string"},
  "runner": {"type": "string"}, "at": {"type": "integer"}}},
"KiroStandingApprovals": {"type": "object", "required": ["approvals"], "properties": {
  "approvals": {"type": "array", "items": {"$ref": "#/components/schemas/KiroStandingApproval"}}}},
"KiroApprovalRequest": {"examples": [{"rule": "list", "pattern": "ls"}],
  "type": "object", "required": ["rule", "pattern"], "properties": {
  "rule": {"type": "string"}, "pattern": {"type": "string"}, "hash": {"type": "string"}}},
"KiroApprovalAnswer": {"type": "object", "required": ["decision"], "properties": {
  "decision": {"enum": ["approve", "deny"]}, "always": {"type": "boolean"}, "reason": {"type": "string"}}},
"KiroReport": {"examples": [{"status": "completed", "result": {"stdout": "up 3 days"}}],
  "type": "object", "properties": {
  "status": {"enum": ["processing", "completed", "failed"]}, "result": {}, "error": {}}},
"KiroOutput": {"examples": [{"stream": "stdout", "data": "hello"}],
  "type": "object", "required": ["stream", "data"], "properties": {
  "stream": {"enum": ["stdout", "stderr"]}, "data": {"type": "string"}}, "additionalProperties": true}
})";

}  // namespace syncline::kiro
