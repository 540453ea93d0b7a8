// Kiro sync: the published API of conversations, documents and remote commands. docs/api/kiro.md is its contract.
#pragma once

#include "api/face.hpp"
#include "api/kiro/command_queue.hpp"
#include "api/kiro/output.hpp"
#include "api/kiro/runners.hpp"
#include "api/kiro/view_cache.hpp"

namespace syncline::kiro {

/// The face's own parts. The rule book of `spaces` has make_space_rules() for kSpace.
class Face final : public api::Face {
 public:
  Face(Spaces& spaces, Directory& directory, Access& access, Executor& workers, CommandTimes times,
       std::int64_t keep_days);

  [[nodiscard]] std::vector<api::Route> make_routes() override;
  [[nodiscard]] Result<> start() override { return commands_.adopt_open(); }
  void each_second() override {
    commands_.expire_leases();
    commands_.expire_commands();
  }
  [[nodiscard]] Result<> each_hour() override { return commands_.purge(keep_days_); }

 private:
  // Requests that are answered in several steps.
  struct StateRequest;
  struct Upload;
  struct UploadStep;
  struct CommandRequest;
  struct ClaimRequest;

  // state_routes.cpp
  void get_state(const api::CallPtr& call);
  void answer_state(const std::shared_ptr<StateRequest>& request);
  [[nodiscard]] std::optional<http::Response> look(StateRequest& request, StateView& view);
  void post_state(const api::CallPtr& call);
  void prepare_upload(const std::shared_ptr<Upload>& upload);
  void write_upload(const std::shared_ptr<Upload>& upload);
  void go_on_with_upload(const std::shared_ptr<Upload>& upload, Seq head);
  [[nodiscard]] Result<UploadStep> apply_upload(Upload& upload, SpaceWriter& writer);
  void answer_upload(const Upload& upload);
  void delete_conversation(const api::CallPtr& call);
  void delete_document(const api::CallPtr& call);
  // command_routes.cpp
  void submit(const api::CallPtr& call);
  void claim(const api::CallPtr& call);
  void try_claim(const std::shared_ptr<ClaimRequest>& request);
  void wait_for_command(const std::shared_ptr<ClaimRequest>& request, Seq head);
  void get_command(const api::CallPtr& call);
  void answer_command(const std::shared_ptr<CommandRequest>& request);
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
  /// In the audit log.
  void note_answer(const api::Call& call, std::string_view action, const std::string& target, const std::string& detail,
                   bool succeeded);

  /// A runner was heard of: it counts as connected for so long.
  void note_runner(const api::Call& call, std::int64_t for_ms);
  [[nodiscard]] static SpaceName space_of(const api::Call& call) { return call.space(); }
  /// Answers with Kiro's own words for what went wrong with a command.
  static void fail_command(const api::CallPtr& call, const Error& error);

  Spaces& spaces_;
  Access& access_;
  Executor& workers_;
  ViewCache views_;
  CommandQueue commands_;
  Outputs outputs_;
  Runners runners_;
  const std::int64_t keep_days_;
};

/// `keep_days`: how long finished commands are kept.
[[nodiscard]] api::FaceModule make_module(CommandTimes times, std::int64_t keep_days);

}  // namespace syncline::kiro
