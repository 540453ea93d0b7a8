#include "api/kiro/state_form.hpp"

#include "api/kiro/space.hpp"
#include "base/limits.hpp"
#include "core/record.hpp"

namespace syncline::kiro {
namespace {

/// Milliseconds between the years 1 and 9999: what a stamp can hold.
constexpr double kMillisMax = 253'402'300'799'999.0;

std::unexpected<Error> refuse(std::string where, std::string_view what) {
  return fail(ErrorCode::invalid_argument, "field '" + std::move(where) + "' " + std::string(what));
}

Result<> check_timestamp(JsonView object, const std::string& where) {
  const auto timestamp = object.find("timestamp");
  if (!timestamp) return refuse(where + ".timestamp", "is missing");
  const auto millis = timestamp->as_number();
  if (!millis || *millis < 0 || *millis > kMillisMax) {
    return refuse(where + ".timestamp", "must be a time in Unix milliseconds");
  }
  return {};
}

Result<> check_message(JsonView message, const std::string& where) {
  if (!message.is_object()) return refuse(where, "must be an object");
  const auto role = message.find("role");
  if (!role) return refuse(where + ".role", "is missing");
  if (!role->is_string()) return refuse(where + ".role", "must be a string");
  if (!message.find("content")) return refuse(where + ".content", "is missing");
  return check_timestamp(message, where);
}

Result<> check_document(JsonView document, const std::string& where) {
  if (!document.is_object()) return refuse(where, "must be an object");
  if (!document.find("content")) return refuse(where + ".content", "is missing");
  CHECK_OK(check_timestamp(document, where));
  if (stamp_of(document) > kStampMax) return refuse(where + ".timestamp", "must be before the year 9998");
  if (document.depth() > limits::kDocumentDepthMax) return refuse(where, "is nested too deep");
  return {};
}

/// Calls check(id, value, where) for each member of a part and returns the first fault.
template <typename Check>
Result<> check_part(JsonView state, std::string_view part, Check&& check) {
  const auto map = state.find(part);
  if (!map) return {};
  if (!map->is_object()) return refuse(std::string(part), "must be an object");
  Result<> fault;
  map->for_each_member([&](std::string_view id, JsonView value) {
    if (!fault) return;
    const std::string where = std::string(part) + '.' + std::string(id.substr(0, 80));
    if (const auto good = check_record_id(id); !good) {
      fault = refuse(where, "has a bad id: " + good.error().text);
    } else {
      fault = check(value, where);
    }
  });
  return fault;
}

Result<> check_messages(JsonView messages, const std::string& where) {
  if (!messages.is_array()) return refuse(where, "must be an array");
  Result<> fault;
  std::size_t index = 0;
  messages.for_each_element([&](JsonView message) {
    const std::string place = where + '[' + std::to_string(index++) + ']';
    if (fault) fault = check_message(message, place);
    if (fault && message.depth() >= limits::kDocumentDepthMax) fault = refuse(place, "is nested too deep");
  });
  return fault;
}

}  // namespace

Result<> check_state(JsonView state) {
  if (const auto last_update = state.find("lastUpdate"); last_update && !last_update->as_number()) {
    return refuse("lastUpdate", "must be a number");
  }
  CHECK_OK(check_part(state, "conversations", check_messages));
  CHECK_OK(check_part(state, "documents", check_document));
  return check_part(state, "commands", [](JsonView command, const std::string& where) -> Result<> {
    if (!command.is_object()) return refuse(where, "must be an object");
    return {};
  });
}

}  // namespace syncline::kiro
