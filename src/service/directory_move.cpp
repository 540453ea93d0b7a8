#include "service/directory_move.hpp"

#include <algorithm>
#include <array>
#include <set>
#include <unordered_map>
#include <vector>

#include "base/log.hpp"
#include "base/text.hpp"
#include "service/access_records.hpp"
#include "service/moved_records.hpp"

namespace syncline {

using namespace access;

namespace {

/// How far the move is.
constexpr std::string_view kMark = "moved_from_records";
enum Stage : std::int64_t { kNotMoved, kRecordsAreLeft, kMoved };

// Collections of the system space.
constexpr std::string_view kAccounts = "accounts";       // by e-mail address
constexpr std::string_view kKeys = "keys";               // by key id
constexpr std::string_view kTokens = "tokens";           // by hash of a registered token -> key id
constexpr std::string_view kKeyUsage = "key_usage";      // by key id
constexpr std::string_view kCounters = "counters";       // "account" and "key"
constexpr std::string_view kPasswords = "passwords";     // by e-mail address
constexpr std::string_view kResets = "resets";           // by hash of a reset token
constexpr std::string_view kApiKeys = "api_keys";        // by e-mail address -> key id
constexpr std::string_view kProgress = "pull_progress";  // by "<key>/<account>/<space>"
constexpr std::string_view kRequests = "request_usage";  // by number of the account
constexpr std::array kCollections = {kAccounts,  kKeys,   kTokens,  kKeyUsage, kCounters,
                                     kPasswords, kResets, kApiKeys, kProgress, kRequests};

class Move {
 public:
  Move(Snapshot& from, DirectoryTxn& to) : from_(from), to_(to) {}

  Result<> run() {
    CHECK_OK(move_accounts());
    CHECK_OK(move_keys());
    CHECK_OK(choose_admin());
    CHECK_OK(each(kKeyUsage, [&](const RecordView& record, JsonView doc) -> Result<> {
      const auto number = key_number_of(record.id);
      const auto at = time_field(doc, "last_used_at");
      return number && at ? to_.set_last_used(*number, *at) : Result<>{};
    }));
    CHECK_OK(each(kResets, [&](const RecordView& record, JsonView doc) -> Result<> {
      return to_.put_reset({.token_hash = from_hex(record.id),
                            .account = {integer_field(doc, "account")},
                            .expires_at = time_field(doc, "expires_at").value_or(Timestamp{1})});
    }));
    CHECK_OK(each(kProgress, [&](const RecordView& record, JsonView) -> Result<> {
      const auto account_at = record.id.find('/');
      const auto space_at = account_at == std::string_view::npos ? account_at : record.id.find('/', account_at + 1);
      if (space_at == std::string_view::npos) return {};
      const auto key = parse_integer(record.id.substr(0, account_at));
      const auto account = parse_integer(record.id.substr(account_at + 1, space_at - account_at - 1));
      const auto seq = parse_integer(record.doc);
      if (!key || !account || !seq) return {};
      return to_.put_pulled({{*key}, {{*account}, std::string(record.id.substr(space_at + 1))}, {*seq}});
    }));
    CHECK_OK(each(kRequests, [&](const RecordView& record, JsonView doc) -> Result<> {
      return to_.put_usage({{parse_integer(record.id).value_or(0)},
                            doc.text_of("day"),
                            integer_field(doc, "today"),
                            integer_field(doc, "this_month")});
    }));
    CHECK_OK(each(kCounters, [&](const RecordView& record, JsonView doc) -> Result<> {
      const auto mark = record.id == "account" ? DirectoryTxn::kLastAccount : DirectoryTxn::kLastKey;
      std::int64_t& last = record.id == "account" ? last_account_ : last_key_;
      last = std::max(last, integer_field(doc, "last"));
      return to_.put_mark(mark, last);
    }));
    return {};
  }

  [[nodiscard]] std::int64_t rows() const { return rows_; }
  [[nodiscard]] const std::string& admin() const { return admin_; }
  [[nodiscard]] std::size_t accounts_with_admin_key() const { return with_admin_key_.size(); }

 private:
  using Take = std::function<Result<>(const RecordView&, JsonView)>;

  Result<> each(std::string_view collection, const Take& take) {
    Result<> taken;
    CHECK_OK(from_.scan(
        collection, "",
        [&](const RecordView& record) {
          if (record.deleted) return true;
          rows_ += 1;
          taken = take(record, JsonView(record.doc));
          return taken.has_value();
        },
        [&](const DamagedRecord& damaged) {
          log(LogLevel::error, "account_not_moved",
              {{"collection", damaged.collection}, {"id", damaged.id}, {"error", "the record is damaged"}});
          return true;
        }));
    return taken;
  }

  Result<> move_accounts() {
    std::unordered_map<std::string, std::string> passwords;
    std::unordered_map<std::string, KeyNumber> api_keys;
    CHECK_OK(each(kPasswords, [&](const RecordView& record, JsonView doc) -> Result<> {
      passwords[std::string(record.id)] = doc.text_of("hash");
      return {};
    }));
    CHECK_OK(each(kApiKeys, [&](const RecordView& record, JsonView doc) -> Result<> {
      api_keys[std::string(record.id)] = key_number_of(doc.text_of("key")).value_or(KeyNumber{});
      return {};
    }));
    return each(kAccounts, [&](const RecordView& record, JsonView doc) -> Result<> {
      AccountRow row{.number = {integer_field(doc, "number")},
                     .email = std::string(record.id),
                     .created_at = time_field(doc, "created_at").value_or(Timestamp{}),
                     .password = passwords[std::string(record.id)],
                     .api_key = api_keys[std::string(record.id)],
                     .doc = std::string(record.doc)};
      row.doc = doc_of(account_from(row));
      accounts_[row.email] = row.number;
      created_[row.number] = row.created_at;
      last_account_ = std::max(last_account_, row.number.value);
      return to_.put_account(row);
    });
  }

  Result<> move_keys() {
    return each(kKeys, [&](const RecordView& record, JsonView doc) -> Result<> {
      const auto number = key_number_of(record.id);
      if (!number) return {};
      last_key_ = std::max(last_key_, number->value);
      const auto account = accounts_.find(doc.text_of("account"));
      // Of an account that was removed; another one may have its address since.
      if (account == accounts_.end()) return {};
      const Timestamp created_at = time_field(doc, "created_at").value_or(Timestamp{});
      if (time_field(doc, "revoked_at") && created_at < created_[account->second]) return {};
      StoredKey stored = key_from({.number = *number,
                                   .account = account->second,
                                   .parent = key_number_of(doc.text_of("parent")).value_or(KeyNumber{}),
                                   .token_hash = from_hex(doc.text_of("hash")),
                                   .created_at = created_at,
                                   .revoked_at = time_field(doc, "revoked_at"),
                                   .ends_at = {},
                                   .last_used_at = {},
                                   .doc = std::string(record.doc)});
      if (stored.key.scopes.has(Scope::admin) && !stored.key.revoked_at) with_admin_key_.insert(account->second);
      return put_key_in(to_, stored);
    });
  }

  /// The oldest account with a key of that scope, else the oldest.
  Result<> choose_admin() {
    if (accounts_.empty()) return {};
    std::set<AccountNumber> all;
    for (const auto& [email, number] : accounts_) all.insert(number);
    const AccountNumber chosen = *(with_admin_key_.empty() ? all : with_admin_key_).begin();
    TRY(auto row, to_.find_account(chosen));
    if (!row) return {};
    Account account = account_from(*row);
    account.role = Role::admin;
    row->doc = doc_of(account);
    admin_ = account.email;
    return to_.put_account(*row);
  }

  Snapshot& from_;
  DirectoryTxn& to_;
  std::unordered_map<std::string, AccountNumber> accounts_;
  std::unordered_map<AccountNumber, Timestamp> created_;
  std::set<AccountNumber> with_admin_key_;
  std::string admin_;
  std::int64_t last_account_ = 0;
  std::int64_t last_key_ = 0;
  std::int64_t rows_ = 0;
};

}  // namespace

Result<> move_to_directory(Store& store) {
  std::int64_t stage = kNotMoved;
  CHECK_OK(store.directory().read([&](DirectoryView& view) -> Result<> {
    TRY(stage, view.find_mark(kMark));
    return {};
  }));
  if (stage == kMoved) return {};
  if (stage == kNotMoved) {
    std::int64_t rows = 0;
    std::string admin;
    std::size_t with_admin_key = 0;
    CHECK_OK(store.directory().write([&](DirectoryTxn& txn) -> Result<> {
      CHECK_OK(store.read(system_space(), [&](Snapshot& snapshot) -> Result<> {
        Move move(snapshot, txn);
        CHECK_OK(move.run());
        rows = move.rows();
        admin = move.admin();
        with_admin_key = move.accounts_with_admin_key();
        return {};
      }));
      return txn.put_mark(kMark, rows > 0 ? kRecordsAreLeft : kMoved);
    }));
    if (rows == 0) return {};
    log(LogLevel::info, "accounts_moved", {{"records", rows}, {"to", "tables of their own"}});
    if (!admin.empty()) {
      log(LogLevel::warning, "admin_chosen",
          {{"account", admin},
           {"other_accounts_with_admin_keys", static_cast<std::int64_t>(std::max<std::size_t>(with_admin_key, 1) - 1)},
           {"what_now", "keys of other accounts have no scope admin any more; 'syncline account role' changes roles"}});
    }
  }
  // What was moved is what counts. That the records are still there does no harm, and a full disk may forbid more.
  Result<> ended = delete_moved_records(store, kCollections);
  if (ended) ended = store.directory().write([](DirectoryTxn& txn) { return txn.put_mark(kMark, kMoved); });
  if (!ended) log(LogLevel::warning, "moved_records_stay", {{"error", ended.error().text}});
  return {};
}

}  // namespace syncline
