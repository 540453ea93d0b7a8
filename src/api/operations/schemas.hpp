// JSON Schemas of the answers of the routes about the process itself, for /openapi.json.
#pragma once

#include <string_view>

namespace syncline::operations {

inline constexpr std::string_view kSchemas = R"({
"FrontPage": {"type": "object", "required": ["service", "version", "status", "docs"], "properties": {
  "service": {"const": "syncline"}, "version": {"type": "string"}, "status": {"type": "string"},
  "mobile": {"type": ["string", "null"]}, "docs": {"type": "string"}}},
"Health": {"type": "object", "required": ["status", "database"], "properties": {
  "status": {"const": "ok"}, "database": {"enum": ["connected", "failing"]}}},
"Ready": {"type": "object", "required": ["status"], "properties": {
  "status": {"enum": ["ready", "degraded", "not ready"]}, "detail": {"type": "string", "description": "why"}}},
"OpenApi": {"type": "object", "required": ["openapi", "info", "paths"], "properties": {
  "openapi": {"type": "string"}, "info": {"type": "object"}, "servers": {"type": "array"}, "tags": {"type": "array"},
  "paths": {"type": "object"}, "components": {"type": "object"}}}
})";

}  // namespace syncline::operations
