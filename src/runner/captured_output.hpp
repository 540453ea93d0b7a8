// What a program has written: the beginning and the end of it, in bounded memory.
#pragma once

#include <string>
#include <string_view>

#include "base/json.hpp"

namespace syncline::runner {

class CapturedOutput {
 public:
  /// Keeps the first and the last half of `bytes_max`.
  explicit CapturedOutput(std::size_t bytes_max) : half_(bytes_max / 2) {}

  void add(std::string_view bytes);
  /// The program was ended from outside: a character that the end of its output has only a part of is left out.
  void note_killed() { was_killed_ = true; }
  [[nodiscard]] bool truncated() const { return total_ > head_.size() + tail_.size(); }
  /// Head and tail, cut at characters, with a line between them that says how much was left out.
  [[nodiscard]] std::string text() const;

 private:
  const std::size_t half_;
  std::string head_;
  std::string tail_;         // a ring once it is full
  std::size_t oldest_ = 0;   // where the ring begins
  std::uint64_t total_ = 0;  // bytes ever added
  bool was_killed_ = false;
};

/// The members stdout, stderr, and as needed encoding ("base64" for both, if one is not UTF-8) and truncated.
void write_output(JsonWriter& writer, const CapturedOutput& out, const CapturedOutput& err);

}  // namespace syncline::runner
