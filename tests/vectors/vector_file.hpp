// A file of vectors: inputs of a part of the sync engine and what the C++ makes of them, a JSON object a line. Ports to
// other languages replay it. The first line says what the file covers: how often each thing in it happens. Values of 64
// bits are decimal strings, for languages whose numbers are doubles.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.hpp"
#include "core/cursor.hpp"
#include "core/replicator.hpp"

namespace syncline::vectors {

class VectorFile {
 public:
  explicit VectorFile(std::string name) : name_(std::move(name)) {}

  /// A JSON object without line breaks.
  void add(std::string line) { lines_.push_back(std::move(line)); }
  void count(const std::string& covered) { ++counts_[covered]; }
  /// What is covered less often than `least` times is missing.
  void require(const std::string& covered, std::int64_t least = 1);
  /// The sum over all that is covered whose text begins with it.
  [[nodiscard]] std::int64_t count_of_prefix(std::string_view prefix) const;

  [[nodiscard]] const std::string& name() const { return name_; }
  /// Empty if all that is required is covered.
  [[nodiscard]] const std::vector<std::string>& missing() const { return missing_; }
  [[nodiscard]] std::string to_text() const;

 private:
  std::string name_;
  std::vector<std::string> lines_;
  std::map<std::string, std::int64_t> counts_;
  std::vector<std::string> missing_;
};

/// `nodes`: the settings that ports share with a node.
[[nodiscard]] VectorFile make_replicator_vectors(const ReplicatorSettings& nodes = {});
[[nodiscard]] VectorFile make_outbox_vectors();
[[nodiscard]] VectorFile make_merge_vectors();
[[nodiscard]] VectorFile make_wire_vectors();
[[nodiscard]] std::vector<VectorFile> make_all_vectors();

/// The first difference between two texts, for a person: line number and both lines. Empty if they are equal.
[[nodiscard]] std::string first_difference(const std::string& stored, const std::string& made);

// JSON values.
[[nodiscard]] std::string json_text(std::string_view text);
/// Of 64 bits.
[[nodiscard]] std::string json_number(std::int64_t value);
[[nodiscard]] std::string json_number(const std::optional<std::int64_t>& value);
[[nodiscard]] inline std::string json_boolean(bool value) { return value ? "true" : "false"; }
[[nodiscard]] std::string cursor_text(const Cursor& cursor);

/// Members of an object, of which a line shows those that differ from what the line before showed.
class Observed {
 public:
  using Members = std::map<std::string, std::string>;  // values are JSON

  /// The object of what has changed since the last call. A member that is gone is null.
  [[nodiscard]] std::string change_to(Members now);

 private:
  Members last_;
};

}  // namespace syncline::vectors
