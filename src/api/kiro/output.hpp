// Live output of running commands: what a runner sends is kept in memory for a while and handed on as Server-Sent
// Events. Losing it loses nothing: the result holds the output too. Safe from any thread.
#pragma once

#include <deque>
#include <map>

#include "api/kiro/space.hpp"
#include "base/mutex.hpp"
#include "http/message.hpp"
#include "service/access.hpp"

namespace syncline::kiro {

/// Who may see commands and what they say.
[[nodiscard]] inline ScopeSet command_readers() {
  return {Scope::read, Scope::commands_submit, Scope::commands_run, Scope::commands_approve};
}

class Outputs {
 public:
  explicit Outputs(Spaces& spaces) : spaces_(spaces) {}

  /// `event_data`: one JSON object, {"stream", "data", ...}.
  void append(const SpaceName& space, const std::string& id, std::string event_data);
  /// All kept events from `index` on, and the index that follows. Fewer were kept than were sent: `skipped`.
  struct Events {
    std::vector<std::string> data;
    std::size_t next_index = 0;
    bool skipped = false;
  };
  [[nodiscard]] Events from(const SpaceName& space, const std::string& id, std::size_t index);

  /// The event stream of a command: output as it comes, then `end` with the finished command.
  /// Ends when the key is revoked or loses a right that it needs here, and is cut off when that or the command cannot
  /// be read.
  [[nodiscard]] std::unique_ptr<http::BodySource> open(const SpaceName& space, const std::string& id, Access& access,
                                                       std::shared_ptr<const Principal> reader);

 private:
  class Stream;
  using Key = std::pair<SpaceName, std::string>;
  struct Buffer {
    std::deque<std::string> events;
    std::size_t first_index = 0;
    std::size_t bytes = 0;
    std::int64_t used_ms = 0;
  };
  void evict() REQUIRES(mutex_);

  Spaces& spaces_;
  Mutex mutex_;
  std::map<Key, Buffer> buffers_ GUARDED_BY(mutex_);
  std::size_t bytes_ GUARDED_BY(mutex_) = 0;
  std::multimap<Key, Stream*> streams_ GUARDED_BY(mutex_);
};

}  // namespace syncline::kiro
