// The hub of a walk: the real one with the native API, in memory and without sockets; with another device that writes,
// and with all that happens to stores.
#pragma once

#include "sim/parts.hpp"
#include "store/memory/memory_store.hpp"

namespace syncline::vectors {

class HubOfWalk {
 public:
  HubOfWalk(const ManualClock& clock, sim::Rules rules);

  /// As the device, or as the other one.
  [[nodiscard]] test::Answer call(const http::ClientRequest& request);
  /// The other device stores the document, or deletes; an empty one deletes. `updated_at` as JSON, or empty.
  void write(const std::string& id, const std::string& doc, const std::string& updated_at);
  [[nodiscard]] Cursor head();

  void restart();
  void keep_backup();
  /// From the backup, as an operator does it (another epoch), or as somebody does who copies files (the same one).
  void restore(bool properly);
  /// Forgets all deletions.
  void purge();
  void rot(const std::string& id);

 private:
  void start();

  const ManualClock& clock_;
  sim::Plan plan_;
  std::int64_t openings_ = 0xA0;
  std::int64_t restored_ = 0;
  std::unique_ptr<MemoryStore> store_;
  std::unique_ptr<MemoryStore> backup_;
  std::unique_ptr<sim::HubProcess> process_;
  SpaceName space_;
};

}  // namespace syncline::vectors
