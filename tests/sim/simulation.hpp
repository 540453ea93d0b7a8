// One run: a hub and some nodes in one thread, on a clock that jumps from event to event. First the safety phase, with
// faults; then everything heals, and what must hold in the end is checked.
#pragma once

#include <functional>
#include <queue>

#include "sim/disk.hpp"
#include "sim/hub_clock.hpp"
#include "sim/hub_store.hpp"
#include "sim/ledger.hpp"
#include "sim/parts.hpp"

namespace syncline::sim {

struct Outcome {
  /// What went wrong; empty if nothing did.
  std::string fault;
  /// Of everything that happened: two runs of a seed have the same.
  std::uint64_t hash = 0;
  std::int64_t writes = 0;
  std::int64_t requests = 0;
  std::string plan;
  std::vector<std::string> log;
};

class Simulation {
 public:
  /// `keeps_log`: every event as text, for a person who wants to know what happened.
  Simulation(std::uint64_t seed, Disks::Kind kind, Proof proof, bool keeps_log);
  ~Simulation();
  [[nodiscard]] Outcome run();

 private:
  struct Node {
    std::string name;
    std::unique_ptr<SkewedClock> clock;
    std::unique_ptr<Disk> disk;
    std::unique_ptr<NodeProcess> process;  // none while it is down
    std::string token;
    std::int64_t incarnation = 0;
    std::int64_t paused_until_ms = 0;
    std::int64_t cut_until_ms = 0;
    bool cut_out = false;
    bool cut_in = false;
    bool is_linked = false;
    std::int64_t link = 0;
    std::int64_t wake_ms = -1;
  };
  /// Tells the nodes that are linked when the hub's feed grows.
  class Relay;

  void at(std::int64_t delay_ms, std::function<void()> run);
  void advance_until(std::int64_t end_ms);
  void say(const std::string& actor, const std::string& text);

  void start_hub();
  void stop_hub();
  void restore_hub();
  void put_copy_back();
  /// An operator puts an empty store in the hub's place, and gives devices the keys that they have.
  void empty_hub();
  /// The hub goes on from another disk.
  void replace_hub(std::unique_ptr<Disk> disk);
  void add_node(std::unique_ptr<Disk> disk, std::string token);
  void start_node(Node& node);
  void stop_node(Node& node);
  void set_clock(Node& node);
  [[nodiscard]] std::string new_key(const std::string& label);

  void drive(Node& node);
  void send(Node& node, std::int64_t ticket, const http::ClientRequest& request);
  void arrive(Node& node, std::int64_t incarnation, std::int64_t ticket, const http::ClientRequest& request,
              const std::string& token);
  void answer(Node& node, std::int64_t incarnation, std::int64_t ticket, Result<http::ClientResponse> response);
  void try_link(Node& node);
  void unlink(Node& node);
  void notify(Seq head);

  void write_on(Node& node);
  void write_outside();
  [[nodiscard]] std::string make_doc(int number, bool bad);
  void plan_faults();
  void inject_faults();
  void start_full_pull(Node& node);
  /// Another thread of the hub reads the commit that has just been made, and goes on from the cursor that it gets.
  void read_before_publication();
  void rot_a_record();
  /// The record of the hub that the node holds in this very version; nothing if it has another one, or none.
  [[nodiscard]] static bool holds(Node& node, const Record& of_hub);
  void heal();

  // clocks.cpp: of the hub
  void leave_a_future_row();
  void set_hub_clock();
  void inject_clock_faults();
  void keep_hub_clock();
  void purge_as_the_clock_says();
  [[nodiscard]] std::int64_t count_history();
  [[nodiscard]] Seq purged_through();
  [[nodiscard]] std::string check_clock();

  [[nodiscard]] bool is_quiet();
  [[nodiscard]] std::string why_not_quiet();
  [[nodiscard]] std::string check();
  [[nodiscard]] std::string compare(Node& node, const std::map<std::string, Record>& hub);

  [[nodiscard]] std::int64_t latency() { return random_.between(1, healed_ ? 20 : plan_.latency_max_ms); }
  [[nodiscard]] bool is_cut(const Node& node, bool outwards) const;
  [[nodiscard]] std::string pick_id() { return "r" + std::to_string(random_.between(1, plan_.records)); }

  Random random_;
  /// What was added to the plan later draws from here, so that old seeds go on to mean what they meant.
  Random later_;
  Random rotting_;
  Random clock_random_;  // likewise, of the hub's clock
  Random latest_;        // of a hub that goes back
  Random store_random_;  // and of what happens to the store below the hub
  const Plan plan_;
  const bool makes_full_pulls_;  // somebody asks devices for a full pull now and then
  const bool hub_clock_fails_;
  const bool has_future_row_;
  const bool hub_goes_back_;  // somebody puts a plain copy in the place of the hub's store
  const bool reads_fail_;     // of the hub's disk, now and then
  const bool reads_early_;    // threads of the hub read between a commit and its publication
  const bool hub_is_emptied_;
  /// Records of the hub rot that a device holds as well. Not where the hub refuses changes: a device with a refused
  /// edit has the hub's version in its history only, and does not offer it.
  const bool rots_;
  const bool keeps_log_;
  ManualClock truth_{Timestamp{1'800'000'000'000'000}};
  SkewedClock hub_wall_{truth_};
  HubClock hub_clock_{hub_wall_, truth_};
  std::int64_t now_ms_ = 0;
  std::int64_t order_ = 0;
  struct Event {
    std::int64_t at_ms;
    std::int64_t order;
    std::function<void()> run;
    bool operator<(const Event& other) const {
      return at_ms != other.at_ms ? at_ms > other.at_ms : order > other.order;
    }
  };
  std::priority_queue<Event> events_;

  Disks disks_;
  std::unique_ptr<Disk> hub_disk_;
  std::unique_ptr<Disk> backup_;
  std::unique_ptr<Disk> copy_;
  std::string copy_epoch_;
  std::int64_t epochs_ = 0;
  std::int64_t openings_ = 1;  // of disks: each has an incarnation of its own
  std::optional<HubStore> hub_store_;
  std::unique_ptr<HubProcess> hub_;  // none while it is down
  std::unique_ptr<Relay> relay_;
  SpaceName hub_space_;
  std::int64_t keys_ = 0;
  std::string outsider_token_;
  std::string reader_token_;  // of who reads early: nobody writes with it, so it counts as having seen nothing
  std::vector<std::unique_ptr<Node>> nodes_;
  std::set<std::string> rotten_deletions_;  // ids
  bool healed_ = false;
  bool was_restored_ = false;

  Ledger ledger_;
  std::string early_fault_;  // found before the end
  Outcome outcome_;
};

}  // namespace syncline::sim
