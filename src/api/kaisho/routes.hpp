// The Kaisho face: the cloud that Kaisho desktops and phones sync with. docs/api/kaisho.md says what it answers.
#pragma once

#include "api/face.hpp"
#include "api/kaisho/quiet_ends.hpp"
#include "api/kaisho/space.hpp"
#include "api/route_builder.hpp"

namespace syncline::kaisho {

/// The media type of an export.
inline constexpr std::string_view kCsv = "text/csv; charset=utf-8";

/// The rule book of `spaces` has make_space_rules() for kSpace. Whatever changes rows is announced to the sockets of
/// the account; the routes' words say the rest.
class Face final : public api::Face {
 public:
  Face(Spaces& spaces, Access& access) : spaces_(spaces), access_(access) {}

  [[nodiscard]] std::vector<api::Route> make_routes() override;

 private:
  using Routes = api::RouteBuilder<Face>;

  // sync_routes.cpp
  void add_sync_routes(Routes& routes);
  void get_changes(const api::CallPtr& call, const Resource& resource);
  void apply(const api::CallPtr& call, const Resource& resource);
  void acknowledge(const api::CallPtr& call, const Resource& resource);
  // timer_routes.cpp
  void add_timer_routes(Routes& routes);
  void get_active(const api::CallPtr& call);
  void start_active(const api::CallPtr& call);
  void stop_active(const api::CallPtr& call);
  // account_routes.cpp
  void add_account_routes(Routes& routes);
  void push_snapshot(const api::CallPtr& call);
  void get_customers(const api::CallPtr& call);
  void get_tasks(const api::CallPtr& call);
  void get_config(const api::CallPtr& call);
  void patch_config(const api::CallPtr& call);
  void wipe(const api::CallPtr& call);
  void get_stats(const api::CallPtr& call);
  void get_status(const api::CallPtr& call);
  // clock_routes.cpp
  void add_clock_routes(Routes& routes);
  void get_clock(const api::CallPtr& call);
  void start_clock(const api::CallPtr& call);
  void stop_clock(const api::CallPtr& call);
  void book(const api::CallPtr& call);
  void change_clock(const api::CallPtr& call);
  void delete_clock(const api::CallPtr& call);
  // clock_lists.cpp
  void add_clock_list_routes(Routes& routes);
  void list_clocks(const api::CallPtr& call);
  void sum_days(const api::CallPtr& call);
  // socket.cpp
  void open_socket(const api::CallPtr& call);

  [[nodiscard]] static SpaceName space_of(const api::Call& call) { return call.space(); }
  /// How far a key has pulled one resource, kept under this name; each resource has a cursor of its own.
  [[nodiscard]] static SpaceName pulled_of(const SpaceName& space, const Resource& resource);

  Spaces& spaces_;
  Access& access_;
  QuietEnds quiet_ends_;
};

[[nodiscard]] api::FaceModule make_module();

}  // namespace syncline::kaisho
