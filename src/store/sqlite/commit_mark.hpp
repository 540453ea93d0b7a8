// The number of the newest commit, in a file of one line beside the store. A log that lost its end, or that is damaged
// in its middle, looks to SQLite like one that ends there: only something outside of it can say that there was more.
// The file is never ahead of the store: it is written after the commit, before anybody is told of it, and synced in
// the background. So a store that is behind it has lost commits.
//
//   syncline-commit 1 8c6f0b7d4c33                     00000000000000004711 9b1c2d3e
#pragma once

#include <atomic>
#include <memory>
#include <optional>
#include <string>

#include "base/file_descriptor.hpp"
#include "store/sqlite/connection.hpp"

namespace syncline::sqlite {

/// Follows the name of the store.
inline constexpr std::string_view kCommitMarkSuffix = "-commit";

class CommitMark {
 public:
  struct Line {
    std::string epoch;
    std::int64_t commit = 0;
  };

  /// Opens the file, or makes an empty one.
  [[nodiscard]] static Result<std::unique_ptr<CommitMark>> open(const std::string& path);

  /// What it said when it was opened; nothing for a new file or one that cannot be read.
  [[nodiscard]] const std::optional<Line>& found() const { return found_; }
  /// Says this from now on, durably.
  [[nodiscard]] Result<> begin(const Line& line);
  /// The commit is durable. For the thread that commits: costs one write to the page cache.
  void note(std::int64_t commit);
  /// Syncs what was noted. From any thread.
  void sync();

 private:
  CommitMark(std::string path, FileDescriptor file) : path_(std::move(path)), file_(std::move(file)) {}
  [[nodiscard]] bool write(std::int64_t commit) const;

  const std::string path_;
  const FileDescriptor file_;
  std::optional<Line> found_;
  std::string epoch_;
  std::atomic<bool> is_synced_ = true;
};

/// The number of the newest commit that the store has; 0 for one without any.
[[nodiscard]] Result<std::int64_t> read_last_commit(Connection& connection);

}  // namespace syncline::sqlite
