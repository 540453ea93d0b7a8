// A remote command: its six types, and its life: pending -> processing -> completed | failed, forward only.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>

namespace syncline {

enum class CommandType : std::uint8_t {
  execute_bash,
  read_file,
  write_file,
  list_directory,
  aws_operation,
  code_search
};
inline constexpr std::array<std::string_view, 6> kCommandTypeNames = {"execute_bash",   "read_file",     "write_file",
                                                                      "list_directory", "aws_operation", "code_search"};

[[nodiscard]] constexpr std::string_view to_text(CommandType type) {
  return kCommandTypeNames[static_cast<std::size_t>(type)];
}

[[nodiscard]] constexpr std::optional<CommandType> command_type_from_text(std::string_view text) {
  for (std::size_t i = 0; i < kCommandTypeNames.size(); ++i) {
    if (kCommandTypeNames[i] == text) return static_cast<CommandType>(i);
  }
  return std::nullopt;
}

/// True for what may run twice without harm: it only reads.
[[nodiscard]] constexpr bool is_safe_to_repeat(CommandType type) {
  return type == CommandType::read_file || type == CommandType::list_directory || type == CommandType::code_search;
}

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
