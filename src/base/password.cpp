#include "base/password.hpp"

#include <argon2.h>
#include <sodium.h>
#include <sys/mman.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <utility>

#include "base/bytes.hpp"
#include "base/text.hpp"

namespace syncline {
namespace {

// The cost: libsodium's "interactive", of which hashes in existing stores are.
constexpr std::uint32_t kPasses = 2;
constexpr std::uint32_t kMemoryKib = std::uint32_t{64} << 10U;
constexpr std::size_t kSaltBytes = 16;
constexpr std::size_t kHashBytes = 32;
/// A store with a larger cost is not ours, and would only use up memory.
constexpr std::uint32_t kPassesMax = 16;
constexpr std::uint32_t kMemoryKibMax = std::uint32_t{1} << 20U;
constexpr std::uint32_t kLanesMax = 4;
/// Given back at a time.
constexpr std::size_t kSliceBytes = std::size_t{1} << 20U;

struct Cost {
  std::uint32_t passes = kPasses;
  std::uint32_t memory_kib = kMemoryKib;
  std::uint32_t lanes = 1;
};

/// The memory of one hash at a time. Mapping and unmapping 64 MiB, as libraries do for each hash, holds up every other
/// thread of the process that needs memory from the kernel, for as long as it takes to fill or drop all pages: 20 ms,
/// and more where the hashing thread has a low priority. So the range stays mapped, its pages come one by one, and they
/// are given back in slices.
class WorkArea {
 public:
  WorkArea() = default;
  ~WorkArea() { unmap(); }
  WorkArea(const WorkArea&) = delete;
  WorkArea& operator=(const WorkArea&) = delete;

  /// Nothing if there is not enough memory. Stands until the next call.
  [[nodiscard]] std::uint8_t* memory(std::size_t bytes) {
    if (bytes > bytes_) {
      unmap();
      void* mapped = ::mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
      if (mapped == MAP_FAILED) return nullptr;
      begin_ = static_cast<std::uint8_t*>(mapped);
      bytes_ = bytes;
    }
    return begin_;
  }

  void give_back() const {
    for (std::size_t at = 0; at < bytes_; at += kSliceBytes) {
      ::madvise(begin_ + at, std::min(kSliceBytes, bytes_ - at), MADV_DONTNEED);
    }
  }

 private:
  void unmap() {
    if (begin_ != nullptr) ::munmap(begin_, bytes_);
    begin_ = nullptr;
    bytes_ = 0;
  }

  std::uint8_t* begin_ = nullptr;
  std::size_t bytes_ = 0;
};

thread_local WorkArea work_area;

int take_memory(std::uint8_t** memory, std::size_t bytes) {
  *memory = work_area.memory(bytes);
  return *memory == nullptr ? ARGON2_MEMORY_ALLOCATION_ERROR : ARGON2_OK;
}

void give_memory_back(std::uint8_t* /*memory*/, std::size_t /*bytes*/) { work_area.give_back(); }

/// Nothing if there is not enough memory.
std::optional<std::string> argon2id(std::string_view password, std::string salt, std::size_t hash_bytes, Cost cost) {
  std::string secret(password);
  std::string hash(hash_bytes, '\0');
  const auto bytes = [](std::string& text) {
    return reinterpret_cast<std::uint8_t*>(text.data());  // NOLINT(cppcoreguidelines-pro-type-reinterpret-cast)
  };
  argon2_context context{};
  context.out = bytes(hash);
  context.outlen = static_cast<std::uint32_t>(hash.size());
  context.pwd = bytes(secret);
  context.pwdlen = static_cast<std::uint32_t>(secret.size());
  context.salt = bytes(salt);
  context.saltlen = static_cast<std::uint32_t>(salt.size());
  context.t_cost = cost.passes;
  context.m_cost = cost.memory_kib;
  context.lanes = cost.lanes;
  context.threads = 1;
  context.version = ARGON2_VERSION_13;
  context.allocate_cbk = take_memory;
  context.free_cbk = give_memory_back;
  context.flags = ARGON2_DEFAULT_FLAGS;
  const int failed = argon2id_ctx(&context);
  sodium_memzero(secret.data(), secret.size());
  if (failed != ARGON2_OK) return std::nullopt;
  return hash;
}

std::string unpadded_base64(std::string_view bytes) {
  std::string text = to_base64(bytes);
  text.resize(text.find_last_not_of('=') + 1);
  return text;
}

std::optional<std::string> from_unpadded_base64(std::string_view text) {
  std::string padded(text);
  padded.append((4 - text.size() % 4) % 4, '=');
  return from_base64(padded);
}

std::string to_text(const Cost& cost, std::string_view salt, std::string_view hash) {
  return "$argon2id$v=19$m=" + std::to_string(cost.memory_kib) + ",t=" + std::to_string(cost.passes) +
         ",p=" + std::to_string(cost.lanes) + '$' + unpadded_base64(salt) + '$' + unpadded_base64(hash);
}

struct StoredHash {
  Cost cost;
  std::string salt;
  std::string hash;
};

/// The number after "m=", within the bounds.
std::optional<std::uint32_t> parse_cost(std::string_view text, std::string_view name, std::uint32_t most) {
  if (!text.starts_with(name)) return std::nullopt;
  const auto number = parse_integer(text.substr(name.size()));
  if (!number || *number < 1 || *number > most) return std::nullopt;
  return static_cast<std::uint32_t>(*number);
}

std::optional<StoredHash> parse_stored(std::string_view text) {
  const auto parts = split(text, '$');
  if (parts.size() != 6 || !parts[0].empty() || parts[1] != "argon2id" || parts[2] != "v=19") return std::nullopt;
  const auto costs = split(parts[3], ',');
  if (costs.size() != 3) return std::nullopt;
  const auto memory = parse_cost(costs[0], "m=", kMemoryKibMax);
  const auto passes = parse_cost(costs[1], "t=", kPassesMax);
  const auto lanes = parse_cost(costs[2], "p=", kLanesMax);
  auto salt = from_unpadded_base64(parts[4]);
  auto hash = from_unpadded_base64(parts[5]);
  if (!memory || !passes || !lanes || !salt || !hash) return std::nullopt;
  return StoredHash{.cost = {.passes = *passes, .memory_kib = *memory, .lanes = *lanes},
                    .salt = std::move(*salt),
                    .hash = std::move(*hash)};
}

}  // namespace

Result<std::string> hash_password(std::string_view password) {
  const Cost cost;
  const std::string salt = random_bytes(kSaltBytes);
  const auto hash = argon2id(password, salt, kHashBytes, cost);
  if (!hash) return fail(ErrorCode::unavailable, "not enough memory to hash a password");
  return to_text(cost, salt, *hash);
}

bool is_password(const std::string& hash, std::string_view password) {
  auto stored = parse_stored(hash);
  if (!stored) return false;
  const auto found = argon2id(password, std::move(stored->salt), stored->hash.size(), stored->cost);
  return found && equal_in_constant_time(*found, stored->hash);
}

}  // namespace syncline
