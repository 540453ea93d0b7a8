// The data directory: everything a hub keeps. One process owns it at a time, by a lock that ends with the process.
//
//   syncline.db   the store (and its -wal and -shm)
//   lock          held by the owner
//   control       socket on which the owner takes administration commands
//   hub.yaml      settings, if the operator keeps them here
#pragma once

#include <string>

#include "base/result.hpp"

namespace syncline::app {

class DataDirectory {
 public:
  enum class Missing { create, refuse };

  /// Checks that the directory is ours or empty and takes the lock. `locked` while another process owns it, wrong_store
  /// for somebody else's directory, not_found if it is missing and may not be made.
  [[nodiscard]] static Result<DataDirectory> own(const std::string& path, Missing missing);

  DataDirectory(DataDirectory&& other) noexcept;
  DataDirectory& operator=(DataDirectory&&) = delete;
  ~DataDirectory();

  [[nodiscard]] std::string store_path() const { return path_ + "/syncline.db"; }
  [[nodiscard]] std::string control_path() const { return path_ + "/control"; }

 private:
  DataDirectory(std::string path, int lock) : path_(std::move(path)), lock_(lock) {}

  std::string path_;
  int lock_;
};

/// Where data lies if nobody says: $SYNCLINE_DATA, else syncline in $XDG_DATA_HOME or ~/.local/share.
[[nodiscard]] std::string default_data_directory();

}  // namespace syncline::app
