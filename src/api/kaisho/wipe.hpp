// Wiping an account's Kaisho data, and taking that back. A wiped record is a tombstone that merges and the Kaisho face
// treat as one that never was; its last version stays in the history, so that a wipe can be undone while that is kept.
#pragma once

#include "service/space_writer.hpp"

namespace syncline::kaisho {

/// Removes all rows and reference lists; settings stay. Returns how many rows were live. Announces nothing.
[[nodiscard]] Result<std::int64_t> wipe(SpaceWriter& writer);

/// Puts back what was wiped at `since` or later and has not been written again. Returns how many rows are live again.
[[nodiscard]] Result<std::int64_t> undo_wipe(SpaceWriter& writer, Timestamp since);

}  // namespace syncline::kaisho
