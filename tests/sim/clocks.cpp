// What happens to the hub's clock, and what must hold whatever that was: nothing is removed too early, nothing is kept
// for good, and no version outranks all later ones.
#include <cstdlib>

#include "sim/simulation.hpp"
#include "support/durations.hpp"

namespace syncline::sim {
namespace {

/// Another space of the hub, in which an earlier version wrote while its clock was ahead.
const SpaceName kElsewhere{AccountNumber{1}, "elsewhere"};

}  // namespace

/// What a version without a clock of its own to doubt has left: a version that was replaced years from now.
void Simulation::leave_a_future_row() {
  hub_wall_.set_offset(12 * test::kYearMicros);
  for (const char* doc : {R"({"v":1})", R"({"v":2})"}) {
    const auto reads = [] { return Reads{.records = {RecordKey{std::string(kCollection), "r1"}}}; };
    const auto written = write_and_wait(hub_disk_->store(), kElsewhere, {.reads = reads}, [&](Txn& txn) -> Result<> {
      TRY(const auto stored, txn.find(kCollection, "r1"));
      Record record;
      record.collection = kCollection;
      record.id = "r1";
      record.updated_at = record.effective_at = txn.stamp();
      record.doc = doc;
      txn.put(std::move(record), stored ? &*stored : nullptr);
      return {};
    });
    if (!written) std::abort();
  }
  hub_wall_.set_offset(0);
}

void Simulation::set_hub_clock() {
  std::int64_t offset = 0;
  switch (clock_random_.between(0, 3)) {
    case 0: offset = clock_random_.between(31 * test::kDayMicros, 12 * test::kYearMicros); break;
    case 1: offset = -clock_random_.between(2 * test::kHourMicros, 12 * test::kYearMicros); break;
    case 2: offset = clock_random_.between(-test::kHourMicros / 2, test::kHourMicros / 2); break;
    default: break;
  }
  hub_wall_.set_offset(offset);
  say("hub", "has a clock that is off by " + std::to_string(offset / kMicrosPerSecond) + " s");
  if (!hub_ || !clock_random_.chance(0.3)) return;
  stop_hub();
  start_hub();
}

void Simulation::inject_clock_faults() {
  if (!hub_clock_fails_) return;
  if (clock_random_.chance(0.1)) set_hub_clock();
  if (hub_ && clock_random_.chance(0.2)) keep_hub_clock();
  if (hub_ && clock_random_.chance(0.1)) purge_as_the_clock_says();
}

void Simulation::keep_hub_clock() {
  if (!hub_clock_.current().save(hub_disk_->store())) std::abort();
}

std::int64_t Simulation::count_history() {
  std::int64_t count = 0;
  for (const auto& [id, record] : read_all(hub_->spaces(), hub_space_)) {
    count += static_cast<std::int64_t>(history_of(hub_->spaces(), hub_space_, record).size());
  }
  return count;
}

Seq Simulation::purged_through() {
  const auto spaces = hub_->spaces().list(hub_space_.account);
  if (!spaces) std::abort();
  for (const SpaceInfo& space : *spaces) {
    if (space.name == hub_space_) return space.purged_through;
  }
  return {};
}

/// No run lasts a month: whatever the clock says, nothing is old enough.
void Simulation::purge_as_the_clock_says() {
  const std::int64_t versions = count_history();
  const Seq purged = purged_through();
  hub_->purge();
  if (count_history() != versions || purged_through() != purged) early_fault_ = "the hub's clock had something purged";
}

std::string Simulation::check_clock() {
  if (!hub_clock_fails_ && !has_future_row_) return "";
  if (!hub_clock_.is_trusted()) return "the hub doubts a clock that is right";
  const std::int64_t off = hub_clock_.now().micros - truth_.now().micros;
  if (std::abs(off) > test::kHourMicros)
    return "the hub's time is off by " + std::to_string(off / kMicrosPerSecond) + " s";

  truth_.advance_micros(2 * test::kHourMicros);
  for (int i = 1; i <= plan_.records; ++i) {
    const std::string body = R"({"ops":[{"collection":"items","id":"r)" + std::to_string(i) + R"(","updated_at":)" +
                             std::to_string(truth_.now().micros) + R"(,"doc":{"write":-1}}]})";
    const test::Answer answer =
        hub_->call({http::Method::post, "/v1/spaces/" + std::string(kSpace) + "/push", body, {}}, outsider_token_);
    const std::string status = answer.at("results.0.status");
    if (status != "applied" && status != "merged") return "a new edit of r" + std::to_string(i) + " is " + status;
  }

  truth_.advance_micros(31 * test::kDayMicros);
  hub_->purge();
  const std::int64_t left = count_history();
  return left == 0 ? "" : std::to_string(left) + " versions are not purged after a month";
}

}  // namespace syncline::sim
