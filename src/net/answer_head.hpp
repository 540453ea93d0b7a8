// The headers of an answer that is being received: how much they may be, and whether the body comes in a form that was
// asked for. Whoever decodes what nobody asked for lets the other side choose how much work a byte is.
#pragma once

#include <optional>
#include <string_view>

#include "base/result.hpp"

namespace syncline::net {

class AnswerHead {
 public:
  /// `decodes`: the body is decompressed if it comes so.
  explicit AnswerHead(bool decodes) : decodes_(decodes) {}

  /// One line, also of trailers and of the 1xx answers before. False if the answer must not be read further.
  [[nodiscard]] bool take(std::string_view line);
  /// Why not.
  [[nodiscard]] const std::optional<Error>& fault() const { return fault_; }

 private:
  const bool decodes_;
  std::size_t bytes_ = 0;
  int codings_ = 0;
  std::optional<Error> fault_;
};

}  // namespace syncline::net
