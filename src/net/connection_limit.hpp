// How many connections there may be, in all and from one address: who opens many leaves room for the others. Proxies
// that speak for many have no limit of their own. Safe from any thread.
#pragma once

#include <atomic>
#include <cstddef>
#include <optional>
#include <string>
#include <unordered_map>
#include <utility>

#include "base/ip_address.hpp"
#include "base/mutex.hpp"

namespace syncline::net {

class ConnectionLimit {
 public:
  struct Limits {
    std::size_t all = 0;
    std::size_t per_address = 0;  // 0: none
    IpNetworks proxies;
  };

  /// A connection's place, which its end frees. May be moved to the next owner of the connection.
  class Place {
   public:
    Place(ConnectionLimit& limit, std::string address) : limit_(&limit), address_(std::move(address)) {}
    Place(Place&& other) noexcept : limit_(std::exchange(other.limit_, nullptr)), address_(std::move(other.address_)) {}
    Place& operator=(Place&&) = delete;
    ~Place() {
      if (limit_ != nullptr) limit_->free(address_);
    }

   private:
    ConnectionLimit* limit_;
    std::string address_;  // empty: not counted
  };

  explicit ConnectionLimit(Limits limits) : limits_(std::move(limits)) {}

  /// Nothing if there are too many.
  [[nodiscard]] std::optional<Place> take(const std::string& peer);
  [[nodiscard]] std::size_t count() const { return count_; }
  /// The most connections since the last call.
  [[nodiscard]] std::size_t take_peak() { return peak_.exchange(count_); }

 private:
  void free(const std::string& address);

  const Limits limits_;
  std::atomic<std::size_t> count_ = 0;
  std::atomic<std::size_t> peak_ = 0;
  Mutex mutex_;
  std::unordered_map<std::string, std::size_t> counts_ GUARDED_BY(mutex_);  // by customer
};

}  // namespace syncline::net
