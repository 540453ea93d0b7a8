// JSON Schemas of the bodies and answers about signing in with another provider, for /openapi.json.
#pragma once

#include <string_view>

namespace syncline::oidc {

inline constexpr std::string_view kSchemas = R"({
"IdentityProvider": {"type": "object", "required": ["enabled", "name", "sign_in"], "properties": {
  "enabled": {"type": "boolean"},
  "name": {"type": ["string", "null"], "description": "what people call the provider"},
  "sign_in": {"type": ["string", "null"], "description": "the path that begins to sign in"}}},
"OwnIdentity": {"type": "object", "required": ["id", "issuer", "email", "created_at", "last_used_at"], "properties": {
  "id": {"type": "string"}, "issuer": {"type": "string", "description": "the provider"},
  "email": {"type": ["string", "null"], "description": "as the provider said it last"},
  "created_at": {"type": "string", "format": "date-time"},
  "last_used_at": {"type": ["string", "null"], "format": "date-time"}}},
"OwnIdentities": {"type": "object", "required": ["identities"], "properties": {
  "identities": {"type": "array", "items": {"$ref": "#/components/schemas/OwnIdentity"}}}},
"IdentityLink": {"examples": [{"return_to": "/"}],
  "type": "object", "properties": {
  "return_to": {"type": "string", "description": "a path of the hub to come back to; / if absent"}}},
"IdentityLinkBegun": {"type": "object", "required": ["url"], "properties": {
  "url": {"type": "string", "description": "of the provider: the page goes there"}}}
})";

}  // namespace syncline::oidc
