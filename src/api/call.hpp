// One authorised request on its way through a handler. Shared, because the answer may come later from another thread;
// it is answered exactly once, with respond() or fail().
#pragma once

#include "api/problem.hpp"
#include "base/json.hpp"
#include "base/time.hpp"
#include "service/access.hpp"

namespace syncline::api {

/// A body whose parts are judged one by one, so that one bad part never blocks the others.
struct JsonParts {
  JsonView json;  // an object
  /// Something in it cannot be stored: each part is then checked alone.
  bool is_doubtful = false;
};

/// One query parameter or header of a route.
struct Parameter {
  std::string_view name;
  std::string_view in;  // "query" or "header"
  std::string_view description;
  std::string_view type = "string";  // of JSON Schema
};

class Call {
 public:
  /// `errors`: how this call says them; outlives it.
  Call(const http::RequestHead& head, const ErrorFormat& errors) : head_(head), errors_(errors) {}

  [[nodiscard]] const http::RequestHead& head() const { return head_; }
  [[nodiscard]] std::string_view header(std::string_view name) const { return head_.headers->find(name); }
  [[nodiscard]] std::string_view path() const;
  /// A {name} of the route's pattern, decoded.
  [[nodiscard]] const std::string& param(std::string_view name) const;
  /// A query parameter, decoded. Nothing if it is absent, or if the route does not declare it: what /openapi.json does
  /// not list, no handler reads.
  [[nodiscard]] std::optional<std::string> query(std::string_view name) const;
  /// A whole number of the query, lowered to `max`; `missing` if it is absent. Fails below `min` and for other text.
  [[nodiscard]] Result<std::int64_t> query_integer(std::string_view name, std::int64_t min, std::int64_t max,
                                                   std::int64_t missing) const;
  [[nodiscard]] const Principal& principal() const { return *principal_; }
  [[nodiscard]] const std::shared_ptr<const Principal>& shared_principal() const { return principal_; }
  /// The space that was reached last: the route's, or the handler's.
  [[nodiscard]] const SpaceName& space() const;
  /// Whether that one belongs to another account.
  [[nodiscard]] bool is_guest() const { return !reached_.empty() && space().account != principal_->account; }
  /// The space of that name, if the key may use it as the route does: the errors of Access::reach(). One that a handler
  /// works in while it waits is checked again with the key: see fail_unless_valid().
  [[nodiscard]] Result<SpaceName> reach(std::string_view name);

  [[nodiscard]] std::string& body() { return body_; }
  /// The body as a JSON object of at most kBodyDepthMax levels, without unsupported values. Lone surrogates, which some
  /// programs write, are replaced. Documents of /v1 are checked where they are read: they are refused instead.
  [[nodiscard]] Result<JsonView> json_object();
  /// The same for clients that send all they have: NaN and infinities, which Python's encoder writes, become null.
  /// Values that cannot be stored are left to check_part().
  [[nodiscard]] Result<JsonParts> json_parts();

  void respond(http::Response response);
  void respond_json(int status, std::string body) {
    respond(http::make_text(status, "application/json", std::move(body)));
  }
  /// 204: done, and there is nothing to say.
  void respond_empty() {
    http::Response response;
    response.status = 204;
    respond(std::move(response));
  }
  void fail(const Problem& problem);
  void fail(const Error& error) { fail(problem_of(error)); }

  /// After a wait: answers and returns true unless the key still stands, with a scope of the route and for the spaces
  /// that were reached: 401 if it was revoked meanwhile, 403 if it has lost a right, the error if that cannot be found
  /// out.
  [[nodiscard]] bool fail_unless_valid();

  /// The names of the request's query parameters that the route does not declare, decoded.
  [[nodiscard]] std::vector<std::string> undeclared_parameters() const;

  // for the router
  /// `declared` outlives the call.
  void set_query_parameters(const std::vector<Parameter>& declared) { declared_ = &declared; }
  void set_params(std::vector<std::pair<std::string_view, std::string>> params) { params_ = std::move(params); }
  /// `any_of`: the scopes of the route.
  void set_principal(std::shared_ptr<const Principal> principal, Access& access, ScopeSet any_of) {
    principal_ = std::move(principal);
    access_ = &access;
    any_of_ = any_of;
  }
  void add_header(http::Header header) { extra_headers_.push_back(std::move(header)); }
  void start(std::string body, http::Responder respond);
  /// The response as it will be sent: with the headers that every answer of this call carries.
  [[nodiscard]] http::Response finish(http::Response response) const;
  [[nodiscard]] http::Response problem_response(const Problem& problem) const;

 private:
  [[nodiscard]] Access::Use use() const { return any_of_.has(Scope::read) ? Access::Use::read : Access::Use::write; }

  [[nodiscard]] bool declares(std::string_view parameter) const;

  const http::RequestHead head_;
  const ErrorFormat& errors_;
  std::vector<std::pair<std::string_view, std::string>> params_;
  std::shared_ptr<const Principal> principal_;
  const std::vector<Parameter>* declared_ = nullptr;
  Access* access_ = nullptr;
  ScopeSet any_of_;
  std::vector<SpaceName> reached_;
  std::string body_;
  std::vector<http::Header> extra_headers_;
  std::optional<http::Responder> responder_;
};

using CallPtr = std::shared_ptr<Call>;

/// Like TRY, in a handler: answers the call with the error and returns.
#define TRY_CALL(call, declaration, expression) \
  TRY_CALL_INNER(SYNCLINE_CONCAT(try_call_, __LINE__), call, declaration, expression)
#define TRY_CALL_INNER(name, call, declaration, expression) \
  auto name = (expression);                                 \
  if (!name) return (call)->fail(name.error());             \
  declaration = *std::move(name)

/// Like CHECK_OK, in a handler.
#define CHECK_CALL(call, expression) CHECK_CALL_INNER(SYNCLINE_CONCAT(check_call_, __LINE__), call, expression)
#define CHECK_CALL_INNER(name, call, expression)  \
  do {                                            \
    auto name = (expression);                     \
    if (!name) return (call)->fail(name.error()); \
  } while (false)

/// 401 with its challenge, as RFC 6750 words it.
[[nodiscard]] Problem unauthorized(std::string_view detail, bool had_token);

/// check_json to the depth of a body, with lone surrogates replaced, and NaN and infinities by null: some programs
/// write them.
[[nodiscard]] JsonCheck check_repaired_json(std::string& text);

/// invalid_document if a part of JsonParts is nested deeper than `depth_max`, or has a value that cannot be stored.
[[nodiscard]] Result<> check_part(JsonView part, int depth_max, bool is_doubtful);

/// What check_json found, as the answer to the whole request. `none` is not an error.
[[nodiscard]] Result<> error_of(const JsonCheck& check);

}  // namespace syncline::api
