// How a node syncs with Kernle's own backend, or any service that has its API alone: the memory of agents only.
#pragma once

#include "replica/dialect.hpp"

namespace syncline::kernle {

/// "kernle". Outlives everything, safe from any thread.
[[nodiscard]] const replica::Dialect& dialect();

}  // namespace syncline::kernle
