// JSON Schemas of the bodies and answers about one's own access, for /openapi.json.
#pragma once

#include <string_view>

namespace syncline::people {

inline constexpr std::string_view kSchemas = R"({
"OwnSession": {"type": "object",
  "required": ["id", "label", "user_agent", "address", "created_at", "last_used_at", "expires_at", "current"],
  "properties": {
  "id": {"type": "string"}, "label": {"type": "string"},
  "user_agent": {"type": ["string", "null"], "description": "what the program called itself when it logged in"},
  "address": {"type": ["string", "null"], "description": "where it logged in from"},
  "created_at": {"type": "string", "format": "date-time"},
  "last_used_at": {"type": ["string", "null"], "format": "date-time"},
  "expires_at": {"type": ["string", "null"], "format": "date-time"},
  "current": {"type": "boolean", "description": "true for the session that asks"}}},
"OwnSessions": {"type": "object", "required": ["sessions"], "properties": {
  "sessions": {"type": "array", "items": {"$ref": "#/components/schemas/OwnSession"}}}},
"SignIn": {"examples": [{"email": "ann@example.org", "password": "correct horse"}],
  "type": "object", "properties": {
  "email": {"type": "string"}, "password": {"type": "string"},
  "key": {"type": "string", "description": "instead of email and password: a key that is no session"},
  "passkey": {"type": "object", "description": "instead: toJSON() of what navigator.credentials.get() has answered",
    "required": ["id", "response"], "properties": {"id": {"type": "string"}, "response": {"type": "object",
    "required": ["clientDataJSON", "authenticatorData", "signature"], "properties": {
    "clientDataJSON": {"type": "string"}, "authenticatorData": {"type": "string"}, "signature": {"type": "string"}}}}},
  "keep": {"type": "boolean", "description": "true: the browser keeps the cookie when it is closed; default false"},
  "kind": {"enum": ["desk", "phone"], "description": "desk: ends after 7 days without use (default); phone: 30 days"},
  "label": {"type": "string", "minLength": 1, "description": "name in the list of sessions; default browser"}}},
"SignedIn": {"type": "object", "required": ["account", "role", "scopes", "spaces", "expires_at"], "properties": {
  "account": {"type": "string"}, "role": {"enum": ["admin", "member"]},
  "scopes": {"type": "array", "items": {"type": "string"}},
  "spaces": {"type": ["array", "null"], "items": {"type": "string"}, "description": "null: all"},
  "expires_at": {"type": ["string", "null"], "format": "date-time", "description": "unless it is used before"}}},
"Setup": {"type": "object", "required": ["needed"], "properties": {"needed": {"type": "boolean"}}},
"NewSetup": {"examples": [{"code": "K7QM-3FXD", "email": "ann@example.org", "password": "correct horse"}],
  "type": "object", "required": ["code", "email", "password"], "properties": {
  "code": {"type": "string", "description": "as the hub has printed it; case, dashes and spaces do not matter"},
  "email": {"type": "string"}, "password": {"type": "string", "minLength": 8},
  "public_url": {"type": "string", "description": "where people reach the hub, like https://hub.example.org"}}},
"NewPairing": {"examples": [{"scopes": ["read", "write"], "label": "phone"}],
  "type": "object", "properties": {
  "scopes": {"type": "array", "minItems": 1, "items": {"enum": ["read", "write", "commands:submit", "commands:run",
    "commands:approve"]}},
  "spaces": {"type": ["array", "null"], "items": {"type": "string"}, "minItems": 1, "maxItems": 100,
    "description": "the spaces that the device is for; absent: all that the asking session or key is for"},
  "label": {"type": "string", "minLength": 1, "description": "name of the device, unless it chooses another one"}}},
"MadePairing": {"type": "object", "required": ["id", "code", "url", "svg", "scopes", "spaces", "expires_at"],
  "properties": {
  "id": {"type": "string"}, "code": {"type": "string", "description": "eight digits of base 32, like K7QM-3FXD"},
  "url": {"type": "string", "description": "opens the pairing page; the code is behind the #"},
  "svg": {"type": "string", "description": "the url as a QR code"},
  "scopes": {"type": "array", "items": {"type": "string"}},
  "spaces": {"type": ["array", "null"], "items": {"type": "string"}, "description": "null: all"},
  "expires_at": {"type": "string", "format": "date-time"}}},
"Pairing": {"type": "object", "required": ["state", "expires_at"], "properties": {
  "state": {"enum": ["waiting", "claimed", "expired"]},
  "expires_at": {"type": "string", "format": "date-time", "description": "of the code"},
  "device": {"type": "object", "required": ["id", "label", "scopes", "spaces", "user_agent", "address", "created_at"],
    "description": "once claimed; its id is that of its session in /v1/sessions", "properties": {
    "id": {"type": "string"}, "label": {"type": "string"},
    "scopes": {"type": "array", "items": {"type": "string"}},
    "spaces": {"type": ["array", "null"], "items": {"type": "string"}, "description": "null: all"},
    "user_agent": {"type": "string"}, "address": {"type": "string"},
    "created_at": {"type": "string", "format": "date-time"}}}}},
"PairingCode": {"examples": [{"code": "K7QM-3FXD"}],
  "type": "object", "required": ["code"], "properties": {
  "code": {"type": "string", "description": "case, dashes and spaces do not matter"}}},
"PairingOffer": {"type": "object", "required": ["hub", "account", "scopes", "spaces", "label", "expires_at"],
  "properties": {
  "hub": {"type": "string", "description": "where people reach the hub"}, "account": {"type": "string"},
  "scopes": {"type": "array", "items": {"type": "string"}},
  "spaces": {"type": ["array", "null"], "items": {"type": "string"}, "description": "null: all"},
  "label": {"type": "string", "description": "proposed for the device; may be empty"},
  "expires_at": {"type": "string", "format": "date-time"}}},
"PairingClaim": {"examples": [{"code": "K7QM-3FXD", "label": "phone"}],
  "type": "object", "required": ["code"], "properties": {
  "code": {"type": "string"},
  "label": {"type": "string", "minLength": 1, "description": "name in the list of sessions"},
  "kind": {"enum": ["desk", "phone"], "description": "phone: ends after 30 days without use (default); desk: 7"}}},
"OwnPasskey": {"type": "object", "required": ["id", "label", "created_at", "last_used_at"], "properties": {
  "id": {"type": "string"}, "label": {"type": "string"},
  "created_at": {"type": "string", "format": "date-time"},
  "last_used_at": {"type": ["string", "null"], "format": "date-time"}}},
"OwnPasskeys": {"type": "object", "required": ["passkeys"], "properties": {
  "passkeys": {"type": "array", "items": {"$ref": "#/components/schemas/OwnPasskey"}}}},
"NewPasskey": {"type": "object", "required": ["label", "credential"], "properties": {
  "label": {"type": "string", "minLength": 1},
  "credential": {"type": "object", "required": ["id", "response"], "properties": {
    "id": {"type": "string", "description": "base64url, as all bytes here"},
    "response": {"type": "object", "properties": {
      "clientDataJSON": {"type": "string"}, "authenticatorData": {"type": "string"},
      "publicKey": {"type": "string", "description": "SubjectPublicKeyInfo"},
      "publicKeyAlgorithm": {"enum": [-7, -8, -257]}},
      "required": ["clientDataJSON", "authenticatorData", "publicKey", "publicKeyAlgorithm"]}}}}},
"PasskeyDescriptor": {"type": "object", "required": ["type", "id"], "properties": {
  "type": {"type": "string"}, "id": {"type": "string"}}},
"PasskeyCreation": {"type": "object", "required": ["rp", "user", "challenge", "pubKeyCredParams", "timeout",
  "attestation", "excludeCredentials", "authenticatorSelection"], "properties": {
  "rp": {"type": "object", "required": ["id", "name"], "properties": {
    "id": {"type": "string"}, "name": {"type": "string"}}},
  "user": {"type": "object", "required": ["id", "name", "displayName"], "properties": {
    "id": {"type": "string"}, "name": {"type": "string"}, "displayName": {"type": "string"}}},
  "challenge": {"type": "string"},
  "pubKeyCredParams": {"type": "array", "items": {"type": "object", "required": ["type", "alg"], "properties": {
    "type": {"type": "string"}, "alg": {"type": "integer"}}}},
  "timeout": {"type": "integer", "description": "milliseconds"}, "attestation": {"type": "string"},
  "excludeCredentials": {"type": "array", "items": {"$ref": "#/components/schemas/PasskeyDescriptor"}},
  "authenticatorSelection": {"type": "object", "required": ["residentKey", "requireResidentKey", "userVerification"],
    "properties": {"residentKey": {"type": "string"}, "requireResidentKey": {"type": "boolean"},
    "userVerification": {"type": "string"}}}}},
"PasskeyRequest": {"type": "object", "required": ["challenge", "rpId", "timeout", "userVerification",
  "allowCredentials"], "properties": {
  "challenge": {"type": "string"}, "rpId": {"type": "string"},
  "timeout": {"type": "integer", "description": "milliseconds"}, "userVerification": {"type": "string"},
  "allowCredentials": {"type": "array", "items": {"$ref": "#/components/schemas/PasskeyDescriptor"}}}},
"EndedSessions": {"type": "object", "required": ["ended"], "properties": {"ended": {"type": "integer"}}},
"OwnKey": {"type": "object",
  "required": ["id", "label", "scopes", "spaces", "maker", "created_at", "expires_at", "last_used_at", "last_address",
    "revoked_at", "sessions"],
  "properties": {
  "id": {"type": "string"}, "key": {"type": "string", "description": "the token; only in the answer that creates it"},
  "label": {"type": "string"}, "scopes": {"type": "array", "items": {"type": "string"}},
  "spaces": {"type": ["array", "null"], "items": {"type": "string"}, "description": "null: all"},
  "maker": {"type": ["object", "null"], "required": ["id", "label"],
    "properties": {"id": {"type": "string"}, "label": {"type": "string"}},
    "description": "the key or session that asked for it; null: the operator"},
  "created_at": {"type": "string", "format": "date-time"},
  "expires_at": {"type": ["string", "null"], "format": "date-time"},
  "last_used_at": {"type": ["string", "null"], "format": "date-time"},
  "last_address": {"type": ["string", "null"], "description": "where it was used last"},
  "revoked_at": {"type": ["string", "null"], "format": "date-time"},
  "sessions": {"type": "integer", "description": "device sessions that were opened with it"}}},
"OwnKeys": {"type": "object", "required": ["keys"], "properties": {
  "keys": {"type": "array", "items": {"$ref": "#/components/schemas/OwnKey"}}}},
"NewOwnKey": {"examples": [{"label": "laptop", "scopes": ["read", "write"]}],
  "type": "object", "required": ["label", "scopes"], "properties": {
  "label": {"type": "string", "minLength": 1},
  "scopes": {"type": "array", "items": {"enum": ["read", "write", "keys", "commands:submit", "commands:run",
    "commands:approve", "admin"]}},
  "spaces": {"type": ["array", "null"], "items": {"type": "string"}, "minItems": 1, "maxItems": 100,
    "description": "the spaces that the key is for; absent: all"},
  "expires_at": {"type": "string", "format": "date-time"},
  "token": {"type": "string", "description": "use this token instead of a generated one"}}},
"OwnKeyChange": {"examples": [{"label": "old laptop"}],
  "type": "object", "properties": {
  "label": {"type": "string", "minLength": 1},
  "scopes": {"type": "array", "items": {"type": "string"}, "description": "some of those that it has"},
  "spaces": {"type": "array", "items": {"type": "string"}, "minItems": 1, "maxItems": 100,
    "description": "some of those that it is for"},
  "expires_at": {"type": ["string", "null"], "format": "date-time"}}},
"SpaceShare": {"type": "object", "required": ["account", "email", "rights", "created_at"], "properties": {
  "account": {"type": "integer"}, "email": {"type": "string"}, "rights": {"enum": ["read", "write"]},
  "created_at": {"type": "string", "format": "date-time"}}},
"SpaceShares": {"type": "object", "required": ["shares"], "properties": {
  "shares": {"type": "array", "items": {"$ref": "#/components/schemas/SpaceShare"}}}},
"NewSpaceShare": {"type": "object", "required": ["rights"], "properties": {"rights": {"enum": ["read", "write"]}}},
"PasswordChange": {"examples": [{"current": "correct horse", "new": "battery staple"}],
  "type": "object", "required": ["current", "new"], "properties": {
  "current": {"type": "string"}, "new": {"type": "string", "minLength": 8}}},
"ChangedPassword": {"type": "object", "required": ["access_token", "refresh_token"], "properties": {
  "access_token": {"type": "string"}, "refresh_token": {"type": "string"}}}
})";

}  // namespace syncline::people
