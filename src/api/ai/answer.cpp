// What is read out of the upstream's answers.
#include "api/ai/completion.hpp"
#include "api/call.hpp"

namespace syncline::ai {
namespace {

/// The first choice's "message", or a chunk's "delta".
std::optional<JsonView> find_message(JsonView answer) {
  const auto choices = answer.find("choices");
  if (!choices || !choices->is_array()) return std::nullopt;
  std::optional<JsonView> message;
  choices->for_each_element([&](JsonView choice) {
    if (message || !choice.is_object()) return;
    message = choice.find("message");
    if (!message) message = choice.find("delta");
  });
  return message && message->is_object() ? message : std::nullopt;
}

/// Of the first choice that has one.
std::string finish_reason_of(JsonView answer) {
  std::string reason;
  const auto choices = answer.find("choices");
  if (!choices || !choices->is_array()) return reason;
  choices->for_each_element([&](JsonView choice) {
    if (reason.empty() && choice.is_object()) reason = choice.text_of("finish_reason");
  });
  return reason;
}

}  // namespace

bool is_json_object(std::string& text) {
  return api::check_repaired_json(text).fault == JsonFault::none && JsonView(text).is_object();
}

bool is_cut(JsonView answer) {
  if (finish_reason_of(answer) == "length") return true;
  const auto why = answer.find("incomplete_details");
  return why && why->is_object() && why->text_of("reason") == "max_output_tokens";
}

std::optional<Tokens> find_usage(JsonView answer) {
  const auto usage = answer.find("usage");
  if (!usage || !usage->is_object()) return std::nullopt;
  const auto count = [&](std::string_view name, std::string_view in_responses) {
    auto value = usage->find(name);
    if (!value) value = usage->find(in_responses);
    return value ? value->as_integer() : std::nullopt;
  };
  const auto input = count("prompt_tokens", "input_tokens");
  auto output = count("completion_tokens", "output_tokens");
  if (const auto all = count("total_tokens", ""); !output && input && all) output = *all - *input;  // of embeddings
  const auto is_sensible = [](const std::optional<std::int64_t>& tokens) {
    return tokens && *tokens >= 0 && *tokens <= kTokensMax;
  };
  if (!is_sensible(input) || !is_sensible(output)) return std::nullopt;
  return Tokens{*input, *output};
}

std::size_t output_bytes(JsonView answer) {
  const auto message = find_message(answer);
  if (!message) {
    const auto items = answer.find("output");  // of a response; its stream has "delta"
    return items && items->is_array() ? items->raw().size() : answer.text_of("delta").size();
  }
  const auto calls = message->find("tool_calls");
  return message->text_of("content").size() + (calls && calls->is_array() ? calls->raw().size() : 0);
}

std::optional<std::string> kaisho_answer(JsonView answer, const Tokens& used, std::string_view cut_by) {
  const auto message = find_message(answer);
  if (!message) return std::nullopt;
  std::string finish_reason = finish_reason_of(answer);
  const auto calls = message->find("tool_calls");
  const bool has_calls = calls && calls->is_array() && calls->raw() != "[]";
  // The client stops at "stop", whatever calls there are.
  if (has_calls && (finish_reason.empty() || finish_reason == "stop")) finish_reason = "tool_calls";
  std::string out;
  JsonWriter writer(out);
  writer.begin_object()
      .string("text", message->text_of("content"))
      .raw("tool_calls", has_calls ? calls->raw() : "null")
      .string("finish_reason", finish_reason.empty() ? "stop" : finish_reason);
  if (is_cut(answer)) writer.string("cut_by", cut_by);
  writer.name("usage")
      .begin_object()
      .integer("input_tokens", used.input)
      .integer("output_tokens", used.output)
      .end_object()
      .end_object();
  return out;
}

}  // namespace syncline::ai
