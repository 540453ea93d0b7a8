// What a document of /openapi says of an application's routes, to hold real requests and answers against it. Knows the
// part of JSON Schema that the document uses, and finds fault with every other keyword. Never changes once made.
#pragma once

#include <memory>
#include <set>

#include "support/in_process.hpp"

namespace syncline::test {

class PublishedApi {
 public:
  /// `document`: the text of /openapi.json. Equal texts share one object.
  [[nodiscard]] static std::shared_ptr<const PublishedApi> read(const std::string& document);
  explicit PublishedApi(std::string document);

  /// What the document does not say of this answer: its status, its media type, a member that has no schema. Of the
  /// request's body: what a request that succeeded has other than its schema, or without one. Nothing for paths that
  /// the document does not list.
  [[nodiscard]] std::vector<std::string> faults(const RequestSpec& request, const Answer& answer) const;

  /// What the body of the request has other than its schema.
  [[nodiscard]] std::vector<std::string> faults_of_body(const RequestSpec& request) const;

  /// Members that an object of the document has twice, for which strict readers of JSON reject it.
  [[nodiscard]] std::vector<std::string> repeated_members() const;

  /// Method and path of each operation, as "get /health".
  [[nodiscard]] std::set<std::string> operations() const;

  /// Keywords that this class does not know, references to schemas that do not exist, and statuses that a route has
  /// twice.
  [[nodiscard]] std::vector<std::string> faults_of_schemas() const;

 private:
  struct Operation {
    std::vector<std::string> segments;
    std::string method;
    JsonView description;
  };
  using Faults = std::vector<std::string>;
  /// Of what a program sends, members beyond the schema are welcome; what it is answered is described in full.
  enum class Unknown { allowed, fault };

  [[nodiscard]] const Operation* find(const RequestSpec& request) const;
  void check(JsonView schema, JsonView value, const std::string& where, Unknown unknown, Faults& faults) const;
  void check_object(JsonView schema, JsonView value, const std::string& where, Unknown unknown, Faults& faults) const;
  void check_array(JsonView schema, JsonView value, const std::string& where, Unknown unknown, Faults& faults) const;
  void check_schema(JsonView schema, const std::string& where, Faults& faults) const;
  [[nodiscard]] const JsonView* find_schema(JsonView reference) const;

  const std::string text_;
  std::map<std::string, JsonView, std::less<>> schemas_;
  std::vector<Operation> operations_;
};

}  // namespace syncline::test
