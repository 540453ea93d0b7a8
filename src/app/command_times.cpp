#include "app/command_times.hpp"

#include <optional>
#include <string_view>

#include "base/time.hpp"

namespace syncline::app {
namespace {

bool names_a_time(std::string_view member) { return member == "at" || member.ends_with("At"); }

std::optional<Timestamp> time_in_millis(JsonView value) {
  const auto millis = value.as_integer();
  const bool is_time = millis && *millis > 0 && *millis <= kClientTimeMax.millis();
  return is_time ? std::optional(Timestamp::from_millis(*millis)) : std::nullopt;
}

}  // namespace

std::string with_text_times(const JsonObject& command) {
  JsonObject shown = command;
  for (const JsonObject::Member& member : command.members()) {
    const JsonView value(member.value);
    if (member.name == "approval" && value.is_object()) {
      shown.set(member.name, with_text_times(JsonObject(value)));
    } else if (const auto time = names_a_time(member.name) ? time_in_millis(value) : std::nullopt) {
      shown.set_text(member.name, format_time(*time));
    }
  }
  return shown.to_text();
}

}  // namespace syncline::app
