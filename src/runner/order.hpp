// What a runner is told to do, and what became of it.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/json_object.hpp"
#include "core/command.hpp"

namespace syncline::runner {

/// A command as the hub hands it out. Everything in it is untrusted.
struct Order {
  std::string id;
  CommandType type = CommandType::execute_bash;
  JsonObject fields;

  [[nodiscard]] std::string text(std::string_view name) const { return fields.text_of(name); }
  /// What it is about, for people: the line, the path, the query; never a file's content.
  [[nodiscard]] std::string subject() const;
  /// The same for two orders only if they ask for exactly the same.
  [[nodiscard]] std::string fingerprint() const;
  [[nodiscard]] bool is_cancelled() const;
  /// Who asked, as the hub says: a key and its label. Empty if the hub does not say.
  [[nodiscard]] std::string submitter() const;
  /// The pattern for which somebody has approved this command, if it was held for approval.
  [[nodiscard]] std::optional<std::string> approved_pattern() const;
};

/// invalid_argument for an unknown type or a missing field, although the hub checks these too.
[[nodiscard]] Result<Order> make_order(std::string id, JsonObject fields);

/// How a command ended.
struct Outcome {
  CommandStatus status = CommandStatus::failed;
  std::string result;  // JSON object, empty for none
  std::string error;   // of a failure
  std::optional<int> exit_code;
};

[[nodiscard]] Outcome completed(std::string result);
/// With what there is of a result, if there is something.
[[nodiscard]] Outcome failed(std::string_view error, std::string result = {});

}  // namespace syncline::runner
