// Says of most keys that they are not in a set, without a search: most lookups are for ids that nobody has seen before.
#pragma once

#include <cstdint>
#include <functional>
#include <string_view>
#include <vector>

namespace syncline::sqlite {

class KeyFilter {
 public:
  /// The hash that the other functions take.
  [[nodiscard]] static std::uint64_t hash_of(std::int64_t scope, std::string_view id) {
    return (std::hash<std::string_view>{}(id) ^ static_cast<std::uint64_t>(scope)) * 0x9E3779B97F4A7C15ULL;
  }

  /// False only for keys that were never added.
  [[nodiscard]] bool may_contain(std::uint64_t hash) const {
    return bits_.empty() ? count_ > 0 : is_set(first(hash)) && is_set(second(hash));
  }
  /// True if the filter has just begun to tell keys apart: then all keys of the set must be added again.
  [[nodiscard]] bool add(std::uint64_t hash) {
    ++count_;
    const bool begins = bits_.empty() && count_ >= kKeysMin;
    if (begins) bits_.resize(kBits / 64);
    if (bits_.empty()) return false;
    for (const std::uint64_t bit : {first(hash), second(hash)}) bits_[bit / 64] |= std::uint64_t{1} << bit % 64;
    return begins;
  }
  void clear() {
    count_ = 0;
    bits_ = {};
  }

 private:
  /// Of 524,288 keys, it errs for one in 70.
  static constexpr std::uint64_t kBits = 1ULL << 23U;
  /// A set as small as this is searched as fast.
  static constexpr std::size_t kKeysMin = 256;

  static std::uint64_t first(std::uint64_t hash) { return hash >> 41U; }
  static std::uint64_t second(std::uint64_t hash) { return (hash >> 18U) % kBits; }
  [[nodiscard]] bool is_set(std::uint64_t bit) const { return (bits_[bit / 64] >> bit % 64 & 1U) != 0; }

  std::size_t count_ = 0;
  std::vector<std::uint64_t> bits_;
};

}  // namespace syncline::sqlite
