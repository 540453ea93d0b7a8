// What the hub makes of an op that meets a stored version: drawn from few stamps and few documents, so that ties,
// echoes and clocks that are ahead meet often. For whoever writes another hub, or a stand-in for one in tests.
#include <array>

#include "core/merge.hpp"
#include "sim/random.hpp"
#include "vectors/vector_file.hpp"

namespace syncline::vectors {
namespace {

constexpr int kMergeCases = 400;
constexpr Timestamp kNow{1'800'000'000'000'000};

constexpr std::array<std::string_view, 4> kPlainDocs = {R"({"v":1})", R"({"v":2})", R"({"v":1.0})", R"({ "v":1 })"};
constexpr std::array<std::string_view, 8> kFieldDocs = {
    R"({"tags":["a","b"],"created_at":"2026-03-01T00:00:00Z","text":"one","count":0})",
    R"({"tags":["b","c"],"created_at":"2026-02-01T00:00:00Z","text":null})",
    R"({"tags":["b","a"],"text":"two","count":3})",
    R"({"tags":null,"created_at":"2026-04-01T12:00:00+02:00","text":"","count":1})",
    R"({"tags":["a",1,1.0,{"x":[]},{"x":[]}],"text":"one","more":{"b":2,"a":1}})",
    R"({"more":{"a":1,"b":2},"text":"one"})",
    R"({"created_at":"never","text":"\u00e9","count":1})",
    R"({})"};

std::string_view name_of(Decision::Kind kind) {
  switch (kind) {
    case Decision::Kind::insert: return "insert";
    case Decision::Kind::update: return "update";
    case Decision::Kind::merged: return "merged";
    case Decision::Kind::noop: return "noop";
    case Decision::Kind::stale: return "stale";
  }
  return "";
}
std::string_view name_of(Decision::Keep keep) {
  switch (keep) {
    case Decision::Keep::nothing: return "nothing";
    case Decision::Keep::stored: return "stored";
    case Decision::Keep::incoming: return "incoming";
  }
  return "";
}
std::string_view name_of(MergePolicy::Tie tie) {
  switch (tie) {
    case MergePolicy::Tie::live_then_hash: return "live_then_hash";
    case MergePolicy::Tie::stored_stays: return "stored_stays";
    case MergePolicy::Tie::smaller_hash: return "smaller_hash";
  }
  return "";
}

struct NamedPolicy {
  std::string_view name;
  MergePolicy policy;
};

/// How the collections of the hub's APIs merge, and mixtures of that.
std::vector<NamedPolicy> make_policies() {
  MergePolicy fields;
  fields.tie = MergePolicy::Tie::smaller_hash;
  fields.union_fields = {"tags"};
  fields.earliest_fields = {"created_at"};
  fields.unset_values = {{"count", "1"}};
  MergePolicy kept;
  kept.tie = MergePolicy::Tie::stored_stays;
  kept.echo = MergePolicy::Echo::changes_nothing;
  kept.ahead = MergePolicy::Ahead::kept;
  kept.seen = MergePolicy::Seen::pulled_before_edit;
  MergePolicy kept_fields = fields;
  kept_fields.ahead = kept.ahead;
  kept_fields.seen = kept.seen;
  MergePolicy plain_fields;
  plain_fields.union_fields = {"tags"};
  return {{"plain", {}}, {"fields", fields}, {"kept", kept}, {"kept fields", kept_fields}, {"tags", plain_fields}};
}

Timestamp draw_stamp(sim::Random& random) {
  constexpr std::array<std::int64_t, 9> kOffsetsS = {-7200, -200, -100, 0, 0, 100, 300, 301, 100'000};
  const Timestamp at = kNow.plus_micros(kOffsetsS[static_cast<std::size_t>(random.between(0, 8))] * kMicrosPerSecond);
  return random.chance(0.15) ? at.plus_micros(random.between(-1, 1)) : at;
}

class MergeCase {
 public:
  MergeCase(std::uint64_t seed, const NamedPolicy& policy, VectorFile& file)
      : file_(file), random_(seed), name_(policy.name), policy_(policy.policy) {}

  void run() {
    draw_stored();
    draw_op();
    const Author author{{random_.between(1, 2)}, {random_.between(0, 6)}, {6}};
    const MergeTime time{kNow, random_.chance(0.15) ? kNow.plus_micros(3600 * kMicrosPerSecond) : kNow};
    const Decision decision = merge(stored_ ? &*stored_ : nullptr, op_, policy_, author, time);
    cover(decision);

    std::string line;
    JsonWriter writer(line);
    writer.begin_object().string("policy", name_);
    write_stored(writer);
    write_op(writer);
    writer.name("author")
        .begin_object()
        .raw("key", json_number(author.key.value))
        .raw("seen_through", json_number(author.seen_through.value))
        .end_object()
        .raw("now", json_number(time.now.micros))
        .raw("latest", json_number(time.latest.micros));
    writer.name("then")
        .begin_object()
        .string("kind", name_of(decision.kind))
        .string("rule", syncline::to_text(decision.rule))
        .string("keep", name_of(decision.keep))
        .raw("updated_at", json_number(decision.updated_at.micros))
        .raw("effective_at", json_number(decision.effective_at.micros))
        .raw("claimed_at", json_number(decision.claimed_at.micros))
        .boolean("clock_lowered", decision.clock_lowered);
    if (decision.kind == Decision::Kind::merged) writer.string("merged_doc", decision.merged_doc);
    writer.end_object().end_object();
    file_.add(std::move(line));
  }

 private:
  std::string_view draw_doc() {
    return policy_.merges_fields() ? kFieldDocs[static_cast<std::size_t>(random_.between(0, kFieldDocs.size() - 1))]
                                   : kPlainDocs[static_cast<std::size_t>(random_.between(0, kPlainDocs.size() - 1))];
  }

  void draw_stored() {
    if (random_.chance(0.06)) return;
    Record& stored = stored_.emplace();
    stored.seq = {random_.between(1, 5)};
    stored.deleted = random_.chance(0.2);
    if (!stored.deleted) stored.doc = draw_doc();
    stored.updated_at = stored.effective_at = draw_stamp(random_);
    if (random_.chance(0.2)) stored.effective_at = draw_stamp(random_);
    if (random_.chance(0.3)) stored.claimed_at = draw_stamp(random_);
    stored.committed_at = random_.chance(0.1) ? kNow.plus_micros(7200 * kMicrosPerSecond) : draw_stamp(random_);
    stored.origin = {random_.between(1, 2)};
    constexpr std::array kRules = {Rule::first, Rule::later_stamp, Rule::wiped};
    stored.rule = kRules[random_.chance(0.05) ? 2 : static_cast<std::size_t>(random_.between(0, 1))];
  }

  void draw_op() {
    op_.collection = "c";
    op_.id = "i";
    op_.deleted = random_.chance(0.2);
    if (!op_.deleted) op_.doc = draw_doc();
    if (random_.chance(0.9)) op_.updated_at = draw_stamp(random_);
    if (stored_ && op_.updated_at && random_.chance(0.25)) op_.updated_at = stored_->effective_at;
    if (stored_ && random_.chance(0.3)) op_.base = random_.chance(0.6) ? stored_->seq : Seq{stored_->seq.value - 1};
    // The same again, and the claim again.
    if (stored_ && random_.chance(0.15)) {
      op_.deleted = stored_->deleted;
      op_.doc = stored_->doc;
    }
    if (stored_ && stored_->claimed_at.micros != 0 && random_.chance(0.5)) op_.updated_at = stored_->claimed_at;
  }

  void cover(const Decision& decision) {
    file_.count("decision: " + std::string(name_of(decision.kind)));
    file_.count("rule: " + std::string(syncline::to_text(decision.rule)));
    file_.count("keeps: " + std::string(name_of(decision.keep)));
    file_.count("tie: " + std::string(name_of(policy_.tie)));
    if (decision.clock_lowered) file_.count("a clock that is ahead");
    if (stored_ && stored_->rule == Rule::wiped) file_.count("a wiped record");
    if (stored_ && standing_stamp(*stored_, kNow) == kTimestampMin) file_.count("a stamp of the hub's own wrong clock");
    if (policy_.merges_fields()) file_.count("a merge of fields");
  }

  void write_stored(JsonWriter& writer) const {
    if (!stored_) {
      writer.name("stored").null();
      return;
    }
    writer.name("stored")
        .begin_object()
        .raw("seq", json_number(stored_->seq.value))
        .raw("updated_at", json_number(stored_->updated_at.micros))
        .raw("effective_at", json_number(stored_->effective_at.micros))
        .raw("claimed_at", json_number(stored_->claimed_at.micros))
        .raw("committed_at", json_number(stored_->committed_at.micros))
        .raw("origin", json_number(stored_->origin.value))
        .string("rule", syncline::to_text(stored_->rule))
        .boolean("deleted", stored_->deleted)
        .string("doc", stored_->doc)
        .end_object();
  }
  void write_op(JsonWriter& writer) const {
    writer.name("op").begin_object();
    if (op_.updated_at) writer.raw("updated_at", json_number(op_.updated_at->micros));
    if (op_.base) writer.raw("base", json_number(op_.base->value));
    writer.boolean("deleted", op_.deleted).string("doc", op_.doc).end_object();
  }

  VectorFile& file_;
  sim::Random random_;
  const std::string_view name_;
  const MergePolicy& policy_;
  std::optional<Record> stored_;
  Op op_;
};

void write_names(JsonWriter& writer, std::string_view member, const std::vector<std::string>& names) {
  writer.name(member).begin_array();
  for (const std::string& name : names) writer.string(name);
  writer.end_array();
}

/// Cases name their policy.
std::string policy_line(const NamedPolicy& named) {
  const MergePolicy& policy = named.policy;
  std::string line;
  JsonWriter writer(line);
  writer.begin_object()
      .string("policy", named.name)
      .string("tie", name_of(policy.tie))
      .boolean("echo_lifts_stamp", policy.echo == MergePolicy::Echo::lifts_stamp)
      .boolean("keeps_stamps_ahead", policy.ahead == MergePolicy::Ahead::kept)
      .boolean("pulls_before_edits", policy.seen == MergePolicy::Seen::pulled_before_edit);
  write_names(writer, "union_fields", policy.union_fields);
  write_names(writer, "earliest_fields", policy.earliest_fields);
  writer.name("unset_values").begin_object();
  for (const auto& [name, value] : policy.unset_values) writer.raw(name, value);
  writer.end_object().end_object();
  return line;
}

}  // namespace

VectorFile make_merge_vectors() {
  VectorFile file("merge.ndjson");
  const std::vector<NamedPolicy> policies = make_policies();
  for (const NamedPolicy& policy : policies) file.add(policy_line(policy));
  for (std::uint64_t seed = 1; seed <= kMergeCases; ++seed) {
    MergeCase(seed, policies[seed % policies.size()], file).run();
  }
  for (const char* kind : {"insert", "update", "merged", "noop", "stale"}) {
    file.require(std::string("decision: ") + kind, 20);
  }
  for (const char* rule : {"first", "base", "later_stamp", "direct", "live_wins", "greater_hash", "stored_stays",
                           "clock_guard", "smaller_hash"}) {
    file.require(std::string("rule: ") + rule, 5);
  }
  for (const char* kept : {"nothing", "stored", "incoming"}) file.require(std::string("keeps: ") + kept, 20);
  for (const char* tie : {"live_then_hash", "stored_stays", "smaller_hash"}) {
    file.require(std::string("tie: ") + tie, 50);
  }
  file.require("a clock that is ahead", 20);
  file.require("a wiped record", 5);
  file.require("a stamp of the hub's own wrong clock", 3);
  file.require("a merge of fields", 100);
  return file;
}

}  // namespace syncline::vectors
