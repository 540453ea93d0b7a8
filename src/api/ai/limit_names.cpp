#include "api/ai/limit_names.hpp"

#include <algorithm>
#include <array>

#include "base/text.hpp"

namespace syncline::ai {
namespace {

constexpr std::string_view kOld = "max_tokens";
constexpr std::string_view kNew = "max_completion_tokens";

bool is_translatable(std::string_view name) { return name == kOld || name == kNew; }

/// Servers agree on no code for this, but they all name the parameter. One that finds the value too large says so in
/// other words.
bool refuses(const http::ClientResponse& answer, std::string_view name) {
  constexpr auto kWords = std::to_array<std::string_view>(
      {"unsupported", "not supported", "unrecognized", "unknown", "unexpected", "not permitted", "not allowed"});
  if (answer.status != 400 && answer.status != 422) return false;
  if (answer.body.find(name) == std::string::npos) return false;
  const std::string text = lower_case(answer.body);
  return std::ranges::any_of(kWords, [&](std::string_view word) { return text.find(word) != std::string::npos; });
}

}  // namespace

std::string LimitNames::name_for(const std::string& model, const std::string& spelt) const {
  if (!is_translatable(spelt)) return spelt;
  if (!fixed_.empty()) return fixed_;
  const MutexLock lock(mutex_);
  const auto found = known_.find(model);
  return found == known_.end() ? spelt : found->second;
}

std::optional<std::string> LimitNames::other_name(const Result<http::ClientResponse>& answer,
                                                  const std::string& name) const {
  if (!fixed_.empty() || !is_translatable(name) || !answer || !refuses(*answer, name)) return std::nullopt;
  return std::string(name == kOld ? kNew : kOld);
}

void LimitNames::remember(const std::string& model, const std::string& name) {
  const MutexLock lock(mutex_);
  known_[model] = name;
}

}  // namespace syncline::ai
