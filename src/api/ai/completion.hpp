// Chat completions as values: what a client asks for in either of the two forms, what goes to the upstream, and what is
// read out of its answers. No sockets, no clock.
#pragma once

#include <optional>

#include "api/ai/meter.hpp"
#include "base/json_object.hpp"

namespace syncline::ai {

/// Which upstream model stands behind which name.
struct Models {
  std::string advisor;   // kaisho:advisor
  std::string cron;      // kaisho:cron
  std::string standard;  // where a client names none

  /// Every name that a client may ask for, without repetitions.
  [[nodiscard]] std::vector<std::string> names() const;
  /// The upstream's name; not_found for a model that is not offered.
  [[nodiscard]] Result<std::string> resolve(const std::string& name) const;
};

/// A request on its way to the upstream.
struct Completion {
  JsonObject body;  // of the upstream's POST /chat/completions, but for the limit of tokens
  /// The member that limits the output, as the client spelt it.
  std::string limit_member = "max_tokens";
  Tokens estimate;  // what it may take at most
  bool streams = false;
  bool wants_usage = false;  // a streaming client that asked for it

  /// The body with a limit that the reservation covers.
  [[nodiscard]] std::string to_text(const Tokens& reserved) const;
};

/// From `POST /ai/complete`: {system?, messages, max_tokens?, mode?, model?, tools?}.
[[nodiscard]] Result<Completion> read_kaisho_request(JsonView body, const Models& models);
/// From `POST /v1/chat/completions`; members it does not know pass through.
[[nodiscard]] Result<Completion> read_open_ai_request(JsonView body, const Models& models);

/// The usage of an answer or of a chunk, if it has one.
[[nodiscard]] std::optional<Tokens> find_usage(JsonView answer);
/// Bytes of text and calls that an answer or chunk holds, to estimate from.
[[nodiscard]] std::size_t output_bytes(JsonView answer);
/// {text, tool_calls, finish_reason, usage}; nothing if the answer has no choice.
[[nodiscard]] std::optional<std::string> kaisho_answer(JsonView answer, const Tokens& used);

}  // namespace syncline::ai
