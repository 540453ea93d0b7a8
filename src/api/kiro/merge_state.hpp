// POST /sync: an uploaded state is merged into the space record by record, so nobody's messages are lost whatever the
// two lastUpdate say. docs/api/kiro.md has the rules. The store has one thread that writes, for all accounts, so the
// comparison with what is stored happens before: prepare() reads a snapshot, is_current() tells in the transaction
// whether the result still counts, apply() only writes. A large upload is written in several transactions, so that the
// writes of others come in between.
#pragma once

#include <unordered_set>

#include "api/kiro/command_queue.hpp"
#include "api/kiro/conversation_plan.hpp"
#include "api/kiro/state_form.hpp"

namespace syncline::kiro {

/// The merge of one upload. Not safe for two threads at once.
class StateMerge {
 public:
  /// The text of `state` and `principal` outlive the merge.
  StateMerge(UploadedState state, const Principal& principal) : state_(std::move(state)), principal_(principal) {}

  /// Decides what becomes of each part. May be repeated; the last result counts.
  [[nodiscard]] Result<> prepare(Snapshot& snapshot);

  /// In a transaction: true if nothing that prepare() has read has changed since.
  [[nodiscard]] Result<bool> is_current(Txn& txn) const;

  /// Everything that the two below look up: whatever the upload names.
  [[nodiscard]] Reads reads() const;

  /// How many records remain to be written: what prepare() found, without what note_written() was told of.
  [[nodiscard]] std::size_t size() const { return size_ - written_; }

  /// How many of them to write in one transaction: at most `max`, but all commands at once. They come last, so that an
  /// upload that is compared again never meets its own commands, which a runner may have taken meanwhile.
  [[nodiscard]] std::size_t next_count(std::size_t max) const;

  /// In a transaction in which it is current: writes the next `count` records that the key may write, and returns what
  /// of them was left out. May run again if the transaction failed.
  [[nodiscard]] Result<IgnoredParts> apply(SpaceWriter& writer, CommandQueue& commands, std::size_t count) const;

  /// The next `count` records are committed, and with them the space stands at `head`.
  void note_written(std::size_t count, Seq head);

  /// What could not be read, and what prepare() left out.
  [[nodiscard]] const IgnoredParts& ignored() const { return ignored_; }

 private:
  using Item = UploadedState::Item;
  [[nodiscard]] bool has_read(const RecordView& record) const;

  const UploadedState state_;
  const Principal& principal_;

  Seq prepared_at_;
  /// What was read, by collection. Messages were read by conversation: the prefixes of their ids.
  std::map<std::string_view, std::unordered_set<std::string>, std::less<>> read_;
  std::vector<ConversationPlan> conversations_;
  std::vector<Item> documents_;  // that differ from what is stored
  std::vector<Item> commands_;   // the same
  IgnoredParts ignored_;
  std::size_t size_ = 0;     // of all that is to be written: conversations, then documents, then commands
  std::size_t written_ = 0;  // from its beginning
};

}  // namespace syncline::kiro
