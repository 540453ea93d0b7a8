// A feed in a file of lines (NDJSON): what `export` writes and `import` reads.
//
//   {"syncline_export":1,"epoch":"8c6f0b7d4c33","spaces":["kaisho"]}                     the head
//   {"space":"kaisho","seq":5,"collection":"notes","id":"n1","updated_at":...,"doc":{}}   a record, or "deleted":true
//   {"space":"kaisho","seq":6,"collection":"notes","id":"n2","damaged":true}             one that the store cannot read
//   {"space":"kaisho","cursor":"8c6f0b7d4c33.5","more":false}                            the space is written up to
//   there
//   {"syncline_export_end":1,"records":1}                                              the end
//
// A file without an end is one that was interrupted: export resumes after its last cursor.
#pragma once

#include <fstream>
#include <string>
#include <vector>

#include "base/json.hpp"
#include "base/result.hpp"

namespace syncline::app {

/// Where an export stands.
struct ExportState {
  std::string epoch;  // of the store
  std::vector<std::string> spaces;
  std::size_t at = 0;        // the space that is being written
  std::string cursor = "0";  // of that one
  std::int64_t records = 0;
  std::int64_t bytes = 0;  // of the file, up to where it stands
};

/// Reads how far an export has come. not_found: no such file. conflict: it is complete, or no export.
[[nodiscard]] Result<ExportState> read_export(const std::string& path);

/// A record of a page of changes as a line, without its end.
void append_record_line(std::string& out, std::string_view space, JsonView change);

/// Lines to a file or, if the path is empty, to standard output.
class FeedWriter {
 public:
  /// Begins a new file, which must not exist.
  [[nodiscard]] static Result<FeedWriter> create(const std::string& path, const ExportState& state);
  /// Goes on where `state` says, and cuts off what is behind.
  [[nodiscard]] static Result<FeedWriter> append(const std::string& path, const ExportState& state);

  void add_record(std::string_view space, JsonView change);
  /// Everything up to `cursor` is written. storage_full or unavailable if it is not.
  [[nodiscard]] Result<> add_cursor(std::string_view space, std::string_view cursor, bool more);
  [[nodiscard]] Result<> add_end(std::int64_t records);

 private:
  [[nodiscard]] Result<> flush();

  std::string path_;
  std::ofstream file_;
  std::string lines_;
};

/// One line of a file as an op of a push.
struct FeedLine {
  enum class Kind { head, record, damaged, cursor, end };
  Kind kind = Kind::record;
  std::string space;  // of a record; empty if the line names none, or the record is damaged
  std::string op;     // of a record, as JSON
};
/// invalid_document if the line is neither a record nor a line of an export.
[[nodiscard]] Result<FeedLine> read_feed_line(std::string line);

}  // namespace syncline::app
