// A JSON object taken apart into its members, to change some of them: every other value keeps its bytes.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/json.hpp"

namespace syncline {

class JsonObject {
 public:
  struct Member {
    std::string name;
    std::string value;  // JSON
  };

  JsonObject() = default;
  /// Members in order of appearance; of several with one name the last counts. `json` is a validated object.
  explicit JsonObject(JsonView json);

  [[nodiscard]] const std::vector<Member>& members() const { return members_; }
  /// Valid until the object changes.
  [[nodiscard]] std::optional<JsonView> find(std::string_view name) const;
  [[nodiscard]] std::string text_of(std::string_view name) const;
  [[nodiscard]] std::optional<std::int64_t> integer_of(std::string_view name) const;

  /// Replaces the member in its place, or appends it.
  void set(std::string_view name, std::string json);
  void set_text(std::string_view name, std::string_view text);
  void set_integer(std::string_view name, std::int64_t value);
  void erase(std::string_view name);

  [[nodiscard]] std::string to_text() const;

 private:
  [[nodiscard]] Member* find_member(std::string_view name);
  [[nodiscard]] const Member* find_member(std::string_view name) const;

  std::vector<Member> members_;
  std::unordered_map<std::string, std::size_t> places_;  // by name
};

/// Checks a whole text. Nothing if it is no JSON, or none that is an object of at most `depth_max` levels.
[[nodiscard]] std::optional<JsonObject> parse_json_object(std::string text, int depth_max);

}  // namespace syncline
