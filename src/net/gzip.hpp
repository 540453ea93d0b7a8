// gzip compression of answers, whole or piece by piece.
#pragma once

#include <memory>
#include <string>
#include <string_view>

namespace syncline::net {

class Gzip {
 public:
  Gzip();
  ~Gzip();
  /// Compressed bytes that are ready after `bytes`; with `finish`, all that is left.
  enum class Flush { no, finish };
  [[nodiscard]] std::string add(std::string_view bytes, Flush flush);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace syncline::net
