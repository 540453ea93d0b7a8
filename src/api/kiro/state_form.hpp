// What a client uploads as its state. Clients upload all that they have, each time, so a part that cannot be read is
// named and left out: it must not block the others. Pure functions.
#pragma once

#include <string>
#include <vector>

#include "base/json.hpp"

namespace syncline::kiro {

/// A part of an upload that was left out, and why.
struct Ignored {
  std::string_view part;
  std::string id;
  std::string reason;
  std::optional<std::size_t> index = std::nullopt;  // of a message in its conversation
};

/// All that was left out of an upload: the first of it in full, the rest as a number.
class IgnoredParts {
 public:
  void add(Ignored part);
  void add(const IgnoredParts& more);

  [[nodiscard]] const std::vector<Ignored>& listed() const { return listed_; }
  [[nodiscard]] std::size_t count() const { return count_; }

 private:
  std::vector<Ignored> listed_;
  std::size_t count_ = 0;
};

/// What can be read of an upload: views into its text.
struct UploadedState {
  struct Conversation {
    std::string id;
    std::vector<JsonView> messages;  // each with a role, a content and a timestamp
  };
  struct Item {
    std::string id;
    JsonView value;  // an object
  };
  std::vector<Conversation> conversations;
  std::vector<Item> documents;  // each with a content and a timestamp
  std::vector<Item> commands;
  double last_update_ms = 0;
  IgnoredParts ignored;
};

/// Reads the parts of `state`, an object. `is_doubtful`: it has values that cannot be stored (see api::JsonParts).
/// invalid_argument, naming the field, if a map of parts or lastUpdate has the wrong type.
[[nodiscard]] Result<UploadedState> read_state(JsonView state, bool is_doubtful);

}  // namespace syncline::kiro
