// Tokens per account and month. An estimate is charged before a request goes out, and corrected when the usage is
// known: two requests at once cannot spend the same tokens, and what a crash leaves is the estimate. Safe from any
// thread; it waits for the disk, so it is not for network threads.
#pragma once

#include "service/spaces.hpp"

namespace syncline::ai {

struct Tokens {
  std::int64_t input = 0;
  std::int64_t output = 0;

  [[nodiscard]] std::int64_t total() const { return input + output; }
};

struct Usage {
  std::string month;  // "2026-11", UTC
  Tokens tokens;
  std::int64_t requests = 0;
};

/// What a request was charged until it is settled.
struct Reservation {
  std::string month;
  Tokens tokens;
};

class Meter {
 public:
  explicit Meter(Spaces& spaces) : spaces_(spaces) {}

  /// Of the current month.
  [[nodiscard]] Result<Usage> usage(AccountNumber account);
  /// Charges `wanted`, with less output if the cap leaves no room for it. Nothing if there is room for none.
  [[nodiscard]] Result<std::optional<Reservation>> reserve(AccountNumber account, Tokens wanted, std::int64_t cap);
  [[nodiscard]] Result<> settle(AccountNumber account, const Reservation& reservation, Tokens used);
  /// The request came to nothing: takes the charge back.
  [[nodiscard]] Result<> release(AccountNumber account, const Reservation& reservation);

 private:
  Result<> adjust(AccountNumber account, const Reservation& reservation, Tokens used, std::int64_t requests);

  Spaces& spaces_;
};

/// A text of so many bytes is taken for so many tokens.
[[nodiscard]] std::int64_t estimate_tokens(std::size_t bytes);

[[nodiscard]] std::string usage_json(const Usage& usage, std::int64_t cap);

}  // namespace syncline::ai
