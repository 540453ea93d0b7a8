// The real parts of a run, put together without sockets and threads: a hub (store, services, router, native API) and
// nodes (store, services, replicator).
#pragma once

#include "api/native/routes.hpp"
#include "api/router.hpp"
#include "replica/space_replica.hpp"
#include "service/housekeeping.hpp"
#include "sim/plan.hpp"
#include "support/in_process.hpp"
#include "support/manual_scheduler.hpp"

namespace syncline::sim {

inline constexpr std::string_view kSpace = "notes";
inline constexpr std::string_view kCollection = "items";
/// Whose a node's spaces are.
inline constexpr AccountNumber kNodeAccount{1};
/// Author of what programs write on a node.
inline constexpr KeyNumber kLocalAuthor{1};

/// The rules of the plan for kSpace.
[[nodiscard]] RuleBook make_rule_book(Rules rules, bool refuses);

/// A wall clock that may be wrong in any way.
class SkewedClock final : public Clock {
 public:
  explicit SkewedClock(const Clock& truth) : truth_(truth) {}
  [[nodiscard]] Timestamp now() const override { return frozen_ ? *frozen_ : truth_.now().plus_micros(offset_); }
  void set_offset(std::int64_t micros) { offset_ = micros; }
  void freeze(bool frozen) { frozen_ = frozen ? std::optional(now()) : std::nullopt; }

 private:
  const Clock& truth_;
  std::int64_t offset_ = 0;
  std::optional<Timestamp> frozen_;
};

/// What is gone when the process ends. The store stays: it is the disk.
class HubProcess {
 public:
  HubProcess(Store& store, const Clock& clock, const Plan& plan);

  [[nodiscard]] test::Answer call(const http::ClientRequest& request, const std::string& token);
  [[nodiscard]] Spaces& spaces() { return spaces_; }
  [[nodiscard]] Live& live() { return live_; }
  [[nodiscard]] Access& access() { return access_; }
  /// What the hub does each hour.
  void purge() { Housekeeping(store_, clock_, access_, progress_, {}).run_all(); }

 private:
  Store& store_;
  const Clock& clock_;
  test::ManualScheduler scheduler_;
  Live live_{scheduler_};
  Access access_;
  PullProgress progress_;
  const RuleBook rules_;
  Spaces spaces_;
  native::Face native_;
  api::Router router_;
};

class NodeProcess {
 public:
  NodeProcess(Store& store, const Clock& clock, const Plan& plan);

  [[nodiscard]] Spaces& spaces() { return spaces_; }
  [[nodiscard]] replica::SpaceReplica& replica() { return replica_; }

 private:
  test::ManualScheduler scheduler_;
  Live live_{scheduler_};
  PullProgress progress_;
  const RuleBook rules_;
  Spaces spaces_;
  replica::SpaceReplica replica_;
};

/// Live and deleted records by id.
[[nodiscard]] std::map<std::string, Record> read_all(Spaces& spaces, const SpaceName& space);
/// Earlier versions of a record.
[[nodiscard]] std::vector<Record> history_of(Spaces& spaces, const SpaceName& space, const Record& current);
[[nodiscard]] std::vector<Conflict> read_conflicts(Spaces& spaces, const SpaceName& space);

}  // namespace syncline::sim
