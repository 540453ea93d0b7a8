// The handlers of the Kiro routes, by file.
#pragma once

#include "api/kiro/routes.hpp"

namespace syncline::kiro {

/// What a handler works with.
struct Handlers {
  explicit Handlers(Face& face)
      : spaces(face.spaces_),
        access(face.access_),
        workers(face.workers_),
        views(face.views_),
        commands(face.commands_),
        outputs(face.outputs_) {}

  // state_routes.cpp
  void get_state(const api::CallPtr& call);
  void post_state(const api::CallPtr& call);
  void delete_conversation(const api::CallPtr& call);
  void delete_document(const api::CallPtr& call);
  // command_routes.cpp
  void submit(const api::CallPtr& call);
  void claim(const api::CallPtr& call);
  void get_command(const api::CallPtr& call);
  void patch_command(const api::CallPtr& call);
  void cancel_command(const api::CallPtr& call);
  void list_commands(const api::CallPtr& call);
  void read_output(const api::CallPtr& call);
  void append_output(const api::CallPtr& call);
  // approval_routes.cpp
  void ask_approval(const api::CallPtr& call);
  void answer_approval(const api::CallPtr& call);
  void list_approvals(const api::CallPtr& call);
  void forget_approval(const api::CallPtr& call);

  Spaces& spaces;
  Access& access;
  Executor& workers;
  ViewCache& views;
  CommandQueue& commands;
  Outputs& outputs;
};

/// Answers with Kiro's own words for what went wrong with a command.
void fail_command(const api::CallPtr& call, const Error& error);

[[nodiscard]] inline SpaceName space_of(const api::Call& call) { return call.space(kSpace); }

}  // namespace syncline::kiro
