// How a node syncs with Kaisho's own cloud, or any service that has its API alone: time tracking only.
#pragma once

#include "replica/dialect.hpp"

namespace syncline::kaisho {

/// "kaisho". Outlives everything, safe from any thread.
[[nodiscard]] const replica::Dialect& dialect();

/// Models that every service of that kind hosts.
[[nodiscard]] replica::HostedModels hosted_models();

}  // namespace syncline::kaisho
