// The handlers of the Kaisho routes, by file.
#pragma once

#include "api/kaisho/routes.hpp"
#include "wire/kaisho_rows.hpp"

namespace syncline::kaisho {

/// What a handler works with.
struct Handlers {
  explicit Handlers(Face& face) : spaces(face.spaces_), access(face.access_), quiet_ends(face.quiet_ends_) {}

  // sync_routes.cpp
  void get_changes(const api::CallPtr& call, const Resource& resource);
  void apply(const api::CallPtr& call, const Resource& resource);
  void acknowledge(const api::CallPtr& call, const Resource& resource);
  // timer_routes.cpp
  void get_active(const api::CallPtr& call);
  void start(const api::CallPtr& call);
  void stop(const api::CallPtr& call);
  // account_routes.cpp
  void push_snapshot(const api::CallPtr& call);
  void get_customers(const api::CallPtr& call);
  void get_tasks(const api::CallPtr& call);
  void get_config(const api::CallPtr& call);
  void patch_config(const api::CallPtr& call);
  void wipe(const api::CallPtr& call);
  void get_stats(const api::CallPtr& call);
  void get_status(const api::CallPtr& call);
  // clock_routes.cpp
  void get_clock(const api::CallPtr& call);
  void list_clocks(const api::CallPtr& call);
  void start_clock(const api::CallPtr& call);
  void stop_clock(const api::CallPtr& call);
  void book(const api::CallPtr& call);
  void change_clock(const api::CallPtr& call);
  void delete_clock(const api::CallPtr& call);
  // socket.cpp
  void open_socket(const api::CallPtr& call);

  Spaces& spaces;
  Access& access;
  QuietEnds& quiet_ends;
};

/// How far a key has pulled one resource, kept under this name; each resource has a cursor of its own.
[[nodiscard]] SpaceName pulled_of(const SpaceName& space, const Resource& resource);

[[nodiscard]] inline SpaceName space_of(const api::Call& call) { return call.space(kSpace); }

}  // namespace syncline::kaisho
