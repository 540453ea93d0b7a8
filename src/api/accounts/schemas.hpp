// JSON Schemas of the bodies and answers of /auth, for /openapi.json: as Kaisho's and Kernle's clients know them.
#pragma once

#include <string_view>

namespace syncline::accounts {

inline constexpr std::string_view kSchemas = R"({
"SignUp": {"type": "object", "required": ["email", "password"], "properties": {
  "email": {"type": "string", "format": "email"}, "password": {"type": "string", "minLength": 8}}},
"LogIn": {"examples": [{"email": "ann@example.org", "password": "correct horse"}],
  "type": "object", "description": "email and password, or api_key, or nothing beside a bearer token",
  "properties": {
  "email": {"type": "string"}, "password": {"type": "string"}, "api_key": {"type": "string"}}},
"Refresh": {"type": "object", "required": ["refresh_token"], "properties": {"refresh_token": {"type": "string"}}},
"ForgotPassword": {"type": "object", "required": ["email"], "properties": {"email": {"type": "string"}}},
"ResetPassword": {"type": "object", "required": ["token", "password"], "properties": {
  "token": {"type": "string"}, "password": {"type": "string", "minLength": 8},
  "revoke_keys_since": {"type": "string", "format": "date-time"}}},
"PasswordReset": {"type": "object", "required": ["ok", "revoked_keys", "keys"], "properties": {"ok": {"const": true},
  "revoked_keys": {"type": "array", "items": {"$ref": "#/components/schemas/KeyName"}},
  "keys": {"type": "array", "items": {"$ref": "#/components/schemas/KeyName"}}}},
"KeyName": {"type": "object", "required": ["id", "name", "created_at"], "properties": {
  "id": {"type": "string"}, "name": {"type": "string"}, "created_at": {"type": "string", "format": "date-time"}}},
"Session": {"type": "object", "required": ["user_id", "email", "plan", "access_token", "refresh_token"], "properties": {
  "user_id": {"type": "string"}, "email": {"type": "string"}, "plan": {"type": "string"},
  "access_token": {"type": "string"}, "refresh_token": {"type": "string"}}},
"DeviceSession": {"type": "object",
  "required": ["success", "access_token", "token_type", "expires_in", "user_id", "agent_id", "stack_id", "token",
    "token_expires"], "properties": {
  "success": {"const": true}, "access_token": {"type": "string"}, "token_type": {"const": "bearer"},
  "expires_in": {"type": "integer", "description": "seconds"}, "user_id": {"type": "string"},
  "agent_id": {"type": "string"}, "stack_id": {"type": "string"}, "token": {"type": "string"},
  "token_expires": {"type": "string", "format": "date-time"},
  "secret": {"type": "string", "description": "the API key, of a new account"}, "api_key": {"type": "string"},
  "data": {"type": "object", "required": ["user_id", "token", "expires_at"], "properties": {
    "user_id": {"type": "string"}, "token": {"type": "string"},
    "expires_at": {"type": "string", "format": "date-time"}}}}},
"Done": {"type": "object", "required": ["ok"], "properties": {"ok": {"const": true}, "message": {"type": "string"}}},
"ApiKey": {"type": "object", "required": ["api_key"], "properties": {"api_key": {"type": "string"}}},
"RequestUsage": {"type": "object",
  "required": ["daily_requests", "monthly_requests", "daily_reset_at", "monthly_reset_at"], "properties": {
  "daily_requests": {"type": "integer"}, "monthly_requests": {"type": "integer"},
  "daily_reset_at": {"type": "string", "format": "date-time"},
  "monthly_reset_at": {"type": "string", "format": "date-time"}}},
"RequestLimits": {"type": "object", "required": ["daily_limit", "monthly_limit"], "properties": {
  "daily_limit": {"type": ["integer", "null"]}, "monthly_limit": {"type": ["integer", "null"]}}},
"Identity": {"type": "object",
  "required": ["user_id", "email", "plan", "agent_id", "stack_id", "created_at", "last_sync_at", "tier", "usage",
    "limits"], "properties": {
  "user_id": {"type": "string"}, "email": {"type": "string"}, "plan": {"type": "string"},
  "agent_id": {"type": "string"}, "stack_id": {"type": "string"}, "display_name": {"type": "string"},
  "created_at": {"type": "string", "format": "date-time"},
  "last_sync_at": {"type": ["string", "null"], "format": "date-time"}, "tier": {"type": "string"},
  "usage": {"$ref": "#/components/schemas/RequestUsage"}, "limits": {"$ref": "#/components/schemas/RequestLimits"}}},
"Usage": {"type": "object", "required": ["tier", "limits", "usage", "daily_remaining", "monthly_remaining"],
  "properties": {
  "tier": {"type": "string"}, "limits": {"$ref": "#/components/schemas/RequestLimits"},
  "usage": {"$ref": "#/components/schemas/RequestUsage"}, "daily_remaining": {"type": ["integer", "null"]},
  "monthly_remaining": {"type": ["integer", "null"]}}},
"Registration": {"examples": [{"email": "ann@example.org", "stack_id": "claire"}],
  "type": "object", "required": ["email"], "properties": {
  "email": {"type": "string", "format": "email"}, "stack_id": {"type": ["string", "null"]},
  "agent_id": {"type": ["string", "null"]}}},
"TokenRequest": {"type": "object", "required": ["secret"], "properties": {
  "secret": {"type": "string"}, "stack_id": {"type": ["string", "null"]}, "agent_id": {"type": ["string", "null"]},
  "user_id": {"type": ["string", "null"]}}},
"LoggedOut": {"type": "object", "required": ["success", "status"], "properties": {
  "success": {"const": true}, "status": {"const": "logged_out"}}},
"Key": {"type": "object",
  "required": ["id", "name", "key_prefix", "prefix", "created_at", "last_used_at", "is_active"], "properties": {
  "id": {"type": "string"}, "name": {"type": "string"}, "key_prefix": {"type": "string"},
  "prefix": {"type": "string"}, "created_at": {"type": "string", "format": "date-time"},
  "last_used_at": {"type": ["string", "null"], "format": "date-time"}, "is_active": {"type": "boolean"}}},
"Keys": {"anyOf": [
  {"type": "array", "items": {"$ref": "#/components/schemas/Key"}},
  {"type": "object", "required": ["success", "keys", "data"], "properties": {
    "success": {"const": true}, "keys": {"type": "array", "items": {"$ref": "#/components/schemas/Key"}},
    "data": {"type": "object", "properties": {
      "keys": {"type": "array", "items": {"$ref": "#/components/schemas/Key"}}}}}}]},
"KeyRequest": {"examples": [{"name": "laptop"}],
  "type": "object", "properties": {"name": {"type": ["string", "null"]}}},
"NewKey": {"type": "object",
  "required": ["id", "key_id", "name", "key", "api_key", "key_prefix", "created_at"], "properties": {
  "id": {"type": "string"}, "key_id": {"type": "string"}, "name": {"type": "string"},
  "key": {"type": "string", "description": "shown once"}, "api_key": {"type": "string"},
  "key_prefix": {"type": "string"}, "created_at": {"type": "string", "format": "date-time"}}},
"CycledKey": {"type": "object",
  "required": ["id", "key_id", "name", "key", "api_key", "key_prefix", "created_at", "old_key_id", "new_key"],
  "properties": {
  "id": {"type": "string"}, "key_id": {"type": "string"}, "name": {"type": "string"},
  "key": {"type": "string", "description": "shown once"}, "api_key": {"type": "string"},
  "key_prefix": {"type": "string"}, "created_at": {"type": "string", "format": "date-time"},
  "old_key_id": {"type": "string"}, "new_key": {"$ref": "#/components/schemas/NewKey"}}}
})";

}  // namespace syncline::accounts
