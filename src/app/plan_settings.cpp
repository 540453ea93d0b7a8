#include "app/plan_settings.hpp"

#include "base/text.hpp"

namespace syncline::app {

Result<std::map<Plan, std::int64_t>> read_plan_numbers(const Settings& settings, std::string_view key,
                                                       std::string_view unit) {
  std::map<Plan, std::int64_t> numbers;
  for (const std::string& entry : settings.list(key)) {
    const std::size_t equals = entry.find('=');
    const auto number = parse_integer(equals == std::string::npos ? "" : entry.substr(equals + 1));
    if (!number || *number < 0) {
      return settings.wrong(key, "must list PLAN=" + std::string(unit) + ", like pro=1000000, not '" + entry + "'");
    }
    const auto plan = parse_plan(entry.substr(0, equals));
    if (!plan) return settings.wrong(key, "has an " + plan.error().text);
    numbers[*plan] = *number;
  }
  return numbers;
}

Result<Plan> read_plan(const Settings& settings, std::string_view key) {
  const auto plan = parse_plan(settings.text(key));
  if (!plan) return settings.wrong(key, "has an " + plan.error().text);
  return *plan;
}

Result<Quotas::ByPlan> read_quotas(const Settings& settings) {
  TRY(const auto bytes, read_plan_numbers(settings, "quota.bytes", "BYTES"));
  TRY(const auto records, read_plan_numbers(settings, "quota.records", "RECORDS"));
  TRY(const auto requests, read_plan_numbers(settings, "quota.requests_per_minute", "REQUESTS"));
  const auto of = [](const std::map<Plan, std::int64_t>& numbers, Plan plan) {
    const auto found = numbers.find(plan);
    return found == numbers.end() ? 0 : found->second;
  };
  Quotas::ByPlan quotas;
  for (const Plan plan : Quotas::kPlans) {
    quotas.at(static_cast<std::size_t>(plan)) = {of(bytes, plan), of(records, plan), of(requests, plan)};
  }
  return quotas;
}

}  // namespace syncline::app
