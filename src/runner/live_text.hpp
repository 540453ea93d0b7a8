// The output of a running program on its way to those who watch: bounded, and valid UTF-8 whatever the program writes.
#pragma once

#include <string>
#include <string_view>

namespace syncline::runner {

class LiveText {
 public:
  void add(std::string_view bytes);
  /// What has come since the last call, at most `bytes_max`. A character that is not complete yet stays for the next
  /// call, unless `last`. Bytes that are no UTF-8 become U+FFFD; what did not fit is left out, and a line says so.
  [[nodiscard]] std::string take(std::size_t bytes_max, bool last);
  [[nodiscard]] bool empty() const { return pending_.empty() && left_out_ == 0; }

 private:
  void trim();

  std::string pending_;
  std::size_t left_out_ = 0;
};

}  // namespace syncline::runner
