// What an upload adds to one conversation. make() compares the uploaded messages with the stored
// ones, which takes time and changes nothing; apply() only writes. Between the two the conversation must not change.
#pragma once

#include "api/kiro/space.hpp"

namespace syncline::kiro {

class ConversationPlan {
 public:
  /// `uploaded`: messages, valid as long as the plan. `author`: whose messages may be edited.
  [[nodiscard]] static Result<ConversationPlan> make(Snapshot& snapshot, std::string id,
                                                     const std::vector<JsonView>& uploaded, KeyNumber author);

  /// How many records it writes.
  [[nodiscard]] std::size_t size() const { return puts_.size() + (beginning_ ? 1 : 0); }

  /// In a transaction by the same author: writes the records from number `from` up to, not including, `end`.
  [[nodiscard]] Result<> apply(SpaceWriter& writer, std::size_t from, std::size_t end) const;

 private:
  /// The conversation appears, or appears again after it was deleted.
  struct Beginning {
    std::optional<Timestamp> deleted_at;
  };
  struct Put {
    JsonView message;
    /// The message that is edited; nothing for a new one.
    struct Edited {
      std::string id;
      std::int64_t n = 0;
      Seq seq;
    };
    std::optional<Edited> edited;
  };
  class Comparison;
  [[nodiscard]] Result<> begin_conversation(SpaceWriter& writer) const;
  [[nodiscard]] Result<> apply_put(SpaceWriter& writer, const Put& put) const;

  std::string id_;
  std::optional<Beginning> beginning_;
  std::vector<Put> puts_;  // in the order of the upload
};

}  // namespace syncline::kiro
