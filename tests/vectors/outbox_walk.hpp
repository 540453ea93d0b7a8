// One walk of a device that exchanges a space with a real hub: edits, pulls, pushes, lost answers, errors, restarts of
// both, and a hub that goes back. Each event of the device is a line, with the request that it makes and what it
// stores.
#pragma once

#include <set>

#include "replica/space_replica.hpp"
#include "sim/random.hpp"
#include "vectors/hub_of_walk.hpp"
#include "vectors/vector_file.hpp"

namespace syncline::vectors {

[[nodiscard]] inline bool is_push(const http::ClientRequest& request) { return request.method == http::Method::post; }

class OutboxWalk {
 public:
  OutboxWalk(std::uint64_t seed, VectorFile& file);

  void run();

 private:
  /// A request that waits for its answer; the ticket is that of its step.
  struct Pending {
    std::int64_t ticket = 0;
    http::ClientRequest request;
  };
  using Response = Result<http::ClientResponse>;

  void take_event();
  /// Something that the device learns of only by asking.
  void trouble_hub();

  void start();
  void edit();
  void next();
  void finish();
  void note_head();
  void change_link();

  // outbox_answers.cpp
  /// How the exchange ends that was begun last.
  [[nodiscard]] Response draw_response(const http::ClientRequest& request);
  void cover_response(const http::ClientRequest& request, const Response& response);

  /// Ends the line of an event.
  void end_line(JsonWriter& writer, std::string& line);
  [[nodiscard]] Observed::Members observe();
  [[nodiscard]] Result<> observe_records(Snapshot& snapshot, Observed::Members& members);
  [[nodiscard]] bool may_restart();
  [[nodiscard]] bool waits(const std::string& id);
  [[nodiscard]] std::string pick_id();
  [[nodiscard]] std::optional<Record> find(const std::string& id);
  [[nodiscard]] replica::SpaceState read_state();
  [[nodiscard]] std::uint32_t draw_number() { return static_cast<std::uint32_t>(random_.next()); }
  void advance_ms(std::int64_t delta);

  VectorFile& file_;
  sim::Random random_;
  const bool has_restarts_;
  const bool is_calm_;
  const replica::Limits limits_;
  int events_ = 0;
  std::int64_t now_ms_ = 1000;
  ManualClock hub_clock_;
  ManualClock clock_;
  HubOfWalk hub_;
  MemoryStore store_;
  test::ManualScheduler scheduler_;
  Live live_{scheduler_};
  PullProgress progress_;
  const RuleBook rules_{{}};
  Spaces spaces_;
  std::unique_ptr<replica::SpaceReplica> replica_;
  std::int64_t conflicts_before_ = 0;  // of processes that have ended
  std::optional<Pending> pending_;
  /// Ids of records that this device has deleted.
  std::set<std::string> deleted_;
  /// Ids of records that waited when the process began.
  std::set<std::string> waited_;
  std::int64_t edits_ = 0;
  Observed observed_;
};

}  // namespace syncline::vectors
