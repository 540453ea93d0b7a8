// A node's own routes for one profile, and what their handlers share.
#pragma once

#include "api/face.hpp"
#include "api/route_builder.hpp"
#include "node/node.hpp"

namespace syncline::local {

/// Whoever gets here is the owner of the device and has every scope. Errors are Kaisho's, those of the agents' sync are
/// Kernle's. What changes a space goes to the hub from the outbox, later (src/replica/).
class ProfileFace final : public api::Face {
 public:
  /// `blocking`: threads for what waits for a hub.
  ProfileFace(node::Node& node, node::Profile& profile, Executor& blocking)
      : node_(node), profile_(profile), blocking_(blocking) {}

  [[nodiscard]] std::vector<api::Route> make_routes() override;

 private:
  using Routes = api::RouteBuilder<ProfileFace>;

  // profile_routes.cpp: profiles, and how their sync is
  void add_profile_routes(Routes& routes);
  void list_profiles(const api::CallPtr& call);
  void add_profile(const api::CallPtr& call);
  void use_profile(const api::CallPtr& call);
  void remove_profile(const api::CallPtr& call);
  void accept_clock(const api::CallPtr& call);

  // cloud_sync_routes.cpp: Kaisho's published local API
  void add_cloud_sync_routes(Routes& routes);
  void get_cloud_status(const api::CallPtr& call);
  void connect(const api::CallPtr& call);
  void disconnect(const api::CallPtr& call);
  void get_ai_usage(const api::CallPtr& call);
  void sync_now(const api::CallPtr& call);
  void use_models(const api::CallPtr& call);
  void get_cloud_timer(const api::CallPtr& call);
  void stop_cloud_timer(const api::CallPtr& call);

  // triage_routes.cpp: entries that came without a customer
  void add_triage_routes(Routes& routes);
  void list_waiting(const api::CallPtr& call);
  void assign_customers(const api::CallPtr& call);

  // data_routes.cpp: inbox, tasks, notes, projects, customers
  void add_data_routes(Routes& routes);
  void list_rows(const api::CallPtr& call, std::string_view collection);
  void create_row(const api::CallPtr& call, std::string_view collection);
  void show_row(const api::CallPtr& call, std::string_view collection);
  void change_row(const api::CallPtr& call, std::string_view collection);
  void delete_row(const api::CallPtr& call, std::string_view collection);
  void list_customers(const api::CallPtr& call);
  void create_customer(const api::CallPtr& call);
  void change_customer(const api::CallPtr& call);
  void delete_customer(const api::CallPtr& call);

  // agent_sync_routes.cpp: Kernle's published sync API
  void add_agent_sync_routes(Routes& routes);
  void get_agent_status(const api::CallPtr& call);
  void push_agent(const api::CallPtr& call);
  void pull_agent(const api::CallPtr& call);
  void sync_agent(const api::CallPtr& call);
  void list_dead_letters(const api::CallPtr& call);
  void retry_dead_letters(const api::CallPtr& call);

  // memory_routes.cpp: the memories of an agent, one by one
  void add_memory_routes(Routes& routes);
  void search_memories(const api::CallPtr& call);
  void list_memories(const api::CallPtr& call);
  void create_memory(const api::CallPtr& call);
  void show_memory(const api::CallPtr& call);
  void change_memory(const api::CallPtr& call);
  void forget_memory(const api::CallPtr& call);

  /// Runs `work` on a thread that may wait for the hub, and answers 200 with the JSON it returns.
  void answer_later(const api::CallPtr& call, std::move_only_function<Result<std::string>()> work);
  /// Writes to a space, and answers with the JSON that `work` returns; 204 if that is empty.
  void answer_write(const api::CallPtr& call, const SpaceName& space, int status,
                    std::move_only_function<Result<std::string>(SpaceWriter&)> work);

  node::Node& node_;
  node::Profile& profile_;
  Executor& blocking_;
  const ScopeSet owner_{Scope::read, Scope::write};
};

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
