// Which name a model has for the parameter that limits an answer: older ones take max_tokens, newer ones only
// max_completion_tokens, and no list says which. The gateway tries one, and remembers what an upstream refused for as
// long as the hub runs. For any thread.
#pragma once

#include <map>

#include "base/mutex.hpp"
#include "http/client.hpp"

namespace syncline::ai {

class LimitNames {
 public:
  /// `fixed`: the only name to use; empty: found out for each model.
  explicit LimitNames(std::string fixed) : fixed_(std::move(fixed)) {}

  /// The name to try first; `spelt` is what the client calls it.
  [[nodiscard]] std::string name_for(const std::string& model, const std::string& spelt) const;
  /// What to try after `answer` to a request that used `name`; nothing if the answer is no refusal of that name.
  [[nodiscard]] std::optional<std::string> other_name(const Result<http::ClientResponse>& answer,
                                                      const std::string& name) const;
  void remember(const std::string& model, const std::string& name);

 private:
  const std::string fixed_;
  mutable Mutex mutex_;
  std::map<std::string, std::string> known_ GUARDED_BY(mutex_);  // only of models that are offered
};

}  // namespace syncline::ai
