// A remote command's life: pending -> processing -> completed | failed, forward only (wire: docs/api/kiro.md).
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace syncline {

enum class CommandStatus : std::uint8_t { pending, processing, completed, failed };

[[nodiscard]] constexpr std::string_view to_text(CommandStatus status) {
  switch (status) {
    case CommandStatus::pending: return "pending";
    case CommandStatus::processing: return "processing";
    case CommandStatus::completed: return "completed";
    case CommandStatus::failed: return "failed";
  }
  return "failed";
}

[[nodiscard]] constexpr std::optional<CommandStatus> command_status_from_text(std::string_view text) {
  if (text == "pending") return CommandStatus::pending;
  if (text == "processing") return CommandStatus::processing;
  if (text == "completed") return CommandStatus::completed;
  if (text == "failed") return CommandStatus::failed;
  return std::nullopt;
}

[[nodiscard]] constexpr bool is_terminal(CommandStatus status) {
  return status == CommandStatus::completed || status == CommandStatus::failed;
}

/// True for each step that a runner may take. `pending -> failed` refuses a command without running it.
[[nodiscard]] constexpr bool may_move(CommandStatus from, CommandStatus to) {
  if (from == CommandStatus::pending) return to == CommandStatus::processing || to == CommandStatus::failed;
  return from == CommandStatus::processing && is_terminal(to);
}

}  // namespace syncline
