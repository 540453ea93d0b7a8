// Requests as values: what a client asks for in each of the forms, what goes to the upstream, and what is read out of
// its answers. No sockets, no clock.
#pragma once

#include <optional>

#include "api/ai/meter.hpp"
#include "base/json_object.hpp"

namespace syncline::ai {

/// No single answer takes so many: whoever says so is wrong.
inline constexpr std::int64_t kTokensMax = 1'000'000'000;

/// Which upstream model stands behind which name.
struct Models {
  std::string advisor;     // kaisho:advisor
  std::string cron;        // kaisho:cron
  std::string standard;    // where a client names none
  std::string embeddings;  // of POST /v1/embeddings; empty: any of the others

  /// Every name that a client may ask for, without repetitions.
  [[nodiscard]] std::vector<std::string> names() const;
  /// The upstream's name; not_found for a model that is not offered.
  [[nodiscard]] Result<std::string> resolve(const std::string& name) const;
  [[nodiscard]] Result<std::string> resolve_embeddings(const std::string& name) const;
};

/// Kaisho's POST /ai/complete; and OpenAI's chat completions, responses and embeddings.
enum class Form : std::uint8_t { kaisho, chat, responses, embeddings };

/// A request on its way to the upstream.
struct Completion {
  Form form = Form::chat;
  JsonObject body;  // of the upstream's route, but for the limit of tokens
  /// The member that limits the output, as the client spelt it.
  std::string limit_name = "max_tokens";
  std::optional<std::int64_t> limit;  // the client's own
  Tokens estimate;                    // what it may take; of an answer without a limit, what a full one takes
  bool streams = false;
  bool wants_usage = false;  // a streaming client that asked for it

  [[nodiscard]] std::string_view target() const;
  /// The month's cap leaves less than the request may take.
  [[nodiscard]] bool is_near_cap(const Tokens& reserved) const { return reserved.output < estimate.output; }
  /// The limit that has to be sent: the client's, or what the month's cap leaves. Without either the model has its own,
  /// and a parameter that nobody asked for is one that a model may refuse.
  [[nodiscard]] std::optional<std::int64_t> limit_within(const Tokens& reserved) const;
  [[nodiscard]] std::string to_text(const Tokens& reserved) const;
  /// Who limits an answer that was cut: "monthly_cap", "request_limit" or "model".
  [[nodiscard]] std::string_view cut_by(const Tokens& reserved) const;
};

/// From `POST /ai/complete`: {system?, messages, max_tokens?, mode?, model?, tools?}.
[[nodiscard]] Result<Completion> read_kaisho_request(JsonView body, const Models& models);
/// From `POST /v1/chat/completions`; members it does not know pass through.
[[nodiscard]] Result<Completion> read_open_ai_request(JsonView body, const Models& models);

/// From `POST /v1/responses`. Refuses what the gateway could not meter.
[[nodiscard]] Result<Completion> read_responses_request(JsonView body, const Models& models);
/// From `POST /v1/embeddings`.
[[nodiscard]] Result<Completion> read_embeddings_request(JsonView body, const Models& models);

/// An upstream that cuts text anywhere writes halves of surrogate pairs: they are replaced.
[[nodiscard]] bool is_json_object(std::string& text);
/// The answer, or the chunk, ends where its limit was reached.
[[nodiscard]] bool is_cut(JsonView answer);
/// The usage of an answer or of a chunk, if it has one.
[[nodiscard]] std::optional<Tokens> find_usage(JsonView answer);
/// Bytes of text and calls that an answer or chunk holds, to estimate from.
[[nodiscard]] std::size_t output_bytes(JsonView answer);
/// {text, tool_calls, finish_reason, cut_by?, usage}; nothing if the answer has no choice.
[[nodiscard]] std::optional<std::string> kaisho_answer(JsonView answer, const Tokens& used, std::string_view cut_by);

}  // namespace syncline::ai
