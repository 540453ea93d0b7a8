// The handlers of a node's own routes, by file, and what they share.
#pragma once

#include <span>

#include "api/router.hpp"
#include "node/node.hpp"

namespace syncline::local {

/// What a handler works with.
struct Handlers {
  node::Node& node;
  node::Profile& profile;
  Executor& blocking;

  /// Runs `work` on a thread that may wait for the hub, and answers 200 with the JSON it returns.
  void answer_later(const api::CallPtr& call, std::function<Result<std::string>()> work) const;

  /// Writes to a space, and answers with the JSON that `work` returns; 204 if that is empty.
  void answer_write(const api::CallPtr& call, const SpaceName& space, int status,
                    std::function<Result<std::string>(SpaceWriter&)> work) const;

  // cloud_sync_routes.cpp: Kaisho's published local API
  [[nodiscard]] std::vector<api::Route> cloud_sync_routes() const;
  // triage_routes.cpp: entries that came without a customer
  [[nodiscard]] std::vector<api::Route> triage_routes() const;
  // data_routes.cpp: inbox, tasks, notes, projects, customers
  [[nodiscard]] std::vector<api::Route> data_routes() const;
  // agent_sync_routes.cpp: Kernle's published sync API
  [[nodiscard]] std::vector<api::Route> agent_sync_routes() const;
  // memory_routes.cpp
  [[nodiscard]] std::vector<api::Route> memory_routes() const;
  // profile_routes.cpp: profiles, and how their sync is
  [[nodiscard]] std::vector<api::Route> profile_routes() const;
};

/// One line of a table of routes.
struct RouteLine {
  http::Method method;
  std::string_view pattern;
  std::string_view summary;
  void (*handle)(const Handlers&, const api::CallPtr&);
};
[[nodiscard]] std::vector<api::Route> make_routes(const Handlers& handlers, std::span<const RouteLine> lines);

/// A route of this folder.
[[nodiscard]] api::Route make_route(http::Method method, std::string_view pattern, std::string_view summary,
                                    std::function<void(const api::CallPtr&)> handle);

/// The status of one profile, as an object.
[[nodiscard]] Result<std::string> status_json(node::Node& node, node::Profile& profile);

/// What the profile's hub speaks, and what it cannot do for that reason: "dialect" and "limits".
void append_dialect(JsonWriter& writer, node::Profile& profile);

/// A time or null.
void append_time_or_null(JsonWriter& writer, std::string_view name, const std::optional<Timestamp>& time);

/// A text, or null if it is empty.
void append_text_or_null(JsonWriter& writer, std::string_view name, std::string_view text);

/// The body as an object, {} if there is none.
[[nodiscard]] Result<JsonView> body_or_empty(api::Call& call);

}  // namespace syncline::local
