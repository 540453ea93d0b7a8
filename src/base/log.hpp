// Structured log: one JSON object a line on standard error, buffered, flushed each second and at once for warnings.
// Values given to it must hold no secrets; callers redact, the log does not guess.
#pragma once

#include <initializer_list>
#include <string_view>
#include <variant>

namespace syncline {

enum class LogLevel { debug, info, warning, error, off };

struct LogField {
  std::string_view name;
  std::variant<std::string_view, std::int64_t, double> value;
};

/// Chooses the lowest level that is written. Call once at start.
void set_log_level(LogLevel level);
[[nodiscard]] bool log_enabled(LogLevel level);

void log(LogLevel level, std::string_view event, std::initializer_list<LogField> fields = {});
void flush_log();

}  // namespace syncline
