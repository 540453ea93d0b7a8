// The native API, /v1: small, exact, fast. docs/api/native.md is its contract.
#pragma once

#include "api/face.hpp"

namespace syncline::native {

/// A key reads and writes the spaces that it reaches (service/space_access.cpp). routes.cpp says what each route needs
/// and answers; what changes a space also tells its watchers (service/live.hpp).
class Face final : public api::Face {
 public:
  /// `shares`: null where there is one account.
  Face(Spaces& spaces, Access& access, Shares* shares = nullptr) : spaces_(spaces), access_(access), shares_(shares) {}

  [[nodiscard]] std::vector<api::Route> make_routes() override;

 private:
  // push.cpp
  void push(const api::CallPtr& call);
  // changes.cpp
  void get_changes(const api::CallPtr& call);
  void list_spaces(const api::CallPtr& call);
  /// The spaces of others that the guest may use.
  [[nodiscard]] Result<> append_shared(JsonWriter& writer, const Principal& guest);
  void list_collections(const api::CallPtr& call);
  void list_records(const api::CallPtr& call);
  // records.cpp
  void get_record(const api::CallPtr& call);
  void put_record(const api::CallPtr& call);
  void delete_record(const api::CallPtr& call);
  void get_history(const api::CallPtr& call);
  // conflicts.cpp
  void list_conflicts(const api::CallPtr& call);
  void decide_conflict(const api::CallPtr& call);
  // live_socket.cpp
  void open_live(const api::CallPtr& call);
  // event_stream.cpp
  void open_events(const api::CallPtr& call);
  // routes.cpp
  void get_me(const api::CallPtr& call);
  void get_time(const api::CallPtr& call);

  Spaces& spaces_;
  Access& access_;
  Shares* const shares_;
};

[[nodiscard]] api::FaceModule make_module();

}  // namespace syncline::native
