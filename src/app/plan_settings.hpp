// Settings that have a number for each plan, and the quotas made of them.
#pragma once

#include <map>

#include "app/settings.hpp"
#include "service/quotas.hpp"

namespace syncline::app {

/// `unit`: what the numbers count, for the error.
[[nodiscard]] Result<std::map<Plan, std::int64_t>> read_plan_numbers(const Settings& settings, std::string_view key,
                                                                     std::string_view unit);

[[nodiscard]] Result<Quotas::ByPlan> read_quotas(const Settings& settings);

}  // namespace syncline::app
