// Walks of the replicator: events drawn from a seed, in every state, and what can be seen of it after each.
#include <algorithm>
#include <array>

#include "core/replicator.hpp"
#include "sim/random.hpp"
#include "vectors/vector_file.hpp"

namespace syncline::vectors {
namespace {

constexpr std::uint64_t kReplicatorWalks = 44;
constexpr int kEventsOfWalk = 52;
/// Each event in each state at least so often.
constexpr std::int64_t kPairsMin = 4;

constexpr std::array<std::string_view, 6> kStates = {"off", "idle", "pulling", "pushing", "waiting", "refused"};
constexpr std::array<std::string_view, 14> kCalls = {
    "connect",  "disconnect", "note_local_write", "note_hub_head", "link_up", "link_down", "link_lost",
    "sync_now", "progress",   "pulled",           "pushed",        "reset",   "failed",    "next"};
constexpr std::array<std::string_view, 3> kFailureTexts = {"no route", "it is full", "wait a little"};
constexpr std::string_view kLate = "no answer in time";

std::string_view to_text(SyncFailure::Kind kind) {
  switch (kind) {
    case SyncFailure::Kind::unreachable: return "unreachable";
    case SyncFailure::Kind::key_refused: return "key_refused";
    case SyncFailure::Kind::local: return "local";
    case SyncFailure::Kind::other: return "other";
  }
  return "";
}

std::string_view to_text(Step::Kind kind) {
  switch (kind) {
    case Step::Kind::none: return "none";
    case Step::Kind::pull: return "pull";
    case Step::Kind::push: return "push";
  }
  return "";
}

/// Every fourth walk has delays of a few milliseconds, where rounding shows. The others have the settings of a node,
/// and do not name them: a port has its own copy of those, which the walk compares.
std::optional<ReplicatorSettings> short_settings_of(std::uint64_t seed) {
  if (seed % 4 != 0) return std::nullopt;
  return ReplicatorSettings{
      .window_ms = 0, .interval_ms = 977, .back_off_min_ms = 3, .back_off_max_ms = 41, .step_timeout_ms = 211};
}

class ReplicatorWalk {
 public:
  ReplicatorWalk(std::uint64_t seed, const ReplicatorSettings& nodes, VectorFile& file)
      : file_(file), random_(seed), settings_(short_settings_of(seed).value_or(nodes)) {
    std::string line;
    JsonWriter writer(line);
    writer.begin_object().integer("walk", static_cast<std::int64_t>(seed));
    if (const auto settings = short_settings_of(seed)) {
      writer.name("settings")
          .begin_object()
          .raw("window_ms", json_number(settings->window_ms))
          .raw("interval_ms", json_number(settings->interval_ms))
          .raw("back_off_min_ms", json_number(settings->back_off_min_ms))
          .raw("back_off_max_ms", json_number(settings->back_off_max_ms))
          .raw("step_timeout_ms", json_number(settings->step_timeout_ms))
          .end_object();
    }
    writer.end_object();
    file_.add(std::move(line));
  }

  void take_event() {
    advance();
    const std::string before(state());
    const std::string_view call = pick_call(before);
    std::string line;
    JsonWriter writer(line);
    writer.begin_object().raw("now", json_number(now_ms_)).string("call", call);
    make(call, writer);
    writer.raw("then", observed_.change_to(observe())).end_object();
    file_.add(std::move(line));
    file_.count(before + ' ' + std::string(call) + ' ' + std::string(state()));
  }

 private:
  bool chance(double probability) { return random_.chance(probability); }
  std::int64_t between(std::int64_t low, std::int64_t high) { return random_.between(low, high); }

  /// The clock stands, or goes on: a little, or to where something is due, or far.
  void advance() {
    const std::int64_t unit = settings_.back_off_min_ms;
    const auto wake = machine_.wake_at_ms();
    if (chance(0.35)) return;
    if (wake && *wake > now_ms_ && chance(0.6)) {
      now_ms_ = *wake + between(-1, 1);
    } else {
      now_ms_ += chance(0.85) ? between(1, unit) : between(1, settings_.interval_ms + unit);
    }
  }

  [[nodiscard]] std::string_view state() const {
    if (machine_.is_off()) return "off";
    if (machine_.awaits(step_.ticket)) return step_.kind == Step::Kind::pull ? "pulling" : "pushing";
    const SyncStatus status = machine_.status(now_ms_);
    if (status.state == SyncStatus::State::refused) return "refused";
    const bool names_failure =
        status.reason == kLate || std::ranges::find(kFailureTexts, status.reason) != kFailureTexts.end();
    return status.is_failing && names_failure ? "waiting" : "idle";
  }

  std::string_view pick_call(const std::string& in) {
    if (chance(in == "refused" || in == "off" ? 0.7 : 0.36)) return rarest_call(in);
    const std::string_view any = kCalls[static_cast<std::size_t>(between(0, kCalls.size() - 1))];
    if (in == "off") return chance(0.6) ? "connect" : any;
    if (in != "pulling" && in != "pushing") return chance(0.6) ? "next" : any;
    const double drawn = static_cast<double>(between(0, 99));
    if (drawn < 46) return in == "pulling" ? "pulled" : "pushed";
    if (drawn < 66) return "failed";
    if (drawn < 70) return "reset";
    if (drawn < 75) return "progress";
    return drawn < 84 ? "next" : any;
  }
  [[nodiscard]] std::string_view rarest_call(const std::string& in) const {
    const auto times = [&](std::string_view call) { return file_.count_of_prefix(in + ' ' + std::string(call) + ' '); };
    return *std::ranges::min_element(kCalls, {}, times);
  }

  Cursor pick_cursor() {
    Cursor cursor{.epoch = chance(0.9) ? "e" : "f", .seq = {between(0, 6)}};
    if (chance(0.5)) cursor.incarnation = {between(0xA, 0xB)};
    if (chance(0.2) && cursor.incarnation.value != 0) cursor.heard_through = {cursor.seq.value + between(1, 4)};
    return cursor;
  }
  /// Now and then that of a step which is over.
  std::int64_t pick_ticket(JsonWriter& writer) {
    const bool is_late = chance(0.12);
    const std::int64_t ticket = is_late ? step_.ticket - between(1, 2) : step_.ticket;
    if (!machine_.awaits(ticket)) file_.count("an outcome that comes too late");
    writer.raw("ticket", json_number(ticket));
    return ticket;
  }
  std::uint32_t pick_random(JsonWriter& writer) {
    auto random = static_cast<std::uint32_t>(random_.next());
    if (chance(0.1)) random = chance(0.5) ? 0 : UINT32_MAX;
    writer.integer("random", random);
    return random;
  }

  void make(std::string_view call, JsonWriter& writer) {
    if (call == "connect") return connect(writer);
    if (call == "disconnect") return machine_.disconnect(now_ms_);
    if (call == "note_local_write") return machine_.note_local_write();
    if (call == "link_up") return machine_.link_up(now_ms_);
    if (call == "link_down") return machine_.link_down();
    if (call == "link_lost") return machine_.link_lost();
    if (call == "sync_now") return machine_.sync_now(now_ms_);
    if (call == "note_hub_head") return note_hub_head(writer);
    if (call == "next") return take_next(writer);
    end_step(call, writer);
  }
  void connect(JsonWriter& writer) {
    const Cursor cursor = chance(0.3) ? Cursor{} : pick_cursor();
    const bool push_everything_first = chance(0.3);
    writer.string("cursor", cursor_text(cursor)).boolean("push_everything_first", push_everything_first);
    machine_.connect(cursor, push_everything_first, now_ms_);
  }
  void note_hub_head(JsonWriter& writer) {
    const Cursor head = pick_cursor();
    writer.string("head", cursor_text(head));
    machine_.note_hub_head(head);
  }
  void take_next(JsonWriter& writer) {
    const Step step = machine_.next(now_ms_, pick_random(writer));
    writer.string("step", to_text(step.kind));
    if (step.kind == Step::Kind::none) return;
    step_ = step;
    writer.raw("ticket", json_number(step.ticket)).boolean("with_refused", step.with_refused);
    if (step.with_refused) file_.count("a push that offers refused changes again");
  }
  void end_step(std::string_view call, JsonWriter& writer) {
    const std::int64_t ticket = pick_ticket(writer);
    if (call == "progress") {
      const std::int64_t timeout_ms = settings_.step_timeout_ms * between(1, 3) / 2;
      writer.raw("timeout_ms", json_number(timeout_ms));
      return machine_.progress(ticket, now_ms_, timeout_ms);
    }
    if (call == "reset") {
      const bool push_everything_first = chance(0.5);
      writer.boolean("push_everything_first", push_everything_first);
      return machine_.reset(ticket, push_everything_first, now_ms_);
    }
    if (call == "failed") return fail(ticket, writer);
    const Cursor cursor = chance(0.6) ? machine_.cursor() : pick_cursor();
    const bool more = chance(0.2);
    writer.string("cursor", cursor_text(cursor)).boolean("more", more);
    if (call == "pulled") return machine_.pulled(ticket, {cursor, more}, now_ms_);
    const PushOutcome outcome{cursor, more, chance(0.15), chance(0.5) ? 0 : between(1, 2)};
    writer.boolean("needs_pull", outcome.needs_pull).raw("refused", json_number(outcome.refused));
    machine_.pushed(ticket, outcome, now_ms_);
  }
  void fail(std::int64_t ticket, JsonWriter& writer) {
    constexpr std::array kKinds = {SyncFailure::Kind::unreachable, SyncFailure::Kind::key_refused,
                                   SyncFailure::Kind::local, SyncFailure::Kind::other};
    SyncFailure failure{.kind = kKinds[chance(0.4) ? 1 : static_cast<std::size_t>(between(0, 3))],
                        .text = std::string(kFailureTexts[static_cast<std::size_t>(between(0, 2))]),
                        .retry_after_ms = chance(0.2) ? between(1, settings_.back_off_max_ms * 2) : 0};
    writer.string("failure", to_text(failure.kind))
        .string("text", failure.text)
        .raw("retry_after_ms", json_number(failure.retry_after_ms));
    if (machine_.awaits(ticket)) file_.count("failed: " + std::string(to_text(failure.kind)));
    machine_.failed(ticket, failure, now_ms_, pick_random(writer));
  }

  Observed::Members observe() {
    const SyncStatus status = machine_.status(now_ms_);
    file_.count("reason: " + (status.reason.size() > 40 ? status.reason.substr(0, 40) : status.reason));
    return {{"state", json_text(syncline::to_text(status.state))},
            {"reason", json_text(status.reason)},
            {"is_failing", json_boolean(status.is_failing)},
            {"since", json_number(status.since_ms)},
            {"next_try", json_number(status.next_try_ms)},
            {"synced", json_number(status.synced_ms)},
            {"wake_at", json_number(machine_.wake_at_ms())},
            {"cursor", json_text(cursor_text(machine_.cursor()))},
            {"cycles", json_number(machine_.cycles())},
            {"cycles_after_next", json_number(machine_.cycles_after_next())},
            {"failures", json_number(machine_.failures())}};
  }

  VectorFile& file_;
  sim::Random random_;
  const ReplicatorSettings settings_;
  Replicator machine_{settings_};
  Observed observed_;
  Step step_;
  std::int64_t now_ms_ = 1000;
};

void require_replicator_coverage(VectorFile& file) {
  // The table of core/replicator.hpp.
  constexpr std::array<std::string_view, 19> kTransitions = {
      "off connect idle",       "idle next pulling",    "idle next pushing",      "idle disconnect off",
      "pulling pulled idle",    "pulling reset idle",   "pulling failed waiting", "pulling failed refused",
      "pulling next waiting",   "pushing pushed idle",  "pushing reset idle",     "pushing failed waiting",
      "pushing failed refused", "pushing next waiting", "waiting next pulling",   "refused next pulling",
      "refused connect idle",   "waiting connect idle", "pulling disconnect off"};
  for (const std::string_view transition : kTransitions) file.require(std::string(transition), 2);
  for (const std::string_view state : kStates) {
    for (const std::string_view call : kCalls) {
      const std::string pair = std::string(state) + ' ' + std::string(call);
      const std::int64_t times = file.count_of_prefix(pair + ' ');
      for (std::int64_t i = 0; i < times; ++i) file.count("pair: " + pair);
      file.require("pair: " + pair, kPairsMin);
    }
  }
  for (const char* kind : {"unreachable", "key_refused", "local", "other"})
    file.require(std::string("failed: ") + kind, 5);
  file.require("an outcome that comes too late", 20);
  file.require("a push that offers refused changes again", 20);
  for (const char* reason : {"in sync", "about to start the first cycle", "not connected to a hub",
                             "changes are queued for the next cycle", "the hub rejected 1 change; the device wi",
                             "the hub rejected 2 changes; the device w", "in sync as of the last poll; the live li"}) {
    file.require(std::string("reason: ") + reason);
  }
}

}  // namespace

VectorFile make_replicator_vectors(const ReplicatorSettings& nodes) {
  VectorFile file("replicator.ndjson");
  for (std::uint64_t seed = 1; seed <= kReplicatorWalks; ++seed) {
    ReplicatorWalk walk(seed, nodes, file);
    for (int i = 0; i < kEventsOfWalk; ++i) walk.take_event();
  }
  require_replicator_coverage(file);
  return file;
}

}  // namespace syncline::vectors
