// Where people reach the hub: hub.public_url, or what was said at setup. Links begin with it, and a browser's requests
// must come from it. Safe from any thread.
#pragma once

#include <functional>
#include <string>

#include "base/mutex.hpp"
#include "base/result.hpp"

namespace syncline {

/// "https://hub.example.org": in lower case, without a path and without the port that the scheme has anyway.
/// invalid_argument unless it is http or https with a host.
[[nodiscard]] Result<std::string> parse_public_url(std::string_view text);

/// The host of such a URL, without the port. Empty for an empty one.
[[nodiscard]] std::string host_of_public_url(std::string_view url);

class PublicUrl {
 public:
  /// Stores a URL so that it is there at the next start; an empty one removes what was stored.
  using Keep = std::function<Result<>(const std::string& url)>;
  /// `url`: as parse_public_url() makes it, or empty. `keep` null: the operator's settings decide alone.
  explicit PublicUrl(std::string url, Keep keep = nullptr) : keep_(std::move(keep)), url_(std::move(url)) {}

  /// Empty: nobody has said where.
  [[nodiscard]] std::string get() const {
    const MutexLock lock(mutex_);
    return url_;
  }
  [[nodiscard]] bool may_change() const { return keep_ != nullptr; }
  /// Stores it first; if that fails, nothing changes. Only where may_change(). Waits for the disk.
  [[nodiscard]] Result<> set(const std::string& url);
  /// From now on each new URL goes to `hear`, on the thread that sets it. Called before anybody is served.
  void on_change(std::function<void(const std::string& url)> hear) { hear_ = std::move(hear); }

 private:
  const Keep keep_;
  std::function<void(const std::string&)> hear_;
  mutable Mutex mutex_;
  std::string url_ GUARDED_BY(mutex_);
};

}  // namespace syncline
