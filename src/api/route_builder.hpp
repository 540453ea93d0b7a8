// The one way in which a face writes its table of routes:
//
//   RouteBuilder routes(*this, "notes", kProblemDetails);
//   routes.get("/notes/{id}", Scope::read, "One note", &Face::get_note)
//       .header("If-None-Match", "304 if the note has that ETag")
//       .answers(200, "the note", kNoteSchema)
//       .answers(404, "unknown or deleted");
//   return routes.take();
//
// Of several routes that fit a request the first one carries it out: "/notes/recent" stands before "/notes/{id}".
#pragma once

#include <tuple>

#include "api/route.hpp"

namespace syncline::api {

/// What does not depend on the face's type.
class RouteTable {
 public:
  RouteTable(std::string_view face, const ErrorFormat& errors) {
    all_.face = face;
    all_.errors = &errors;
  }

  [[nodiscard]] Route& all() { return all_; }
  Route& add(http::Method method, std::string_view pattern, ScopeSet any_of, std::string_view summary, Handler handle) {
    Route& route = routes_.emplace_back(all_);
    route.method = method;
    route.pattern = pattern;
    route.any_of = any_of;
    route.summary = summary;
    route.handle = std::move(handle);
    return route;
  }
  [[nodiscard]] std::vector<Route> take() { return std::move(routes_); }

 private:
  Route all_;
  std::vector<Route> routes_;
};

/// Routes whose handlers are methods of one object, the face, which outlives them. `any_of` empty: open to everybody.
/// The route that a word returns is valid until the next one is added.
template <class Face>
class RouteBuilder {
 public:
  /// `Of`: what the face wants to be told beside the call, where several routes share a method. What it takes by
  /// reference outlives the routes.
  template <class... Of>
  using Method = void (Face::*)(const CallPtr&, Of...);

  RouteBuilder(Face& face, std::string_view name, const ErrorFormat& errors) : face_(face), table_(name, errors) {}

  /// What every route that is added from now on begins with.
  [[nodiscard]] Route& all() { return table_.all(); }

  template <class... Of>
  Route& get(std::string_view pattern, ScopeSet any_of, std::string_view summary, Method<Of...> handle,
             std::type_identity_t<Of>... of) {
    return table_.add(http::Method::get, pattern, any_of, summary, bind<Of...>(handle, of...));
  }
  template <class... Of>
  Route& post(std::string_view pattern, ScopeSet any_of, std::string_view summary, Method<Of...> handle,
              std::type_identity_t<Of>... of) {
    return table_.add(http::Method::post, pattern, any_of, summary, bind<Of...>(handle, of...));
  }
  template <class... Of>
  Route& put(std::string_view pattern, ScopeSet any_of, std::string_view summary, Method<Of...> handle,
             std::type_identity_t<Of>... of) {
    return table_.add(http::Method::put, pattern, any_of, summary, bind<Of...>(handle, of...));
  }
  template <class... Of>
  Route& patch(std::string_view pattern, ScopeSet any_of, std::string_view summary, Method<Of...> handle,
               std::type_identity_t<Of>... of) {
    return table_.add(http::Method::patch, pattern, any_of, summary, bind<Of...>(handle, of...));
  }
  template <class... Of>
  Route& del(std::string_view pattern, ScopeSet any_of, std::string_view summary, Method<Of...> handle,
             std::type_identity_t<Of>... of) {
    return table_.add(http::Method::del, pattern, any_of, summary, bind<Of...>(handle, of...));
  }
  [[nodiscard]] std::vector<Route> take() { return table_.take(); }

 private:
  template <class... Of>
  [[nodiscard]] Handler bind(Method<Of...> handle, Of... of) {
    return [&face = face_, handle, of = std::tuple<Of...>(of...)](const CallPtr& call) {
      std::apply([&](const Of&... each) { (face.*handle)(call, each...); }, of);
    };
  }

  Face& face_;
  RouteTable table_;
};

}  // namespace syncline::api
