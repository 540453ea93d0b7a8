// Ids as types: a number that counts changes cannot be passed where a number of an account is meant.
#pragma once

#include <compare>
#include <cstdint>
#include <functional>
#include <string>

namespace syncline {

template <typename Tag>
struct StrongNumber {
  std::int64_t value = 0;
  friend auto operator<=>(StrongNumber, StrongNumber) = default;
};

/// Number of a change in its space: starts at 1, no gaps, no reuse. 0 means "before the first".
using Seq = StrongNumber<struct SeqTag>;
using AccountNumber = StrongNumber<struct AccountTag>;
/// Number of a key. 0 is the hub itself.
using KeyNumber = StrongNumber<struct KeyTag>;
using PasskeyNumber = StrongNumber<struct PasskeyTag>;
using IdentityNumber = StrongNumber<struct IdentityTag>;
using ConflictNumber = StrongNumber<struct ConflictTag>;
/// Number of an event of the store: rises, with gaps.
using EventNumber = StrongNumber<struct EventTag>;
/// One opening of a store: random, 48 bits. 0: not known which.
using IncarnationId = StrongNumber<struct IncarnationTag>;

/// A named data set of an account: the unit of ordering and of sync.
struct SpaceName {
  AccountNumber account;
  std::string name;
  friend auto operator<=>(const SpaceName&, const SpaceName&) = default;
};

}  // namespace syncline

template <typename Tag>
struct std::hash<syncline::StrongNumber<Tag>> {
  std::size_t operator()(syncline::StrongNumber<Tag> number) const noexcept {
    return std::hash<std::int64_t>{}(number.value);
  }
};

template <>
struct std::hash<syncline::SpaceName> {
  std::size_t operator()(const syncline::SpaceName& space) const noexcept {
    return std::hash<std::string>{}(space.name) * 31 + std::hash<std::int64_t>{}(space.account.value);
  }
};
