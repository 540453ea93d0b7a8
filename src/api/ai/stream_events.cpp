#include "api/ai/stream_events.hpp"

#include "api/ai/errors.hpp"
#include "api/call.hpp"

namespace syncline::ai {
namespace {

std::string event(std::string_view data) { return "data: " + std::string(data) + "\n\n"; }
std::string event(std::string_view name, std::string_view data) {
  return "event: " + std::string(name) + '\n' + event(data);
}

/// Where the OpenAI of /v1/responses says that there is no more to come.
bool ends_response(std::string_view type) {
  return type == "response.completed" || type == "response.incomplete" || type == "response.failed" ||
         type == "response.cancelled" || type == "error";
}

}  // namespace

std::string StreamEvents::translate(const std::string& name, std::string data) {
  if (finished()) return "";
  if (form_ == Form::chat && data == "[DONE]") {
    ending_ = event(data);
    return "";
  }
  if (!is_json_object(data)) return "";
  const JsonView json(data);
  bytes_ += output_bytes(json);
  if (form_ == Form::responses) return translate_response_event(name, json, data);
  if (const auto usage = find_usage(json)) used_ = usage;
  return translate_chunk(json, data);
}

std::string StreamEvents::translate_chunk(JsonView chunk, const std::string& data) const {
  const bool cut = is_cut(chunk);
  const bool strips_usage = !wants_usage_ && chunk.find("usage").has_value();
  if (!cut && !strips_usage) return event(data);
  const auto choices = chunk.find("choices");
  if (strips_usage && (!choices || choices->raw() == "[]")) return "";  // a chunk for usage alone
  JsonObject changed{chunk};
  if (strips_usage) changed.erase("usage");
  if (cut) changed.set_text("cut_by", cut_by_);
  return event(changed.to_text());
}

std::string StreamEvents::translate_response_event(const std::string& name, JsonView json, const std::string& data) {
  const std::string type = json.text_of("type");
  const std::string& label = name == "message" ? type : name;
  std::string text = event(label, data);
  const auto response = json.find("response");
  if (response && response->is_object()) {
    if (const auto usage = find_usage(*response)) used_ = usage;
    if (is_cut(*response)) {
      JsonObject inner{*response};
      inner.set_text("cut_by", cut_by_);
      JsonObject changed{json};
      changed.set("response", inner.to_text());
      text = event(label, changed.to_text());
    }
  }
  if (!ends_response(type)) return text;
  ending_ = std::move(text);
  return "";
}

std::string StreamEvents::failure(const api::Problem& problem) const {
  std::string text;
  if (form_ != Form::responses) {
    JsonWriter(text).begin_object().raw("error", error_object(problem)).end_object();
    return event(text);
  }
  JsonWriter(text)
      .begin_object()
      .string("type", "error")
      .string("code", problem.code)
      .string("message", problem.detail)
      .raw("param", "null")
      .end_object();
  return event("error", text);
}

}  // namespace syncline::ai
