#include "sim/parts.hpp"

#include <cstdlib>

namespace syncline::sim {

RuleBook make_rule_book(Rules rules, bool refuses) {
  SpaceRules made;
  CollectionRules& items = made.collections[std::string(kCollection)];
  if (rules == Rules::kernle) {
    items.merge.tie = MergePolicy::Tie::smaller_hash;
    items.merge.union_fields = {"tags"};
    items.merge.earliest_fields = {"created_at"};
  } else if (rules == Rules::kaisho) {
    items.merge.tie = MergePolicy::Tie::stored_stays;
    items.merge.echo = MergePolicy::Echo::changes_nothing;
    items.merge.ahead = MergePolicy::Ahead::kept;
    items.merge.seen = MergePolicy::Seen::pulled_before_edit;
    items.stale_author = CollectionRules::StaleAuthor::pulls_again;
  }
  if (refuses) {
    items.check = [](const Op& op) -> Result<> {
      if (op.deleted || !JsonView(op.doc).find("bad")) return {};
      return fail(ErrorCode::invalid_document, "the document is bad");
    };
  }
  return RuleBook({{std::string(kSpace), std::move(made)}});
}

HubProcess::HubProcess(Store& store, const Clock& clock, const Plan& plan)
    : store_(store),
      clock_(clock),
      access_(store, clock),
      progress_(store),
      rules_(make_rule_book(plan.rules, plan.has_refusals)),
      spaces_(store, clock, live_, progress_, rules_),
      native_(spaces_, access_),
      router_(access_, clock, {}) {
  if (!progress_.load()) std::abort();
  router_.add(native_.make_routes());
}

test::Answer HubProcess::call(const http::ClientRequest& request, const std::string& token) {
  const auto pending = test::begin_request(
      router_,
      {.method = request.method, .target = request.target, .token = token, .body = request.body, .headers = {}});
  scheduler_.run_posted();
  if (!pending.has_come()) std::abort();
  return pending.get();
}

NodeProcess::NodeProcess(Store& store, const Clock& clock, const Plan& plan)
    : progress_(store),
      rules_(make_rule_book(plan.rules, false)),
      spaces_(store, clock, live_, progress_, rules_),
      replica_(spaces_, {kNodeAccount, std::string(kSpace)}, plan.settings, plan.limits) {}

std::map<std::string, Record> read_all(Spaces& spaces, const SpaceName& space) {
  std::map<std::string, Record> records;
  const auto done = spaces.read(space, [&](Snapshot& snapshot) {
    return snapshot.scan(kCollection, "", [&](const RecordView& record) {
      records.emplace(record.id, record.to_record());
      return true;
    });
  });
  if (!done) std::abort();
  return records;
}

std::vector<Record> history_of(Spaces& spaces, const SpaceName& space, const Record& current) {
  std::vector<Record> versions;
  const auto done = spaces.read(space, [&](Snapshot& snapshot) -> Result<> {
    TRY(versions, snapshot.history(current, 1000, 64UL << 20U));
    return {};
  });
  if (!done) std::abort();
  return versions;
}

std::vector<Conflict> read_conflicts(Spaces& spaces, const SpaceName& space) {
  std::vector<Conflict> all;
  const auto done = spaces.read(space, [&](Snapshot& snapshot) -> Result<> {
    for (;;) {
      TRY(auto some, snapshot.conflicts(std::nullopt, all.empty() ? ConflictNumber{} : all.back().number, 1000));
      if (some.empty()) return {};
      all.insert(all.end(), some.begin(), some.end());
    }
  });
  if (!done) std::abort();
  return all;
}

}  // namespace syncline::sim
