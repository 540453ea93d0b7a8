#include "sim/hub_store.hpp"

namespace syncline::sim {

Result<> HubStore::next_read() {
  if (!passing_left_) return {};
  if (*passing_left_ > 0) {
    *passing_left_ -= 1;
    return {};
  }
  return fail(ErrorCode::storage_damaged, "the disk cannot be read");
}

void HubStore::write(const SpaceName& space, const WriteOptions& options, WriteFunction run, WriteDone done) {
  if (auto readable = next_read(); !readable) return done(std::unexpected(readable.error()));
  const Seq published = head(space);
  Result<Committed> outcome = fail(ErrorCode::internal, "the store has not answered");
  ForwardingStore::write(space, options, std::move(run),
                         [&](Result<Committed> result) { outcome = std::move(result); });
  if (outcome && outcome->changed && before_publication_) {
    const bool is_first = published_.try_emplace(space, published).second;
    before_publication_(space);
    if (is_first) published_.erase(space);
  }
  done(std::move(outcome));
}

Result<> HubStore::read(const SpaceName& space, const ReadFunction& run) {
  CHECK_OK(next_read());
  return ForwardingStore::read(space, run);
}

Result<std::vector<SpaceInfo>> HubStore::spaces(std::optional<AccountNumber> account) {
  CHECK_OK(next_read());
  return ForwardingStore::spaces(account);
}

Result<std::vector<CollectionInfo>> HubStore::collections(const SpaceName& space) {
  CHECK_OK(next_read());
  return ForwardingStore::collections(space);
}

Seq HubStore::head(const SpaceName& space) const {
  const auto found = published_.find(space);
  return found == published_.end() ? ForwardingStore::head(space) : found->second;
}

}  // namespace syncline::sim
