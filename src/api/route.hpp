// One route of an API: how it is reached, who may use it, what carries it out, and the words and schemas that
// /openapi.json and /docs show. A value: the router copies it into its table.
#pragma once

#include <functional>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "api/call.hpp"
#include "base/limits.hpp"
#include "service/principal.hpp"

namespace syncline::api {

using Handler = std::function<void(const CallPtr&)>;

/// One possible answer, for the description. An error without a schema has that of the route's ErrorFormat.
struct Outcome {
  int status = 200;
  std::string_view meaning;
  std::string_view schema;  // of the body, see Route::schemas; empty: no body, or one that is not JSON
  std::string_view media_type = "application/json";
  std::string_view or_as;  // another media type, if the request asks for it; empty: there is none
};

struct Route {
  enum class Cost : std::uint8_t { quick, heavy };
  /// Most routes want the key in the header; a WebSocket's may come as its first message.
  enum class Key : std::uint8_t { in_header, may_follow };
  /// Which plans include the route, while plans are enforced.
  enum class Plan : std::uint8_t { with_sync, any };
  /// Which spaces the route touches. A key that is limited to spaces is let in by that, so it does not get into a route
  /// that says nothing.
  enum class Reach : std::uint8_t {
    account,    // all of them, or what says something about all
    one_space,  // the one of `space` and `space_param`: the router reaches it
    named,      // what the request names in its own way: the handler reaches each with Call::reach()
    no_space,
  };
  /// Whether a browser's cookie lets in, too. Of the published APIs, those routes alone that pages of the hub call:
  /// the others have clients of their own.
  enum class Cookie : std::uint8_t { never, accepted };

  http::Method method = http::Method::get;
  std::string_view pattern;  // "/v1/spaces/{space}/push"
  std::string_view face;
  /// A key needs one of these; empty: the route is open to everybody.
  ScopeSet any_of;
  Handler handle;
  const ErrorFormat* errors = &kProblemDetails;
  std::size_t body_bytes_max = limits::kBodyBytesDefault;
  Cost cost = Cost::quick;
  Key key = Key::in_header;
  Plan plan = Plan::with_sync;
  Cookie cookie = Cookie::never;
  Reach reach = Reach::account;
  std::string_view space;        // the name, or how it begins
  std::string_view space_param;  // the part of the path that it ends with; empty: none
  /// Where two published APIs share a path: this route is for requests that have one of these query parameters, and
  /// must be added before the other. Empty: for all requests.
  std::vector<std::string_view> only_with_query;

  // The description. Texts outlive the route: they are literals.
  std::string_view summary;
  std::string_view details;
  std::vector<Parameter> parameters;
  std::string_view request_body;         // what it holds; empty: none
  std::string_view request_body_schema;  // see `schemas`
  std::vector<Outcome> outcomes;
  /// The schemas of the face: one JSON object of JSON Schemas by name. A schema of the route is one of these names, or
  /// a JSON Schema itself; both refer to others as "#/components/schemas/NAME".
  std::string_view schemas;

  /// Whether a query parameter that the route does not declare is an error, for it is a slip. Published APIs pass over
  /// what they do not know, and so do their clients' requests here.
  [[nodiscard]] bool is_strict() const { return errors == &kProblemDetails && pattern.starts_with("/v1/"); }

  // Each of these changes one of the members above and returns the route, for a RouteBuilder's chain.

  Route& described(std::string_view text) { return set(details, text); }
  Route& query(std::string_view name, std::string_view text) { return parameter({name, "query", text}); }
  Route& header(std::string_view name, std::string_view text) { return parameter({name, "header", text}); }
  Route& parameter(const Parameter& of) {
    parameters.push_back(of);
    return *this;
  }
  Route& with_schemas(std::string_view text) { return set(schemas, text); }
  /// `text`: what a person must know of the body.
  Route& body(std::string_view text, std::string_view schema) {
    request_body_schema = schema;
    return set(request_body, text);
  }
  Route& body_at_most(std::size_t bytes) { return set(body_bytes_max, bytes); }
  Route& answers(int status, std::string_view meaning, std::string_view schema = {}) {
    outcomes.push_back({.status = status, .meaning = meaning, .schema = schema});
    return *this;
  }
  /// An answer that is not JSON.
  Route& answers_as(int status, std::string_view media_type, std::string_view meaning) {
    outcomes.push_back({.status = status, .meaning = meaning, .schema = {}, .media_type = media_type});
    return *this;
  }
  /// The answer that was added last also comes as this media type, if the request asks for it.
  Route& or_as(std::string_view media_type) {
    outcomes.back().or_as = media_type;
    return *this;
  }
  /// Runs on a worker thread, not on the thread of the connection.
  Route& heavy() { return set(cost, Cost::heavy); }
  /// Where the routes of a table are heavy: this one is not.
  Route& quick() { return set(cost, Cost::quick); }
  Route& key_may_follow() { return set(key, Key::may_follow); }
  Route& with_cookies() { return set(cookie, Cookie::accepted); }
  /// In the space of that name, whatever the request says.
  Route& in_space(std::string_view name) {
    space = name;
    return set(reach, Reach::one_space);
  }
  /// In the space that the path names as {param}, behind the prefix.
  Route& in_space_of_path(std::string_view param = "space", std::string_view prefix = {}) {
    space_param = param;
    return in_space(prefix);
  }
  /// In spaces that the handler reaches with Call::reach().
  Route& in_named_spaces() { return set(reach, Reach::named); }
  Route& outside_spaces() { return set(reach, Reach::no_space); }
  Route& in_any_plan() { return set(plan, Plan::any); }
  Route& only_with(std::vector<std::string_view> names) { return set(only_with_query, std::move(names)); }
  Route& errors_as(const ErrorFormat& format) { return set(errors, &format); }

 private:
  template <class T>
  Route& set(T& member, std::type_identity_t<T> value) {
    member = std::move(value);
    return *this;
  }
};

}  // namespace syncline::api
