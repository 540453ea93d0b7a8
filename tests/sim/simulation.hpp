// One run: a hub and some nodes in one thread, on a clock that jumps from event to event. First the safety phase, with
// faults; then everything heals, and what must hold in the end is checked.
#pragma once

#include <functional>
#include <queue>

#include "sim/disk.hpp"
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
  Simulation(std::uint64_t seed, Disks::Kind kind, bool keeps_log);
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
  void heal();

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
  const Plan plan_;
  const bool makes_full_pulls_;  // somebody asks devices for a full pull now and then
  const bool keeps_log_;
  ManualClock truth_{Timestamp{1'800'000'000'000'000}};
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
  std::int64_t epochs_ = 0;
  std::unique_ptr<HubProcess> hub_;  // none while it is down
  std::unique_ptr<Relay> relay_;
  SpaceName hub_space_;
  std::int64_t keys_ = 0;
  std::string outsider_token_;
  std::vector<std::unique_ptr<Node>> nodes_;
  bool healed_ = false;
  bool was_restored_ = false;

  Ledger ledger_;
  Outcome outcome_;
};

}  // namespace syncline::sim
