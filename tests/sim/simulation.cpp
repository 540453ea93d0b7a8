#include "sim/simulation.hpp"

#include <algorithm>
#include <cstdlib>

namespace syncline::sim {
namespace {

constexpr std::string_view kEmail = "sim@example.org";
constexpr std::int64_t kDayMicros = 86'400LL * kMicrosPerSecond;
/// How long the liveness phase may last: nothing waits longer than a back-off, and the rest is transfer.
constexpr std::int64_t kLivenessMs = 60'000;
constexpr std::int64_t kQuietMs = 20'000;
constexpr std::int64_t kLinkEachMs = 2000;
constexpr std::uint64_t kClockStream = 0x5C10C4ULL << 32U;
constexpr std::uint64_t kStoreStream = 0x570BEULL << 40U;

template <typename T>
T must(Result<T> result) {
  if (!result) {
    std::fprintf(stderr, "%s\n", result.error().text.c_str());
    std::abort();
  }
  return *std::move(result);
}

}  // namespace

class Simulation::Relay final : public Watcher {
 public:
  Relay(Simulation& simulation, Live& live, const SpaceName& space)
      : simulation_(simulation), live_(live), space_(space) {
    live_.watch(space_, *this);
  }
  Relay(const Relay&) = delete;
  Relay& operator=(const Relay&) = delete;
  ~Relay() override { live_.unwatch(space_, *this); }
  void on_change(const SpaceName&, Seq head) override { simulation_.notify(head); }

 private:
  Simulation& simulation_;
  Live& live_;
  const SpaceName space_;
};

Simulation::Simulation(std::uint64_t seed, Disks::Kind kind, Proof proof, bool keeps_log)
    : random_(seed),
      later_(~seed),
      rotting_(seed ^ 0x526F74526F74ULL),
      clock_random_(seed ^ kClockStream),
      latest_(seed * 31 + 7),
      store_random_(seed ^ kStoreStream),
      plan_(draw_plan(random_)),
      makes_full_pulls_(later_.chance(0.15)),
      hub_clock_fails_(clock_random_.chance(0.2)),
      has_future_row_(clock_random_.chance(0.1)),
      hub_goes_back_(latest_.chance(0.15)),
      reads_fail_(store_random_.chance(0.2)),
      reads_early_(store_random_.chance(0.3)),
      // Not where a device loses its key, which it would get back; nor where the clock is wrong, which an empty store
      // has no reason to doubt.
      hub_is_emptied_(store_random_.chance(0.1) && !plan_.loses_keys && !hub_clock_fails_),
      rots_(rotting_.chance(0.2) && !plan_.has_refusals),
      keeps_log_(keeps_log),
      disks_(kind, proof) {
  outcome_.plan = plan_.to_text() + (makes_full_pulls_ ? ", full pulls" : "") +
                  (hub_clock_fails_ ? ", the hub's clock" : "") + (has_future_row_ ? ", a row of the future" : "") +
                  (hub_goes_back_ ? ", hub goes back" : "") + (rots_ ? ", rot" : "") +
                  (reads_fail_ ? ", reads fail" : "") + (reads_early_ ? ", early reads" : "") +
                  (hub_is_emptied_ ? ", the hub is emptied" : "");
  hub_disk_ = disks_.make(Disks::Owner::hub, hub_clock_, "e0");
  if (has_future_row_) leave_a_future_row();
  start_hub();
  hub_space_ = {must(hub_->access().add_account(kEmail, syncline::Plan::pro)).number, std::string(kSpace)};
  start_hub();
  outsider_token_ = new_key("outsider");
  for (int i = 0; i < plan_.nodes; ++i) {
    add_node(nullptr, new_key("node"));
  }
  if (reads_early_) reader_token_ = new_key("reader");
}

Simulation::~Simulation() = default;

void Simulation::at(std::int64_t delay_ms, std::function<void()> run) {
  events_.push({now_ms_ + delay_ms, ++order_, std::move(run)});
}

void Simulation::advance_until(std::int64_t end_ms) {
  while (!events_.empty() && events_.top().at_ms <= end_ms) {
    const Event event = events_.top();
    events_.pop();
    truth_.advance_micros((event.at_ms - now_ms_) * 1000);
    now_ms_ = event.at_ms;
    event.run();
  }
  truth_.advance_micros((end_ms - now_ms_) * 1000);
  now_ms_ = end_ms;
}

void Simulation::say(const std::string& actor, const std::string& text) {
  const auto mix = [this](std::string_view bytes) {
    for (const char c : bytes) outcome_.hash = (outcome_.hash ^ static_cast<unsigned char>(c)) * 0x100000001B3ULL;
  };
  mix(actor);
  mix(text);
  outcome_.hash ^= static_cast<std::uint64_t>(now_ms_);
  if (keeps_log_) outcome_.log.push_back(std::to_string(now_ms_) + " ms  " + actor + ": " + text);
}

std::string Simulation::new_key(const std::string& label) {
  const std::string token = "sim-key-" + std::to_string(++keys_) + "-0123456789abcdef0123456789abcdef";
  return must(hub_->access().add_key(kEmail, label, {Scope::read, Scope::write}, token)).token;
}

void Simulation::start_hub() {
  relay_.reset();
  hub_.reset();
  hub_store_.reset();
  hub_clock_.restart();
  hub_disk_->reopen({++openings_});
  if (!hub_clock_.current().load(hub_disk_->store())) std::abort();
  keep_hub_clock();
  HubStore& store = hub_store_.emplace(hub_disk_->store());
  hub_ = std::make_unique<HubProcess>(store, hub_clock_, plan_);
  if (reads_early_) {
    store.set_before_publication([this](const SpaceName& space) {
      if (space == hub_space_) read_before_publication();
    });
  }
  relay_ = std::make_unique<Relay>(*this, hub_->live(), hub_space_);
}

void Simulation::stop_hub() {
  if (!hub_) return;
  say("hub", "crashes");
  relay_.reset();
  hub_.reset();
  for (const auto& node : nodes_) unlink(*node);
}

void Simulation::restore_hub() {
  if (!backup_) return;
  replace_hub(backup_->restore("r" + std::to_string(++epochs_)));
  say("hub", "is restored from a backup");
}

void Simulation::put_copy_back() {
  replace_hub(copy_->restore(copy_epoch_));
  say("hub", "goes on from an older copy");
}

void Simulation::empty_hub() {
  replace_hub(disks_.make(Disks::Owner::hub, hub_clock_, "r" + std::to_string(++epochs_)));
  say("hub", "goes on from an empty store");
  hub_space_.account = must(hub_->access().add_account(kEmail, syncline::Plan::pro)).number;
  start_hub();
  std::set<std::string> tokens = {outsider_token_};
  if (reads_early_) tokens.insert(reader_token_);
  for (const auto& node : nodes_) tokens.insert(node->token);
  for (const std::string& token : tokens) {
    (void)must(hub_->access().add_key(kEmail, "again", {Scope::read, Scope::write}, token));
  }
}

void Simulation::replace_hub(std::unique_ptr<Disk> disk) {
  stop_hub();
  // The keys of today are put back too, as an operator would have to.
  hub_disk_ = std::move(disk);
  start_hub();
  was_restored_ = true;
  ledger_.give_up("outsider");  // it has no copy to offer again
}

void Simulation::add_node(std::unique_ptr<Disk> disk, std::string token) {
  auto node = std::make_unique<Node>();
  node->name = "node " + std::to_string(nodes_.size() + 1);
  node->clock = std::make_unique<SkewedClock>(truth_);
  node->disk = disk ? std::move(disk) : disks_.make(Disks::Owner::node, *node->clock, "n");
  node->token = std::move(token);
  nodes_.push_back(std::move(node));
  Node& added = *nodes_.back();
  if (plan_.clocks_are_off) set_clock(added);
  start_node(added);
  at(random_.between(0, kLinkEachMs), [this, &added] { try_link(added); });
}

void Simulation::set_clock(Node& node) {
  const std::int64_t ten_years = 3650 * kDayMicros;
  const std::int64_t offset =
      random_.chance(0.5) ? random_.between(-ten_years, ten_years) : random_.between(-kDayMicros, kDayMicros);
  node.clock->freeze(false);
  node.clock->set_offset(offset);
  if (random_.chance(0.2)) node.clock->freeze(true);
  say(node.name, "has a clock that is off by " + std::to_string(offset / kMicrosPerSecond) + " s");
}

void Simulation::start_node(Node& node) {
  node.process.reset();
  node.disk->reopen({++openings_});
  node.process = std::make_unique<NodeProcess>(node.disk->store(), *node.clock, plan_);
  node.incarnation += 1;
  node.wake_ms = -1;
  auto& replica = node.process->replica();
  if (!replica.load() || !replica.connect(replica::native_dialect(), false, now_ms_)) std::abort();
  drive(node);
}

void Simulation::stop_node(Node& node) {
  if (!node.process) return;
  say(node.name, "crashes");
  unlink(node);
  node.process.reset();
  at(random_.between(1, 5000), [this, &node] {
    if (!node.process) start_node(node);
  });
}

bool Simulation::is_cut(const Node& node, bool outwards) const {
  return now_ms_ < node.cut_until_ms && (outwards ? node.cut_out : node.cut_in);
}

void Simulation::drive(Node& node) {
  if (!node.process || now_ms_ < node.paused_until_ms) return;
  auto& replica = node.process->replica();
  replica.note_local_head(node.process->spaces().head(replica.local().name()));
  while (auto request = replica.next(now_ms_, static_cast<std::uint32_t>(random_.next())))
    send(node, request->ticket, request->http);
  const auto wake = replica.machine().wake_at_ms();
  if (!wake || *wake == node.wake_ms) return;
  node.wake_ms = *wake;
  at(std::max<std::int64_t>(0, *wake - now_ms_), [this, &node, wake = *wake] {
    if (node.wake_ms == wake) {
      node.wake_ms = -1;
      drive(node);
    }
  });
}

void Simulation::send(Node& node, std::int64_t ticket, const http::ClientRequest& request) {
  ++outcome_.requests;
  say(node.name, std::string(http::to_text(request.method)) + ' ' + request.target + ' ' + request.body);
  const int copies = !healed_ && random_.chance(plan_.duplicates) ? 2 : 1;
  for (int i = 0; i < copies; ++i) {
    if (is_cut(node, true) || (!healed_ && random_.chance(plan_.loss))) continue;
    at(latency(), [this, &node, incarnation = node.incarnation, ticket, request, token = node.token] {
      arrive(node, incarnation, ticket, request, token);
    });
  }
}

void Simulation::arrive(Node& node, std::int64_t incarnation, std::int64_t ticket, const http::ClientRequest& request,
                        const std::string& token) {
  Result<http::ClientResponse> response = fail(ErrorCode::unavailable, "connection refused");
  if (hub_) {
    const bool cannot_read = reads_fail_ && !healed_ && store_random_.chance(0.2);
    if (cannot_read) hub_store_->fail_reads_after(store_random_.between(0, 1));
    test::Answer answer = hub_->call(request, token);
    hub_store_->heal();
    if (cannot_read && answer.status == 401 && hub_->access().authenticate(token)) {
      early_fault_ = "the hub takes a key that it cannot read for a wrong one";
    }
    response = http::ClientResponse{answer.status, std::move(answer.body), std::nullopt};
  }
  if (is_cut(node, false) || (!healed_ && random_.chance(plan_.loss))) return;
  at(latency(), [this, &node, incarnation, ticket, response = std::move(response)] {
    answer(node, incarnation, ticket, response);
  });
}

void Simulation::answer(Node& node, std::int64_t incarnation, std::int64_t ticket,
                        Result<http::ClientResponse> response) {
  if (!node.process || node.incarnation != incarnation) return;
  if (now_ms_ < node.paused_until_ms) {
    at(node.paused_until_ms - now_ms_,
       [this, &node, incarnation, ticket, response] { answer(node, incarnation, ticket, response); });
    return;
  }
  say(node.name, response ? std::to_string(response->status) + ' ' + response->body : response.error().text);
  node.process->replica().finish(ticket, response, now_ms_, static_cast<std::uint32_t>(random_.next()));
  drive(node);
}

void Simulation::try_link(Node& node) {
  const bool can_talk = hub_ && !is_cut(node, true) && !is_cut(node, false) && now_ms_ >= node.paused_until_ms;
  if (!can_talk) {
    unlink(node);
  } else if (node.process && !node.is_linked && hub_->access().authenticate(node.token)) {
    node.is_linked = true;
    ++node.link;
    node.process->replica().machine().link_up(now_ms_);
    node.process->replica().machine().note_hub_head(hub_->spaces().cursor_at_head(hub_space_));
    drive(node);
  }
  at(kLinkEachMs, [this, &node] { try_link(node); });
}

void Simulation::unlink(Node& node) {
  if (node.is_linked && node.process) node.process->replica().machine().link_down();
  node.is_linked = false;
}

void Simulation::notify(Seq head) {
  for (const auto& each : nodes_) {
    Node& node = *each;
    if (!node.is_linked) continue;
    if (!healed_ && random_.chance(plan_.loss)) {
      unlink(node);
      continue;
    }
    at(latency(), [this, &node, link = node.link, cursor = hub_->spaces().cursor(hub_space_, head)] {
      if (!node.is_linked || node.link != link || !node.process) return;
      node.process->replica().machine().note_hub_head(cursor);
      drive(node);
    });
  }
}

Outcome Simulation::run() {
  plan_faults();
  advance_until(plan_.safety_ms);
  heal();
  if (!early_fault_.empty()) {
    outcome_.fault = early_fault_;
    return std::move(outcome_);
  }
  const std::int64_t transfer_ms =
      static_cast<std::int64_t>(ledger_.writes().size()) * static_cast<std::int64_t>(nodes_.size()) * 50;
  // What is refused is offered five times, with tiny batches one by one.
  const bool one_by_one = plan_.limits.ops_max < 10;
  const std::int64_t refused_ms =
      plan_.has_refusals ? 30'000 + (one_by_one ? 10'000 * static_cast<std::int64_t>(ledger_.writes().size()) : 0) : 0;
  const std::int64_t end_ms = now_ms_ + kLivenessMs + transfer_ms + refused_ms;
  while (!is_quiet() && now_ms_ < end_ms) advance_until(now_ms_ + 500);
  if (!is_quiet()) {
    outcome_.fault = why_not_quiet();
    return std::move(outcome_);
  }
  // Late copies of requests arrive; then what nobody writes, nobody sends.
  advance_until(now_ms_ + 4 * plan_.latency_max_ms);
  const std::int64_t again_end_ms = now_ms_ + kLivenessMs;
  while (!is_quiet() && now_ms_ < again_end_ms) advance_until(now_ms_ + 500);
  const Seq head = hub_disk_->store().head(hub_space_);
  const std::int64_t requests = outcome_.requests;
  advance_until(now_ms_ + kQuietMs);
  const std::int64_t polls = static_cast<std::int64_t>(nodes_.size()) * (kQuietMs / plan_.settings.interval_ms + 2);
  if (hub_disk_->store().head(hub_space_) != head) {
    outcome_.fault = "the hub's feed grows though nobody writes";
  } else if (outcome_.requests - requests > polls) {
    outcome_.fault = std::to_string(outcome_.requests - requests) + " requests though nobody writes";
  } else {
    outcome_.fault = check();
  }
  outcome_.writes = static_cast<std::int64_t>(ledger_.writes().size());
  return std::move(outcome_);
}

bool Simulation::is_quiet() { return why_not_quiet().empty(); }

std::string Simulation::why_not_quiet() {
  if (!hub_disk_->store().damage(hub_space_).empty()) return "the hub has damaged records";
  for (const auto& node : nodes_) {
    if (!node->process) return node->name + " is down";
    auto& replica = node->process->replica();
    const SyncStatus status = replica.machine().status(now_ms_);
    const auto state = std::string(to_text(status.state));
    if (status.state != SyncStatus::State::in_sync) return node->name + " is " + state + ": " + status.reason;
    const std::int64_t pending = must(replica.local().count_pending());
    if (pending != replica.local().dead_letters()) {
      return node->name + " is in sync with " + std::to_string(pending) + " changes waiting";
    }
    const Cursor head = hub_->spaces().cursor_at_head(hub_space_);
    if (replica.local().cursor().to_text() != head.to_text()) {
      return node->name + " is in sync at " + replica.local().cursor().to_text() + ", the hub is at " + head.to_text();
    }
  }
  return "";
}

}  // namespace syncline::sim
