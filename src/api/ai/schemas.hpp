// JSON Schemas of the bodies and answers of the AI routes, for /openapi.json. Those in OpenAI's form name what the hub
// reads; all other members go to the upstream and come from it.
#pragma once

#include <string_view>

namespace syncline::ai {

inline constexpr std::string_view kSchemas = R"({
"AiUsage": {"type": "object",
  "required": ["month", "input_tokens", "output_tokens", "total_tokens", "request_count", "cap"], "properties": {
  "month": {"type": "string"}, "input_tokens": {"type": "integer"}, "output_tokens": {"type": "integer"},
  "total_tokens": {"type": "integer"}, "request_count": {"type": "integer"}, "cap": {"type": "integer"}}},
"AiMessage": {"type": "object", "required": ["role"], "properties": {"role": {"type": "string"}},
  "additionalProperties": true},
"AiCompletionRequest": {"examples": [{"messages": [{"role": "user", "content": "What did I do today?"}]}],
  "type": "object", "required": ["messages"], "properties": {
  "messages": {"type": "array", "items": {"$ref": "#/components/schemas/AiMessage"}}, "system": {"type": "string"},
  "max_tokens": {"type": ["integer", "null"], "minimum": 1}, "mode": {"enum": ["", "advisor", "cron", "default"]},
  "model": {"type": "string"}, "tools": {"type": ["array", "null"], "items": {"type": "object"}}}},
"AiCompletion": {"type": "object", "required": ["text", "tool_calls", "finish_reason", "usage"], "properties": {
  "text": {"type": "string"}, "tool_calls": {"type": ["array", "null"], "items": {"type": "object"}},
  "finish_reason": {"type": "string"}, "cut_by": {"enum": ["monthly_cap", "request_limit", "model"]},
  "usage": {"type": "object", "required": ["input_tokens", "output_tokens"], "properties": {
    "input_tokens": {"type": "integer"}, "output_tokens": {"type": "integer"}}}}},
"OpenAiChat": {"examples": [{"model": "kaisho:advisor", "messages": [{"role": "user", "content": "Hello"}]}],
  "type": "object", "required": ["messages"], "properties": {
  "model": {"type": "string"}, "messages": {"type": "array", "items": {"$ref": "#/components/schemas/AiMessage"}},
  "stream": {"type": ["boolean", "null"]}, "max_tokens": {"type": ["integer", "null"], "minimum": 1},
  "max_completion_tokens": {"type": ["integer", "null"], "minimum": 1}}, "additionalProperties": true},
"OpenAiResponseRequest": {"examples": [{"model": "kaisho:advisor", "input": "Hello"}],
  "type": "object", "properties": {
  "model": {"type": "string"}, "input": {}, "stream": {"type": ["boolean", "null"]},
  "max_output_tokens": {"type": ["integer", "null"], "minimum": 1}}, "additionalProperties": true},
"OpenAiEmbeddingRequest": {"examples": [{"model": "embedder", "input": "Hello"}],
  "type": "object", "required": ["input"], "properties": {
  "model": {"type": "string"}, "input": {}}, "additionalProperties": true},
"OpenAiAnswer": {"type": "object", "additionalProperties": true, "properties": {
  "cut_by": {"enum": ["monthly_cap", "request_limit", "model"], "description": "what ended an answer early"}}},
"OpenAiModels": {"type": "object", "required": ["object", "data"], "properties": {
  "object": {"const": "list"},
  "data": {"type": "array", "items": {"type": "object", "required": ["id", "object", "created", "owned_by"],
    "properties": {"id": {"type": "string"}, "object": {"const": "model"}, "created": {"type": "integer"},
    "owned_by": {"type": "string"}}}}}}
})";

}  // namespace syncline::ai
