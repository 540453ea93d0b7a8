// Versions whose row was damaged, and then replaced by somebody who may not have seen them: a device that still has one
// offers it, and then it is merged like any other. Kept in one value beside the feed of the space.
#pragma once

#include <vector>

#include "store/store.hpp"

namespace syncline::lost_versions {

/// By the time they were lost, the latest last.
[[nodiscard]] Result<std::vector<DamagedRecord>> list(Snapshot& snapshot);
[[nodiscard]] Result<> add(Txn& txn, const DamagedRecord& lost);
/// Somebody has offered the version of that seq, or one that was made of it.
[[nodiscard]] Result<> settle(Txn& txn, std::string_view collection, std::string_view id, Seq seq);

}  // namespace syncline::lost_versions
