// The one way in which a face writes its table of routes:
//
//   RouteBuilder routes(*this, "notes", kProblemDetails);
//   routes.get("/notes/{id}", Scope::read, "One note", &Face::get_note)
//       .header("If-None-Match", "304 if the note has that ETag")
//       .answers(200, "the note", kNoteSchema)
//       .answers(404, "unknown or deleted");
//   return routes.take();
//
// Routes match in any order; of two with the same method and pattern the first wins (see Route::only_with).
#pragma once

#include "api/route.hpp"

namespace syncline::api {

/// What does not depend on the face's type.
class RouteTable {
 public:
  RouteTable(std::string_view face, const ErrorFormat& errors) : face_(face), errors_(errors) {}

  /// The route is valid until the next one is added.
  Route& add(http::Method method, std::string_view pattern, ScopeSet any_of, std::string_view summary, Handler handle) {
    Route& route = routes_.emplace_back();
    route.method = method;
    route.pattern = pattern;
    route.face = face_;
    route.any_of = any_of;
    route.summary = summary;
    route.handle = std::move(handle);
    route.errors = &errors_;
    return route;
  }
  [[nodiscard]] std::vector<Route> take() { return std::move(routes_); }

 private:
  const std::string_view face_;
  const ErrorFormat& errors_;
  std::vector<Route> routes_;
};

/// Routes whose handlers are methods of one object, the face, which outlives them. `any_of` empty: open to everybody.
template <class Face>
class RouteBuilder {
 public:
  using Method = void (Face::*)(const CallPtr&);

  RouteBuilder(Face& face, std::string_view name, const ErrorFormat& errors) : face_(face), table_(name, errors) {}

  Route& get(std::string_view pattern, ScopeSet any_of, std::string_view summary, Method handle) {
    return add(http::Method::get, pattern, any_of, summary, handle);
  }
  Route& post(std::string_view pattern, ScopeSet any_of, std::string_view summary, Method handle) {
    return add(http::Method::post, pattern, any_of, summary, handle);
  }
  Route& put(std::string_view pattern, ScopeSet any_of, std::string_view summary, Method handle) {
    return add(http::Method::put, pattern, any_of, summary, handle);
  }
  Route& patch(std::string_view pattern, ScopeSet any_of, std::string_view summary, Method handle) {
    return add(http::Method::patch, pattern, any_of, summary, handle);
  }
  Route& del(std::string_view pattern, ScopeSet any_of, std::string_view summary, Method handle) {
    return add(http::Method::del, pattern, any_of, summary, handle);
  }
  [[nodiscard]] std::vector<Route> take() { return table_.take(); }

 private:
  Route& add(http::Method method, std::string_view pattern, ScopeSet any_of, std::string_view summary, Method handle) {
    return table_.add(method, pattern, any_of, summary,
                      [&face = face_, handle](const CallPtr& call) { (face.*handle)(call); });
  }

  Face& face_;
  RouteTable table_;
};

}  // namespace syncline::api
