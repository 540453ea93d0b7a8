#include "replica/dialect.hpp"

#include "service/principal.hpp"

namespace syncline::replica {
namespace {

constexpr std::int64_t kAnswerMs = 15'000;

}  // namespace

Result<http::ClientResponse> Inquiry::ask(http::Method method, std::string_view target) const {
  return client.send({method, std::string(target), "", {}, kAnswerMs}, stop);
}

bool plan_includes_sync(std::string_view plan) {
  const auto parsed = parse_plan(plan);
  return parsed && *parsed != Plan::free;
}

}  // namespace syncline::replica
