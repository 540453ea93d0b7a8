#include "service/search.hpp"

#include <algorithm>

#include "base/log.hpp"
#include "base/stop.hpp"

namespace syncline {
namespace {

constexpr auto kLookInterval = std::chrono::seconds(2);
/// What a search may take to bring the index up to date.
constexpr auto kMoment = std::chrono::milliseconds(1500);
constexpr std::size_t kBatchRecords = 100;  // a search waits for a batch at most
constexpr std::size_t kBatchBytes = 4UL << 20U;
/// Documents of one answer.
constexpr std::size_t kHitBytesMax = 8UL << 20U;

}  // namespace

void Search::start() {
  thread_ = std::jthread([this](const std::stop_token& stop) { run(stop); });
}

void Search::stop() {
  thread_.request_stop();
  if (thread_.joinable()) thread_.join();
}

void Search::run(const std::stop_token& stop) {
  while (!stop.stop_requested()) {
    wait_unless_stopped(stop, kLookInterval);
    if (!stop.stop_requested()) follow_quiet_spaces(stop);
  }
}

/// A space that is written to is left alone: whoever writes comes first.
void Search::follow_quiet_spaces(const std::stop_token& stop) {
  const auto infos = spaces_.list(std::nullopt);
  if (!infos) return;
  std::unordered_map<SpaceName, Seq> heads;
  for (const SpaceInfo& info : *infos) {
    if (!info.name.name.starts_with(subject_.prefix)) continue;
    heads[info.name] = info.head;
    const auto before = heads_.find(info.name);
    const bool is_quiet = before != heads_.end() && before->second == info.head;
    if (!is_quiet || stop.stop_requested()) continue;
    if (const auto done = catch_up(info, Deadline::max(), stop); !done) {
      log(LogLevel::warning, "search_index_failed", {{"space", info.name.name}, {"error", done.error().text}});
    }
  }
  heads_ = std::move(heads);
}

Result<Seq> Search::index_batch(const SpaceInfo& space, Seq at) {
  std::vector<SearchIndex::Entry> batch;
  std::size_t bytes = 0;
  Seq through = at;
  bool is_full = false;
  CHECK_OK(spaces_.read(space.name, [&](Snapshot& snapshot) {
    return snapshot.feed(at, [&](const RecordView& record) {
      is_full = batch.size() >= kBatchRecords || bytes >= kBatchBytes;
      if (is_full || record.seq > space.head) return false;
      const bool is_gone = record.deleted || record.rule == Rule::wiped;
      batch.push_back({std::string(record.collection), std::string(record.id),
                       is_gone ? SearchedText{} : subject_.text_of(record)});
      bytes += record.doc.size();
      through = record.seq;
      return true;
    });
  }));
  if (!is_full) through = space.head;
  CHECK_OK(index_.update(space.name, batch, spaces_.cursor(space.name, through, space.head)));
  return through;
}

Result<Seq> Search::position(const SpaceName& space) {
  TRY(const Cursor indexed, index_.position(space));
  const auto checked = spaces_.check(space, indexed);
  if (!checked && advice_of(checked.error().code) != Advice::resync) return std::unexpected(checked.error());
  return checked ? indexed.seq : Seq{};
}

Result<> Search::catch_up(const SpaceInfo& space, Deadline deadline, const std::stop_token& stop) {
  while (!stop.stop_requested() && std::chrono::steady_clock::now() < deadline) {
    TRY(Seq at, position(space.name));
    if (at == space.head) return {};  // without waiting for whoever indexes another space
    const auto began = std::chrono::steady_clock::now();
    {
      const MutexLock lock(catching_up_);
      TRY(at, position(space.name));
      if (at == space.head) return {};
      if (at > space.head) at = Seq{};
      TRY([[maybe_unused]] const Seq through, index_batch(space, at));
    }
    // In the background: at least as long for others as for this.
    if (deadline == Deadline::max()) std::this_thread::sleep_for(std::chrono::steady_clock::now() - began);
  }
  return {};
}

Result<std::vector<Search::Hit>> Search::find(const SearchIndex::Query& query, std::size_t count_max,
                                              const std::function<bool(const Hit&)>& wanted) {
  const Deadline deadline = std::chrono::steady_clock::now() + kMoment;
  TRY(const auto infos, spaces_.list(query.account));
  for (const SpaceInfo& info : infos) {
    const bool asked = query.spaces.empty() || std::ranges::find(query.spaces, info.name.name) != query.spaces.end();
    if (asked && info.name.name.starts_with(subject_.prefix)) CHECK_OK(catch_up(info, deadline, {}));
  }
  TRY(const auto matches, index_.find(query));
  std::vector<Hit> hits;
  std::size_t bytes = 0;
  for (const SearchIndex::Match& match : matches) {
    if (hits.size() == count_max || bytes > kHitBytesMax) break;
    CHECK_OK(spaces_.read({query.account, match.space}, [&](Snapshot& snapshot) -> Result<> {
      TRY(auto record, snapshot.find_undamaged(match.collection, match.id));
      if (!record || record->deleted || record->rule == Rule::wiped) return {};
      Hit hit{match.space, *std::move(record), match.score};
      if (!wanted(hit)) return {};
      bytes += hit.record.doc.size();
      hits.push_back(std::move(hit));
      return {};
    }));
  }
  return hits;
}

}  // namespace syncline
