// The data directory: everything a hub or a runner keeps. One process owns it at a time, by a lock that ends with the
// process.
//
//   lock            held by the owner
//
// of a hub:
//   syncline.db     the store (and its -wal, -shm, -commit and -revoked)
//   search.db       the search index; made anew when it is missing
//   control         socket on which the owner takes administration commands
//   hub.yaml        settings, if the operator keeps them here
//   setup.yaml      what the hub was told at setup; every setting of the operator overrides it
//
// of a node:
//   profiles/       a directory for each profile (node/profile.hpp)
//   active          name of the active profile
//   removed/        profiles that were taken out
//   node.yaml       whom the node serves, if the owner has written it
//   node.url        where the node that owns the directory is served
//
// of a runner:
//   runner.db       commands that were begun (and its -wal and -shm)
//   audit.log       what was asked and what became of it; audit.log.head has its length and last hash
#pragma once

#include <string>

#include "base/result.hpp"

namespace syncline::app {

class DataDirectory {
 public:
  enum class Of { hub, node, runner };
  enum class Missing { create, refuse };

  /// Checks that the directory is ours or empty and takes the lock. `locked` while another process owns it, wrong_store
  /// for somebody else's directory, not_found if it is missing and may not be made.
  [[nodiscard]] static Result<DataDirectory> own(const std::string& path, Missing missing, Of owner = Of::hub);

  DataDirectory(DataDirectory&& other) noexcept;
  DataDirectory& operator=(DataDirectory&&) = delete;
  ~DataDirectory();

  [[nodiscard]] const std::string& path() const { return path_; }
  [[nodiscard]] std::string store_path() const { return path_ + "/syncline.db"; }
  [[nodiscard]] std::string search_path() const { return path_ + "/search.db"; }
  /// What earlier versions had on its way to webhooks; moved into the store and removed.
  [[nodiscard]] std::string old_deliveries_path() const { return path_ + "/webhooks.db"; }
  [[nodiscard]] std::string control_path() const { return path_ + "/control"; }
  [[nodiscard]] std::string intent_log_path() const { return intent_log_in(path_); }
  [[nodiscard]] std::string audit_log_path() const { return audit_log_in(path_); }
  /// For those who only look and do not own it.
  [[nodiscard]] static std::string intent_log_in(const std::string& path) { return path + "/runner.db"; }
  [[nodiscard]] static std::string audit_log_in(const std::string& path) { return path + "/audit.log"; }

 private:
  DataDirectory(std::string path, int lock) : path_(std::move(path)), lock_(lock) {}

  std::string path_;
  int lock_;
};

/// True if the directory has the store of a hub, or the data of a node.
[[nodiscard]] bool has_store(const std::string& path, DataDirectory::Of owner = DataDirectory::Of::hub);

/// "no syncline store in PATH", and what to do.
[[nodiscard]] std::string missing_data_text(const std::string& path, DataDirectory::Of owner);

/// Where data lies if nobody says: $SYNCLINE_DATA, else syncline in $XDG_DATA_HOME or ~/.local/share.
[[nodiscard]] std::string default_data_directory();
/// Likewise for a node: $SYNCLINE_NODE_DATA, else syncline/node in $XDG_DATA_HOME or ~/.local/share.
[[nodiscard]] std::string default_node_directory();
/// Likewise for a runner: $SYNCLINE_RUNNER_DATA, else syncline/runner in $XDG_STATE_HOME or ~/.local/state.
[[nodiscard]] std::string default_runner_directory();

}  // namespace syncline::app
