// Settings that name a plan or have a number for each, and the quotas made of them.
#pragma once

#include <map>

#include "app/settings.hpp"
#include "service/quotas.hpp"

namespace syncline::app {

/// `unit`: what the numbers count, for the error.
[[nodiscard]] Result<std::map<Plan, std::int64_t>> read_plan_numbers(const Settings& settings, std::string_view key,
                                                                     std::string_view unit);

/// Of a setting that is one plan.
[[nodiscard]] Result<Plan> read_plan(const Settings& settings, std::string_view key);

[[nodiscard]] Result<Quotas::ByPlan> read_quotas(const Settings& settings);

}  // namespace syncline::app
