// Which openings of a store wrote the feed of a space. Each opening has a random id, its incarnation, and the first
// change that it makes in a space is noted with the head that it found. A copy of the store that is put back keeps the
// epoch but not the incarnations that came after it: whoever knows one of those, or changes past the point where
// another one took over, has seen a history that this store does not have.
//
//   incarnation   head_before     its changes
//   A             0               1 to 100
//   B             100             101 on        "A, up to 110" is another history: this store's 101 is B's
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/ids.hpp"

namespace syncline {

/// Twelve hexadecimal digits.
[[nodiscard]] std::string to_text(IncarnationId incarnation);
/// 0 for anything that is no incarnation.
[[nodiscard]] IncarnationId parse_incarnation(std::string_view text);

/// A value; entries ascend.
class Lineage {
 public:
  struct Entry {
    IncarnationId incarnation;
    Seq head_before;
    friend bool operator==(const Entry&, const Entry&) = default;
  };

  /// An incarnation takes over at `head_before`, which is not before that of the last one. Beyond
  /// limits::kIncarnationsMax the oldest is forgotten: who knows no later one is then of another history, and begins
  /// anew, which loses nothing.
  void begin(IncarnationId incarnation, Seq head_before);

  /// The incarnation that made the change; 0 if it is not known.
  [[nodiscard]] IncarnationId at(Seq seq) const;
  /// True if what `incarnation` had made up to `through` is the beginning of this history, as far as incarnations tell.
  [[nodiscard]] bool contains(IncarnationId incarnation, Seq through) const;

  [[nodiscard]] const std::vector<Entry>& entries() const { return entries_; }

 private:
  std::vector<Entry> entries_;
};

}  // namespace syncline
