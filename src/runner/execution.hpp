// Carries out one order that the policy has allowed.
#pragma once

#include "runner/order.hpp"
#include "runner/supervision.hpp"

namespace syncline::runner {

/// What a runner works with at one moment: a policy, its opened roots and what starts programs.
struct Workplace {
  Policy policy;
  Roots roots;
  std::unique_ptr<Launcher> launcher;
};

/// Fails never: whatever goes wrong becomes the outcome. Ends when the order is carried out, its time is over or `stop`
/// is pulled, and then none of its processes is left.
[[nodiscard]] Outcome execute(const Workplace& workplace, const Order& order, const Decision& decision,
                              const StopSwitch& stop, ProgramObserver& observer);

}  // namespace syncline::runner
