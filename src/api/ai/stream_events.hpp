// The events of an upstream's stream as the client gets them, and what they say of tokens. No sockets, no threads.
#pragma once

#include "api/ai/completion.hpp"
#include "api/problem.hpp"

namespace syncline::ai {

class StreamEvents {
 public:
  /// `cut_by`: who limits the answer, for when it reaches the limit.
  StreamEvents(const Completion& completion, std::string_view cut_by)
      : form_(completion.form), wants_usage_(completion.wants_usage), cut_by_(cut_by) {}

  /// What goes to the client for one event; nothing if it is not for it, or is the last one.
  [[nodiscard]] std::string translate(const std::string& name, std::string data);
  /// The last event has come: ending() goes to the client when everything else is done.
  [[nodiscard]] bool finished() const { return !ending_.empty(); }
  [[nodiscard]] const std::string& ending() const { return ending_; }
  /// What ends the stream when the upstream does not.
  [[nodiscard]] std::string failure(const api::Problem& problem) const;

  [[nodiscard]] const std::optional<Tokens>& used() const { return used_; }
  /// Of text and calls, to estimate from.
  [[nodiscard]] std::size_t bytes() const { return bytes_; }

 private:
  [[nodiscard]] std::string translate_chunk(JsonView chunk, const std::string& data) const;
  [[nodiscard]] std::string translate_response_event(const std::string& name, JsonView event, const std::string& data);

  const Form form_;
  const bool wants_usage_;
  const std::string_view cut_by_;
  std::optional<Tokens> used_;
  std::size_t bytes_ = 0;
  std::string ending_;
};

}  // namespace syncline::ai
