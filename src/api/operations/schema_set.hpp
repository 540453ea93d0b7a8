// The JSON Schemas of some routes by name, and values that fit them, for documents and examples. Views of them are
// valid as long as the set.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "api/route.hpp"

namespace syncline::operations {

class SchemaSet {
 public:
  explicit SchemaSet(const std::vector<const api::Route*>& routes);

  using Texts = std::map<std::string, std::string, std::less<>>;

  /// By name those that a JSON text refers to, and those that these refer to. A node serves some routes of a face, and
  /// its document has their schemas alone.
  [[nodiscard]] Texts find_used_in(std::string_view json) const;

  /// `schema`, which is a name of this set or a JSON Schema itself, as a JSON Schema.
  [[nodiscard]] static std::string to_json(std::string_view schema);
  /// A JSON value that fits such a schema: its first example, or else one with the members that are required.
  [[nodiscard]] std::string make_example(std::string_view schema) const;

 private:
  [[nodiscard]] std::string make_value(JsonView schema, std::string_view name, int depth) const;
  [[nodiscard]] std::string make_object(JsonView schema, int depth) const;

  Texts all_;
};

}  // namespace syncline::operations
