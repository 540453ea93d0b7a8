#include "service/pairings.hpp"

#include <algorithm>

#include "base/bytes.hpp"
#include "service/access_records.hpp"
#include "service/short_code.hpp"

namespace syncline {

using namespace access;

namespace {

/// How long it is known what became of a code, for the page that waits for it.
constexpr std::int64_t kKeptMicros = 600 * kMicrosPerSecond;
constexpr std::size_t kPairingsMax = 10'000;

std::string hash_of_code(std::string_view code) { return std::string(as_text(sha256(code))); }

/// No space has such an account.
SpaceName notices_of(std::string_view id) { return {AccountNumber{0}, "pairing " + std::string(id)}; }

/// A proxy on this machine that is not trusted speaks for many, but guessing must be slow there, too.
std::string counted_claimer(const Caller& caller) {
  const std::string counted = counted_peer(caller.address);
  return counted.empty() ? "this machine" : counted;
}

ScopeSet scopes_of_devices() {
  return {Scope::read, Scope::write, Scope::commands_submit, Scope::commands_run, Scope::commands_approve};
}

/// The key with which the maker's sessions end; none for a person.
KeyNumber key_behind(const Principal& maker) {
  if (maker.opened_with.value != 0) return maker.opened_with;
  return maker.is_person ? KeyNumber{} : maker.key;
}

Result<ScopeSet> check_scopes(const Principal& maker, const std::optional<ScopeSet>& wanted) {
  if (!wanted) {
    const ScopeSet usual = ScopeSet{Scope::read, Scope::write, Scope::commands_approve}.common_with(maker.scopes);
    if (!usual.empty()) return usual;
    return fail(ErrorCode::forbidden, "the key has none of the scopes read, write and commands:approve to pass on");
  }
  if (wanted->empty()) return fail(ErrorCode::invalid_argument, "a device needs at least one scope");
  if (wanted->has_any({Scope::keys, Scope::admin})) {
    return fail(ErrorCode::invalid_argument, "a paired device cannot have the scopes keys and admin");
  }
  return wanted->common_with(scopes_of_devices());
}

std::unexpected<Error> ended_maker() {
  return fail(ErrorCode::conflict, "the session or key that made this code has ended; make a new code");
}

}  // namespace

void Pairings::forget_old() {
  const Timestamp before = clock_.now().plus_micros(-kKeptMicros);
  for (auto at = pairings_.begin(); at != pairings_.end();) {
    if (at->second.expires_at > before) {
      ++at;
      continue;
    }
    ids_by_hash_.erase(at->second.code_hash);
    at = pairings_.erase(at);
  }
}

Pairings::Pairing* Pairings::find(std::string_view id) {
  const auto found = pairings_.find(std::string(id));
  return found == pairings_.end() ? nullptr : &found->second;
}

Result<Pairings::Made> Pairings::make(const Principal& maker, const Wanted& wanted) {
  TRY(const ScopeSet scopes, check_scopes(maker, wanted.scopes));
  const SpaceLimit spaces = wanted.spaces.value_or(maker.spaces);
  CHECK_OK(check_may_give({maker.scopes, maker.spaces}, scopes, spaces));
  if (!wanted.label.empty()) CHECK_OK(check_label(wanted.label));
  const Timestamp now = clock_.now();
  const std::string counted = std::to_string(maker.account.value);
  if (!by_account_.check(counted, now)) {
    return fail(ErrorCode::too_many, "an account can make " + std::to_string(kMadeMax) +
                                         " codes a minute; wait a minute, then make the next one");
  }
  by_account_.note_failure(counted, now);
  const MutexLock lock(mutex_);
  forget_old();
  if (pairings_.size() >= kPairingsMax) {
    return fail(ErrorCode::busy, "too many codes were made within ten minutes; try again later");
  }
  std::string code = make_short_code();
  while (ids_by_hash_.contains(hash_of_code(code))) code = make_short_code();
  Pairing pairing{.id = make_uuid7(now.micros / 1000),
                  .code_hash = hash_of_code(code),
                  .maker = maker,
                  .scopes = scopes,
                  .spaces = spaces,
                  .label = wanted.label,
                  .expires_at = now.plus_micros(kCodeSeconds * kMicrosPerSecond)};
  Made made{.id = pairing.id,
            .code = group_short_code(code),
            .scopes = scopes,
            .spaces = spaces,
            .expires_at = pairing.expires_at};
  ids_by_hash_.emplace(pairing.code_hash, pairing.id);
  pairings_.emplace(made.id, std::move(pairing));
  return made;
}

Result<Pairings::Status> Pairings::status(const Principal& asker, std::string_view id) {
  const MutexLock lock(mutex_);
  forget_old();
  const Pairing* pairing = find(id);
  if (pairing == nullptr || pairing->maker.account != asker.account) {
    return fail(ErrorCode::not_found,
                "no such pairing; the hub forgets one ten minutes after its code, and when it "
                "restarts");
  }
  Status status{.expires_at = pairing->expires_at, .device = pairing->device};
  if (pairing->device) {
    status.state = State::claimed;
  } else if (clock_.now() >= pairing->expires_at && !pairing->is_used) {
    status.state = State::expired;
  }
  return status;
}

void Pairings::wait(std::string_view id, std::int64_t wait_ms, std::move_only_function<void()> done) {
  const auto head = [&]() -> Seq {
    const MutexLock lock(mutex_);
    const Pairing* pairing = find(id);
    return Seq{pairing == nullptr || pairing->device ? 1 : 0};
  };
  live_.wait_for_change(notices_of(id), Seq{}, head, wait_ms, std::move(done));
}

Result<Pairings::Pairing*> Pairings::find_by_code(std::string_view code) {
  const auto known = ids_by_hash_.find(hash_of_code(read_short_code(code)));
  Pairing* pairing = known == ids_by_hash_.end() ? nullptr : find(known->second);
  if (pairing == nullptr) {
    return fail(ErrorCode::not_found, "this code is wrong; compare it with the one that is shown");
  }
  if (pairing->is_used) return fail(ErrorCode::conflict, "this code was used already; make a new one");
  if (clock_.now() >= pairing->expires_at) {
    return fail(ErrorCode::conflict, "this code has expired; make a new one");
  }
  return pairing;
}

Result<Pairings::Pairing> Pairings::check_code(std::string_view code, const Caller& caller, bool uses_it) {
  const std::string counted = counted_claimer(caller);
  const Timestamp now = clock_.now();
  if (!by_peer_.check(counted, now)) {
    return fail(ErrorCode::too_many, "too many wrong codes; wait a minute, then try again");
  }
  Result<Pairing> found = fail(ErrorCode::not_found, "");
  {
    const MutexLock lock(mutex_);
    const auto pairing = find_by_code(code);
    if (pairing) {
      (*pairing)->is_used = uses_it;
      found = **pairing;
    } else {
      found = std::unexpected(pairing.error());
    }
  }
  if (!found) {
    by_peer_.note_failure(counted, now);
    access_.audit().note_refusal(
        {.action = "pairing.refused", .account = {}, .target = {}, .detail = found.error().text});
  }
  return found;
}

Result<Pairings::Offer> Pairings::look(std::string_view code, const Caller& caller) {
  TRY(const Pairing pairing, check_code(code, caller, false));
  CHECK_OK(check_maker(pairing));
  return Offer{pairing.maker.email, pairing.scopes, pairing.spaces, pairing.label, pairing.expires_at};
}

Result<BrowserSession> Pairings::claim(std::string_view code, BrowserTerms terms, const Caller& caller) {
  if (!terms.label.empty()) CHECK_OK(check_label(terms.label));
  TRY(const Pairing pairing, check_code(code, caller, true));
  if (terms.label.empty()) terms.label = pairing.label.empty() ? "paired device" : pairing.label;
  terms.scopes = pairing.scopes;
  terms.spaces = pairing.spaces;
  terms.how = "with a code that " + pairing.maker.key_id + " made";
  auto session = open(pairing, terms, caller);
  {
    const MutexLock lock(mutex_);
    if (Pairing* kept = find(pairing.id)) {
      kept->is_used = session.has_value();
      if (session) kept->device = session->key;
    }
  }
  if (session) live_.notify(notices_of(pairing.id), Seq{1});
  return session;
}

Result<> Pairings::check_maker(const Pairing& pairing) {
  const auto valid = access_.check_still(pairing.maker, {});
  if (!valid && valid.error().code == ErrorCode::unauthorized) return ended_maker();
  return valid;
}

Result<BrowserSession> Pairings::open(const Pairing& pairing, const BrowserTerms& terms, const Caller& caller) {
  CHECK_OK(check_maker(pairing));  // a revocation that could not be stored counts, too
  BrowserSession session;
  const auto opened = access_.change(Access::Effect::admits, [&](DirectoryTxn& txn) -> Result<AccountNumber> {
    CHECK_OK(check_standing(txn, pairing.maker, txn.now()));
    TRY(const Account account, get_account_in(txn, pairing.maker.email));
    std::optional<StoredKey> behind;
    if (const KeyNumber number = key_behind(pairing.maker); number.value != 0) {
      TRY(behind, get_key_in(txn, key_id_of(number)));
    }
    TRY(session, BrowserSessions::open(txn, account, behind ? &behind->key : nullptr, terms, caller));
    return account.number;
  });
  if (!opened && opened.error().code == ErrorCode::unauthorized) return ended_maker();
  CHECK_OK(opened);
  return session;
}

}  // namespace syncline
