// What happens to a run from outside: writes, faults, healing; and what must hold in the end.
#include <algorithm>
#include <cstdlib>

#include "replica/known_versions.hpp"
#include "sim/simulation.hpp"

namespace syncline::sim {
namespace {

/// How far off the stamps of programs are that bring their own.
constexpr std::int64_t kStampSpreadMicros = 3600LL * kMicrosPerSecond;

}  // namespace

std::string Simulation::make_doc(int number, bool bad) {
  std::string doc;
  JsonWriter writer(doc);
  writer.begin_object().integer("write", number);
  if (plan_.rules == Rules::kernle) {
    writer.name("tags").begin_array().string("t" + std::to_string(random_.between(1, 3))).end_array();
    writer.string("created_at", format_time(truth_.now()));
  }
  if (bad) writer.boolean("bad", true);
  writer.end_object();
  return doc;
}

void Simulation::write_on(Node& node) {
  if (!node.process || now_ms_ < node.paused_until_ms) return;
  const std::string id = pick_id();
  const bool deletes = random_.chance(0.2);
  const bool bad = plan_.has_refusals && random_.chance(0.15);
  const int number = ledger_.begin(node.name, id, deletes);
  const std::string doc = deletes ? "" : make_doc(number, bad);
  Op op;
  op.collection = kCollection;
  op.id = id;
  op.deleted = deletes;
  op.doc = doc;
  if (plan_.has_stamped_writes && random_.chance(0.5)) {
    op.updated_at = node.clock->now().plus_micros(random_.between(-kStampSpreadMicros, kStampSpreadMicros));
  }
  std::optional<Record> seen;
  OpResult result;
  auto& spaces = node.process->spaces();
  const SpaceName& space = node.process->replica().local().name();
  const auto done = spaces.write_and_wait(space, kLocalAuthor, [&](SpaceWriter& writer) -> Result<> {
    TRY(seen, writer.txn().find(op.collection, op.id));
    TRY(result, writer.apply(op));
    return {};
  });
  if (!done || result.status == OpStatus::refused) std::abort();
  say(node.name, "writes " + (deletes ? "a deletion of " + id : id + ' ' + doc));
  const bool won = result.status == OpStatus::applied || (result.status == OpStatus::merged && result.incoming_won);
  // A deletion that loses is kept unless its author's earlier one already is in the history.
  if (won || result.lost) ledger_.set_certain(number);
  if (won && seen) {
    ledger_.set_superseded(*seen);
    say(node.name, "which replaces " + (seen->deleted ? "a deletion" : seen->doc));
  } else if (!won) {
    say(node.name, "which loses to " + seen->doc);
  }
  drive(node);
}

void Simulation::write_outside() {
  if (!hub_) return;
  const std::string id = pick_id();
  const bool deletes = random_.chance(0.2);
  const int number = ledger_.begin("outsider", id, deletes);
  const std::int64_t stamp = truth_.now().micros + random_.between(-kStampSpreadMicros, kStampSpreadMicros);
  const std::string value = deletes ? "\"deleted\":true" : "\"doc\":" + make_doc(number, false);
  const std::string body = R"({"ops":[{"collection":"items","id":")" + id + R"(","updated_at":)" +
                           std::to_string(stamp) + ',' + value + "}]}";
  const auto before = read_all(hub_->spaces(), hub_space_);
  say("outsider", body);
  const test::Answer answer =
      hub_->call({http::Method::post, "/v1/spaces/" + std::string(kSpace) + "/push", body, {}}, outsider_token_);
  const std::string status = answer.at("results.0.status");
  if (status == "noop" || answer.status != 200) return;
  ledger_.set_certain(number);
  // Its own version is the one that it has seen.
  const auto stored = before.find(id);
  const auto owner = hub_->access().authenticate(outsider_token_);
  const Record now = read_all(hub_->spaces(), hub_space_).at(id);
  const bool stands = deletes ? now.deleted : Ledger::number_of(now) == number;
  if (stands && stored != before.end() && owner && stored->second.origin == (*owner)->key) {
    ledger_.set_superseded(stored->second);
  }
}

void Simulation::plan_faults() {
  for (int i = 0; i < plan_.writes; ++i) {
    const std::int64_t when = random_.between(0, plan_.safety_ms);
    if (plan_.has_outsider && random_.chance(0.2)) {
      at(when, [this] { write_outside(); });
    } else {
      at(when, [this] {
        const auto index = random_.between(0, static_cast<std::int64_t>(nodes_.size()) - 1);
        write_on(*nodes_[static_cast<std::size_t>(index)]);
      });
    }
  }
  for (std::int64_t second = 1000; second < plan_.safety_ms; second += 1000) {
    at(second, [this] { inject_faults(); });
  }
  const auto sometime = [this] { return random_.between(0, plan_.safety_ms); };
  if (plan_.clones_a_node) {
    at(sometime(), [this] {
      say(nodes_[0]->name, "is cloned");
      add_node(nodes_[0]->disk->restore("n"), nodes_[0]->token);
    });
  }
  if (plan_.loses_keys) {
    at(sometime(), [this] {
      if (!hub_) return;
      const auto principal = hub_->access().authenticate(nodes_[0]->token);
      if (!principal || !hub_->access().revoke_key((*principal)->key_id)) return;
      say(nodes_[0]->name, "has its key revoked");
      unlink(*nodes_[0]);
    });
  }
  if (plan_.restores_hub) {
    const std::int64_t backup_ms = sometime();
    at(backup_ms, [this] {
      say("hub", "is backed up");
      backup_ = hub_disk_->restore("b");
    });
    at(random_.between(backup_ms, plan_.safety_ms), [this] { restore_hub(); });
  }
  if (hub_goes_back_) {
    const std::int64_t copy_ms = latest_.between(0, plan_.safety_ms);
    at(copy_ms, [this] {
      say("hub", "is copied");
      copy_epoch_ = hub_disk_->store().epoch();
      copy_ = hub_disk_->restore(copy_epoch_);
    });
    at(latest_.between(copy_ms, plan_.safety_ms), [this] { put_copy_back(); });
  }
  if (hub_is_emptied_) at(store_random_.between(0, plan_.safety_ms), [this] { empty_hub(); });
}

void Simulation::read_before_publication() {
  const std::string feed = "/v1/spaces/" + std::string(kSpace) + "/changes?limit=500";
  const auto read = [&](const std::string& since) {
    return hub_->call({http::Method::get, feed + since, "", {}}, reader_token_);
  };
  const test::Answer page = read("");
  if (page.status != 200) return;  // there is no such key here yet, or the disk cannot be read
  const test::Answer next = read("&since=" + page.at("cursor"));
  if (next.status != 200 && next.status != 503) {
    early_fault_ = "the hub answers " + next.body + " to the cursor that it has just given";
  }
}

void Simulation::inject_faults() {
  if (rots_ && rotting_.chance(0.2)) rot_a_record();
  if (plan_.purges && random_.chance(0.1)) {
    say("hub", "purges deletions");
    if (!hub_disk_->store().purge({Timestamp{}, truth_.now(), Timestamp{}})) std::abort();
  }
  inject_clock_faults();
  if (hub_ && random_.chance(plan_.hub_crashes)) {
    stop_hub();
    at(random_.between(1, 5000), [this] {
      if (!hub_) start_hub();
    });
  }
  for (std::size_t i = 0; i < nodes_.size(); ++i) {
    Node& node = *nodes_[i];
    if (random_.chance(plan_.node_crashes)) stop_node(node);
    if (random_.chance(plan_.partitions)) {
      node.cut_until_ms = now_ms_ + random_.between(500, 20'000);
      const std::int64_t kind = random_.between(0, 2);
      node.cut_out = kind != 1;
      node.cut_in = kind != 0;
      say(node.name, "is cut off");
    }
    if (random_.chance(plan_.pauses)) {
      node.paused_until_ms = now_ms_ + random_.between(500, 30'000);
      say(node.name, "is paused");
      at(node.paused_until_ms - now_ms_, [this, &node] { drive(node); });
    }
    if (plan_.clocks_jump && random_.chance(0.05)) set_clock(node);
    if (makes_full_pulls_ && later_.chance(0.1)) start_full_pull(node);
  }
}

bool Simulation::holds(Node& node, const Record& of_hub) {
  bool held = false;
  const auto done = node.disk->store().read({kNodeAccount, std::string(kSpace)}, [&](Snapshot& snapshot) -> Result<> {
    TRY(const auto own, snapshot.find(of_hub.collection, of_hub.id));
    TRY(const replica::SpaceState state, replica::read_space_state(snapshot));
    TRY(const auto known, replica::KnownVersions(state.generation).find(snapshot, of_hub.collection, of_hub.id));
    held = own && known && known->hub == of_hub.seq && own->deleted == of_hub.deleted && own->doc == of_hub.doc;
    return {};
  });
  if (!done) std::abort();
  return held;
}

void Simulation::rot_a_record() {
  const std::string id = "r" + std::to_string(rotting_.between(1, plan_.records));
  std::optional<Record> record;
  const auto done = hub_disk_->store().read(hub_space_, [&](Snapshot& snapshot) -> Result<> {
    TRY(record, snapshot.find_undamaged(kCollection, id));
    return {};
  });
  if (!done) std::abort();
  // What nobody else has is lost, and no program can do anything about it.
  if (!record || std::ranges::none_of(nodes_, [&](const auto& node) { return holds(*node, *record); })) return;
  hub_disk_->rot(hub_space_, kCollection, id);
  if (record->deleted) rotten_deletions_.insert(id);
  say("hub", id + " rots");
}

void Simulation::start_full_pull(Node& node) {
  if (!node.process || now_ms_ < node.paused_until_ms) return;
  say(node.name, "reads everything anew");
  auto& replica = node.process->replica();
  if (!replica.local().read_from_start() || !replica.connect(replica::native_dialect(), false, now_ms_)) std::abort();
  unlink(node);
  drive(node);
}

void Simulation::heal() {
  say("world", "heals");
  healed_ = true;
  hub_wall_.set_offset(0);
  if (!hub_) start_hub();
  // The operator has the store checked, and devices look again.
  if (rots_ && !hub_disk_->store().verify()) std::abort();
  for (const auto& node : nodes_) {
    node->cut_until_ms = 0;
    node->paused_until_ms = 0;
    if (!node->process) start_node(*node);
    if (!hub_->access().authenticate(node->token)) {
      node->token = new_key("node again");
      if (!node->process->replica().connect(replica::native_dialect(), false, now_ms_)) std::abort();
    }
    if (rots_) node->process->replica().machine().sync_now(now_ms_);
    drive(*node);
  }
}

std::string Simulation::compare(Node& node, const std::map<std::string, Record>& hub) {
  auto& replica = node.process->replica();
  const auto refused = replica.local().refused();
  if (!refused) return refused.error().text;
  const auto mine = read_all(node.process->spaces(), replica.local().name());
  for (int i = 1; i <= plan_.records; ++i) {
    const std::string id = "r" + std::to_string(i);
    const bool is_refused = std::ranges::any_of(*refused, [&](const auto& change) { return change.id == id; });
    if (is_refused) continue;
    const auto here = mine.find(id);
    const auto there = hub.find(id);
    const bool is_here = here != mine.end() && !here->second.deleted;
    const bool is_there = there != hub.end() && !there->second.deleted;
    if (is_here != is_there) return node.name + (is_here ? " still has " : " has lost ") + id;
    if (!is_here) continue;
    if (here->second.doc != there->second.doc) {
      return node.name + " has " + here->second.doc + " for " + id + ", the hub " + there->second.doc;
    }
    if (here->second.updated_at != there->second.updated_at) {
      return node.name + " has stamp " + format_time(here->second.updated_at) + " for " + id + ", the hub " +
             format_time(there->second.updated_at);
    }
  }
  return "";
}

std::string Simulation::check() {
  const auto hub = read_all(hub_->spaces(), hub_space_);
  Ledger::Found found;
  for (const auto& [id, record] : hub) {
    found.add(record);
    // A deletion of what was deleted already is the same deletion.
    for (const Record& version : history_of(hub_->spaces(), hub_space_, record)) {
      if (version.deleted) found.add(version);
    }
  }
  for (const Conflict& conflict : read_conflicts(hub_->spaces(), hub_space_)) found.add(conflict.loser);
  for (const auto& node : nodes_) {
    if (std::string fault = compare(*node, hub); !fault.empty()) return fault;
    const SpaceName& space = node->process->replica().local().name();
    for (const auto& [id, record] : read_all(node->process->spaces(), space)) {
      found.add(record);  // what the hub refused is here only
      if (!was_restored_) continue;
      // A hub from a backup has forgotten conflicts; devices have not forgotten what they wrote.
      for (const Record& version : history_of(node->process->spaces(), space, record)) found.add(version);
    }
    for (const Conflict& conflict : read_conflicts(node->process->spaces(), space)) found.add(conflict.loser);
  }
  // Devices that delete what is deleted add nothing to it; once it has rotted, the next edit takes its place.
  found.deletions.insert(rotten_deletions_.begin(), rotten_deletions_.end());
  if (std::string lost = ledger_.find_lost(found); !lost.empty()) return lost;
  // What a rotten version had replaced is not known to the hub any more; what was refused has replaced nothing there; a
  // clone does not know what its twin has replaced; and where fields are united, a version that nobody has seen yet may
  // carry the number of an earlier one.
  const bool may_stand_again =
      was_restored_ || plan_.has_refusals || plan_.clones_a_node || plan_.rules == Rules::kernle || rots_;
  if (std::string revived = may_stand_again ? "" : ledger_.find_revived(hub); !revived.empty()) return revived;
  return check_clock();
}

}  // namespace syncline::sim
