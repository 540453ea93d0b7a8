#include "service/passkeys.hpp"

#include <algorithm>

#include "base/bytes.hpp"
#include "base/hmac.hpp"
#include "base/ip_address.hpp"
#include "base/text.hpp"
#include "service/access_records.hpp"
#include "service/public_url.hpp"

namespace syncline {

using namespace access;

namespace {

// A challenge: until when it is good, random bytes, and a seal over both.
constexpr std::size_t kTimeBytes = 8;
constexpr std::size_t kRandomBytes = 8;
constexpr std::size_t kChallengeHeadBytes = kTimeBytes + kRandomBytes;
constexpr std::size_t kSealBytes = 16;

std::string bytes_of_time(Timestamp time) {
  std::string bytes;
  for (unsigned shift = 64; shift > 0;) {
    shift -= 8;
    bytes += static_cast<char>(static_cast<std::uint64_t>(time.micros) >> shift);
  }
  return bytes;
}

Timestamp time_in(std::string_view challenge) {
  std::uint64_t micros = 0;
  for (const char byte : challenge.substr(0, kTimeBytes)) micros = (micros << 8U) | static_cast<unsigned char>(byte);
  return {static_cast<std::int64_t>(micros)};
}

std::string passkey_id_of(PasskeyNumber number) { return "p" + std::to_string(number.value); }

/// What the row of a passkey has beside its columns.
struct PasskeyDoc {
  std::string label;
  passkey::Known known;
  std::optional<Timestamp> last_used_at;
};

std::string doc_of(const PasskeyDoc& passkey) {
  std::string doc;
  JsonWriter writer(doc);
  writer.begin_object().string("label", passkey.label);
  writer.integer("algorithm", static_cast<std::int64_t>(passkey.known.kind));
  writer.string("public_key", to_base64(passkey.known.public_key)).integer("counter", passkey.known.counter);
  if (passkey.last_used_at) writer.string("last_used_at", format_time(*passkey.last_used_at));
  writer.end_object();
  return doc;
}

Result<PasskeyDoc> passkey_from(const PasskeyRow& row) {
  const JsonView json(row.doc);
  PasskeyDoc stored{.label = json.text_of("label"), .last_used_at = time_field(json, "last_used_at")};
  TRY(stored.known.kind, passkey::parse_kind(integer_field(json, "algorithm")));
  stored.known.public_key = from_base64(json.text_of("public_key")).value_or("");
  stored.known.counter = static_cast<std::uint32_t>(integer_field(json, "counter"));
  return stored;
}

Result<Passkey> shown(const PasskeyRow& row) {
  TRY(const PasskeyDoc stored, passkey_from(row));
  return Passkey{row.number, passkey_id_of(row.number), stored.label, row.created_at, stored.last_used_at};
}

std::string purpose_of(const Principal& owner) { return "add to " + std::to_string(owner.account.value); }

std::unexpected<Error> unknown_passkey() { return fail(ErrorCode::unauthorized, passkey::kUnknown); }

}  // namespace

Result<passkey::Site> passkey_site(const std::string& public_url) {
  const std::string host = host_of_public_url(public_url);
  if (host.empty()) {
    return fail(ErrorCode::conflict,
                "passkeys belong to a host name, and this hub does not know its own; set hub.public_url to the https "
                "URL under which people reach it");
  }
  if (host.starts_with('[') || parse_ip_address(host)) {
    return fail(ErrorCode::conflict,
                "browsers offer passkeys for host names alone, and hub.public_url has the address " + host +
                    "; give the hub a host name");
  }
  if (!public_url.starts_with("https://") && host != "localhost") {
    return fail(ErrorCode::conflict, "browsers offer passkeys by https alone, and hub.public_url begins with http");
  }
  return passkey::Site{.origin = public_url, .rp_id = host};
}

Passkeys::Passkeys(Store& store, Access& access, const Clock& clock)
    : directory_(store.directory()), access_(access), clock_(clock), secret_(random_bytes(32)) {}

std::string Passkeys::seal_of(std::string_view head, std::string_view purpose) const {
  const Sha256 seal = hmac_sha256(secret_, std::string(head) + std::string(purpose));
  return std::string(as_text(seal).substr(0, kSealBytes));
}

std::string Passkeys::make_challenge(std::string_view purpose) const {
  const std::string head =
      bytes_of_time(clock_.now().plus_micros(kChallengeSeconds * kMicrosPerSecond)) + random_bytes(kRandomBytes);
  return head + seal_of(head, purpose);
}

bool Passkeys::is_good(std::string_view challenge, std::string_view purpose) {
  if (challenge.size() != kChallengeHeadBytes + kSealBytes) return false;
  const std::string seal = seal_of(challenge.substr(0, kChallengeHeadBytes), purpose);
  if (!equal_in_constant_time(challenge.substr(kChallengeHeadBytes), seal)) return false;
  const MutexLock lock(mutex_);
  return clock_.now() < time_in(challenge) && !used_.contains(std::string(challenge));
}

bool Passkeys::use_up(const std::string& challenge) {
  const Timestamp now = clock_.now();
  const MutexLock lock(mutex_);
  std::erase_if(used_, [&](const auto& entry) { return entry.second <= now; });
  return used_.emplace(challenge, time_in(challenge)).second;
}

void Passkeys::take_back(const std::string& challenge) {
  const MutexLock lock(mutex_);
  used_.erase(challenge);
}

Result<Passkeys::Creation> Passkeys::begin(const Principal& owner) {
  CHECK_OK(check_whole_session(owner, "a passkey"));
  Creation creation{.challenge = make_challenge(purpose_of(owner))};
  CHECK_OK(directory_.read([&](DirectoryView& view) -> Result<> {
    TRY(const auto account, view.find_account(owner.account));
    if (!account) return invalid_token();
    // Two hubs on one host must not replace each other's passkeys, so the number alone is not enough.
    const std::string name = "account " + std::to_string(owner.account.value) + ' ' + format_time(account->created_at);
    creation.user = as_text(sha256(name)).substr(0, 16);
    return view.passkeys(owner.account, [&](const PasskeyRow& row) {
      creation.credentials.push_back(row.credential);
      return true;
    });
  }));
  return creation;
}

Result<Passkey> Passkeys::add(const Principal& owner, const passkey::Site& site, std::string_view label,
                              const passkey::Registration& registration) {
  CHECK_OK(check_whole_session(owner, "a passkey"));
  CHECK_OK(check_label(label));
  const std::string purpose = purpose_of(owner);
  TRY(const passkey::Known known, passkey::check_registration(site, registration, [&](std::string_view challenge) {
        return is_good(challenge, purpose);
      }));
  TRY(const std::string challenge, passkey::challenge_in(registration.client_data));
  if (!use_up(challenge)) return fail(ErrorCode::invalid_argument, "the challenge was used; try again");
  Passkey made;
  const auto added = access_.change(Access::Effect::admits, [&](DirectoryTxn& txn) -> Result<AccountNumber> {
    CHECK_OK(check_standing(txn, owner, txn.now()));
    std::size_t count = 0;
    CHECK_OK(txn.passkeys(owner.account, [&](const PasskeyRow&) { return ++count < kPasskeysMax; }));
    if (count >= kPasskeysMax) {
      return fail(ErrorCode::conflict, "an account can have " + std::to_string(kPasskeysMax) +
                                           " passkeys; remove one that you do not use any more");
    }
    PasskeyRow row{.account = owner.account, .credential = registration.credential, .created_at = txn.now()};
    TRY(row.number, txn.next_passkey_number());
    row.doc = doc_of(PasskeyDoc{.label = std::string(label), .known = known});
    CHECK_OK(txn.put_passkey(row));
    TRY(made, shown(row));
    CHECK_OK(record(txn, {.action = "passkey.added", .account = owner.email, .target = made.id, .detail = made.label}));
    return owner.account;
  });
  if (!added) take_back(challenge);
  CHECK_OK(added);
  return made;
}

Result<std::vector<Passkey>> Passkeys::list(const Principal& owner) {
  std::vector<Passkey> found;
  CHECK_OK(directory_.read([&](DirectoryView& view) {
    return view.passkeys(owner.account, [&](const PasskeyRow& row) {
      if (auto passkey = shown(row)) found.push_back(*std::move(passkey));
      return true;
    });
  }));
  return found;
}

Result<> Passkeys::remove(const Principal& owner, std::string_view id) {
  return access_.change(Access::Effect::admits, [&](DirectoryTxn& txn) -> Result<AccountNumber> {
    CHECK_OK(check_standing(txn, owner, txn.now()));
    std::optional<PasskeyNumber> found;
    CHECK_OK(txn.passkeys(owner.account, [&](const PasskeyRow& row) {
      if (passkey_id_of(row.number) == id) found = row.number;
      return !found;
    }));
    if (!found) return fail(ErrorCode::not_found, "passkey '" + to_valid_utf8(id) + "' not found");
    CHECK_OK(txn.remove_passkey(*found));
    CHECK_OK(
        record(txn, {.action = "passkey.removed", .account = owner.email, .target = std::string(id), .detail = {}}));
    return owner.account;
  });
}

Result<passkey::Known> Passkeys::find_known(std::string_view credential) {
  std::optional<PasskeyRow> row;
  CHECK_OK(directory_.read([&](DirectoryView& view) -> Result<> {
    TRY(row, view.find_passkey(credential));
    return {};
  }));
  if (!row) return unknown_passkey();
  TRY(const PasskeyDoc stored, passkey_from(*row));
  return stored.known;
}

Result<BrowserSession> Passkeys::sign_in(const passkey::Site& site, const passkey::Assertion& assertion,
                                         const BrowserTerms& terms, const Caller& caller) {
  const std::string counted = counted_peer(caller.address);
  CHECK_OK(by_peer_.check(counted, clock_.now()));
  const auto check = [&]() -> Result<std::uint32_t> {
    TRY(const passkey::Known known, find_known(assertion.credential));
    return passkey::check_assertion(site, known, assertion,
                                    [&](std::string_view challenge) { return is_good(challenge, kForSignIn); });
  };
  const auto counter = check();
  if (!counter) {
    if (counter.error().code == ErrorCode::unauthorized) {
      by_peer_.note_failure(counted, clock_.now());
      access_.audit().note_refusal(
          {.action = "session.refused", .account = {}, .target = {}, .detail = "a passkey: " + counter.error().text});
    }
    return std::unexpected(counter.error());
  }
  TRY(const std::string challenge, passkey::challenge_in(assertion.client_data));
  if (!use_up(challenge)) return fail(ErrorCode::unauthorized, "the challenge was used; try again");
  auto session = open(assertion, *counter, terms, caller);
  if (!session) take_back(challenge);
  return session;
}

Result<BrowserSession> Passkeys::open(const passkey::Assertion& assertion, std::uint32_t counter,
                                      const BrowserTerms& terms, const Caller& caller) {
  BrowserSession session;
  BrowserTerms with_passkey = terms;
  with_passkey.how = "with a passkey";
  CHECK_OK(access_.change(Access::Effect::admits, [&](DirectoryTxn& txn) -> Result<AccountNumber> {
    TRY(auto row, txn.find_passkey(assertion.credential));
    if (!row) return unknown_passkey();
    TRY(PasskeyDoc stored, passkey_from(*row));
    CHECK_OK(passkey::check_counter(stored.known.counter, counter));  // another sign-in may have come before
    TRY(const auto account, txn.find_account(row->account));
    if (!account) return unknown_passkey();
    stored.known.counter = counter;
    stored.last_used_at = txn.now();
    row->doc = doc_of(stored);
    CHECK_OK(txn.put_passkey(*row));
    TRY(session, BrowserSessions::open(txn, account_from(*account), nullptr, with_passkey, caller));
    return row->account;
  }));
  return session;
}

}  // namespace syncline
