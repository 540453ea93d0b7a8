// From stores that kept webhooks as records of the system space, and what was on its way to them in a file of its own,
// to the directory.
#pragma once

#include "store/store.hpp"

namespace syncline::webhooks {

struct MoveOptions {
  std::size_t deliveries_each = 5000;  // of a transaction
  /// Called after each step, when it is durable; a failure ends the move there. For tests.
  std::function<Result<>()> after_each = nullptr;
};

/// Moves what is left to be moved, if anything is: first the webhooks, in one transaction, then the deliveries in the
/// file at `old_deliveries`, some thousand in each. The file is removed once all of them are durable in the store, and
/// then the records are deleted. A process that ends in between goes on at the next opening; nothing is moved twice. A
/// file that cannot be read stays where it is and is logged: nobody should be without a hub for it. Before anybody is
/// served; waits for the disk.
[[nodiscard]] Result<> move_webhooks(Store& store, const std::string& old_deliveries, const MoveOptions& options = {});

}  // namespace syncline::webhooks
