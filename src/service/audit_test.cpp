// The audit log: its chain, what shows that somebody changed it, what is purged, and what is written of a flood.
#include <gtest/gtest.h>

#include "service/audit_trail.hpp"
#include "service/housekeeping.hpp"
#include "store/memory/memory_store.hpp"
#include "store/sqlite/connection.hpp"
#include "store/sqlite/sqlite_store.hpp"
#include "support/environment.hpp"
#include "support/proving_directory.hpp"

namespace syncline {
namespace {

constexpr std::int64_t kDayMicros = 86'400 * kMicrosPerSecond;

AuditEvent event(const std::string& action, const std::string& account = "ann@example.org") {
  return {.action = action, .account = account, .target = "k7", .detail = "words"};
}

/// A directory that nothing can be written to until it works.
struct FullDisk {
  explicit FullDisk(Directory& of)
      : directory(of, {.next_read = [this] { return works ? Result<>{} : fail(ErrorCode::storage_full, "full"); },
                       .rewind = [] { return [] {}; }}) {}

  bool works = false;
  test::FailingDirectory directory;
};

class AuditTest : public testing::Test {
 protected:
  void open() {
    trail_.reset();
    store_ = nullptr;
    auto opened = SqliteStore::open(path_, clock_, {});
    ASSERT_TRUE(opened) << opened.error().text;
    store_ = *std::move(opened);
    trail_.emplace(store_->directory(), clock_);
  }
  AuditTest() { open(); }

  void add(int count, const std::string& action = "key.created") {
    for (int i = 0; i < count; ++i) {
      clock_.advance_micros(kMicrosPerSecond);
      const auto written = trail_->write([&](DirectoryTxn& txn) { return record(txn, event(action)); });
      ASSERT_TRUE(written) << written.error().text;
    }
  }
  /// Somebody changes the closed file.
  void tamper(const std::string& sql) {
    trail_.reset();
    store_ = nullptr;
    auto file = sqlite::Connection::open(path_, sqlite::Connection::Mode::read_write);
    ASSERT_TRUE(file);
    const auto done = file->execute(sql);
    ASSERT_TRUE(done) << done.error().text;
    file = fail(ErrorCode::unavailable, "closed");
    open();
  }
  std::string fault() { return trail_->verify()->fault; }
  std::vector<std::string> actions(const AuditTrail::Query& query = {}) {
    std::vector<std::string> found;
    const auto page = trail_->list(query);
    EXPECT_TRUE(page);
    for (const AuditEntry& entry : page->entries) found.push_back(entry.event.action);
    return found;
  }

  ManualClock clock_{Timestamp{1'800'000'000'000'000}};
  test::TemporaryDirectory directory_;
  const std::string path_ = directory_.path() + "/syncline.db";
  std::unique_ptr<SqliteStore> store_;
  std::optional<AuditTrail> trail_;
};

TEST_F(AuditTest, an_entry_names_who_acted_and_what_was_done) {
  const Principal principal{.email = "ann@example.org", .key_id = "k3", .label = "laptop"};
  const ActingAs acting(&principal, "192.0.2.1");
  ASSERT_TRUE(trail_->write([](DirectoryTxn& txn) { return record(txn, event("key.revoked", "bob@example.org")); }));
  const auto page = trail_->list({});
  ASSERT_EQ(page->entries.size(), 1U);
  const AuditEntry& entry = page->entries.front();
  EXPECT_EQ(entry.number, 1);
  EXPECT_EQ(entry.at, clock_.now());
  EXPECT_EQ(entry.actor.account, "ann@example.org");
  EXPECT_EQ(entry.actor.key, "k3");
  EXPECT_EQ(entry.actor.label, "laptop");
  EXPECT_EQ(entry.actor.address, "192.0.2.1");
  EXPECT_EQ(entry.event.action, "key.revoked");
  EXPECT_EQ(entry.event.account, "bob@example.org");
  EXPECT_EQ(entry.event.target, "k7");
  EXPECT_EQ(entry.event.detail, "words");
  EXPECT_TRUE(entry.event.succeeded);
}

TEST_F(AuditTest, an_act_that_fails_leaves_no_entry) {
  EXPECT_FALSE(trail_->write([](DirectoryTxn& txn) -> Result<> {
    CHECK_OK(record(txn, event("key.created")));
    return fail(ErrorCode::conflict, "no");
  }));
  EXPECT_TRUE(actions().empty());
  EXPECT_EQ(fault(), "");
}

TEST_F(AuditTest, an_empty_log_and_one_that_goes_on_after_a_restart_are_whole) {
  EXPECT_EQ(fault(), "");
  add(3);
  open();
  add(2);
  const auto verdict = trail_->verify();
  EXPECT_EQ(verdict->fault, "");
  EXPECT_EQ(verdict->entries, 5);
  EXPECT_EQ(verdict->first, 1);
  EXPECT_EQ(verdict->last.count, 5);
}

TEST_F(AuditTest, long_texts_are_cut_and_bytes_that_are_no_text_do_not_break_the_chain) {
  AuditEvent odd = event("key.created");
  odd.detail = std::string(10'000, 'x');
  odd.target = "\xFF\xC3\x28 \"quoted\"\n";
  trail_->note(odd);
  const auto page = trail_->list({});
  ASSERT_EQ(page->entries.size(), 1U);
  EXPECT_LT(page->entries.front().event.detail.size(), 500U);
  EXPECT_EQ(fault(), "");
}

struct Tampering {
  std::string sql;
  std::string fault;
};

TEST_F(AuditTest, whatever_is_changed_in_the_file_is_noticed) {
  add(9);
  const std::string kLink = "the entry before it: one of them was changed";
  const std::vector<Tampering> all = {
      {"UPDATE audit SET entry = replace(entry, 'k7', 'k8') WHERE number = 4", "entry 5 does not match " + kLink},
      {"UPDATE audit SET entry = 'x' WHERE number = 4", "entry 4 is no entry any more"},
      {"UPDATE audit SET account = 'x' WHERE number = 4", "entry 4 was changed in the columns that it is found by"},
      {"UPDATE audit SET at = at + 1 WHERE number = 4", "entry 4 was changed in the columns that it is found by"},
      {"DELETE FROM audit WHERE number IN (4, 5)", "entries 4 to 5 are missing"},
      {"DELETE FROM audit WHERE number <= 2", "entries 1 to 2 are missing"},
      {"DELETE FROM audit WHERE number >= 8", "entries 8 to 9 at the end are missing"},
      {"DELETE FROM audit", "entries 1 to 9 at the end are missing"},
      {"UPDATE audit SET entry = replace(entry, 'k7', 'k8') WHERE number = 9", "entry 9 was changed"},
      {"DELETE FROM audit_end", "the note where the log ends is missing or was changed"},
      {"UPDATE audit_end SET number = 3 WHERE which = 'last'", "the note where the log ends is missing or was changed"},
      {"INSERT INTO audit SELECT 10, at, actor, account, action, entry FROM audit WHERE number = 9",
       "entry 10 has the wrong number: entries before it were removed or added"},
  };
  for (const Tampering& tampering : all) {
    SCOPED_TRACE(tampering.sql);
    tamper("CREATE TABLE kept AS SELECT * FROM audit; CREATE TABLE kept_end AS SELECT * FROM audit_end;" +
           tampering.sql);
    EXPECT_EQ(fault(), tampering.fault);
    tamper(
        "DELETE FROM audit; INSERT INTO audit SELECT * FROM kept; DROP TABLE kept;"
        "DELETE FROM audit_end; INSERT INTO audit_end SELECT * FROM kept_end; DROP TABLE kept_end");
    EXPECT_EQ(fault(), "");
  }
}

TEST_F(AuditTest, going_on_after_the_end_was_cut_does_not_cover_it_up) {
  add(5);
  for (const std::string cut :
       {"DELETE FROM audit WHERE number = 5", "DELETE FROM audit", "DELETE FROM audit_end",
        "UPDATE audit SET entry = replace(entry, 'k7', 'k8') WHERE number = (SELECT max(number) FROM audit)"}) {
    SCOPED_TRACE(cut);
    tamper(cut);
    add(2);
    EXPECT_EQ(actions({.account = {}, .action = "audit.gap", .since = {}}).empty(), false);
    EXPECT_NE(fault(), "");
  }
}

TEST_F(AuditTest, old_entries_are_purged_and_the_rest_stays_verifiable) {
  add(4);
  clock_.advance_micros(10 * kDayMicros);
  add(3);
  ASSERT_TRUE(trail_->purge(clock_.now().plus_micros(-kDayMicros)));
  auto verdict = trail_->verify();
  EXPECT_EQ(verdict->fault, "");
  EXPECT_EQ(verdict->entries, 3);
  EXPECT_EQ(verdict->first, 5);
  clock_.advance_micros(10 * kDayMicros);
  ASSERT_TRUE(trail_->purge(clock_.now()));
  verdict = trail_->verify();
  EXPECT_EQ(verdict->fault, "") << "an empty log that once had entries";
  EXPECT_EQ(verdict->entries, 0);
  add(1);
  verdict = trail_->verify();
  EXPECT_EQ(verdict->fault, "");
  EXPECT_EQ(verdict->first, 8) << "numbers are not used twice";
  tamper("DELETE FROM audit WHERE number = 8");
  EXPECT_EQ(fault(), "entries 8 to 8 at the end are missing");
}

TEST_F(AuditTest, housekeeping_purges_what_is_older_than_the_setting_says) {
  Access access(*store_, clock_);
  PullProgress progress(*store_);
  Housekeeping housekeeping(*store_, clock_, access, progress, {.audit = 400});
  add(1);
  clock_.advance_micros(399 * kDayMicros);
  add(1);
  housekeeping.run_all();
  EXPECT_EQ(trail_->verify()->entries, 2);
  clock_.advance_micros(2 * kDayMicros);
  housekeeping.run_all();
  EXPECT_EQ(trail_->verify()->entries, 1);
  EXPECT_EQ(fault(), "");
  housekeeping.stop();
}

TEST_F(AuditTest, too_many_entries_are_purged_however_young) {
  add(10);
  ASSERT_TRUE(trail_->write([](DirectoryTxn& txn) -> Result<> {
    TRY(const std::int64_t purged, purge_audit(txn, Timestamp{0}, 4, 100));
    EXPECT_EQ(purged, 6);
    return {};
  }));
  const auto verdict = trail_->verify();
  EXPECT_EQ(verdict->fault, "");
  EXPECT_EQ(verdict->first, 7);
}

TEST_F(AuditTest, purging_does_not_remove_the_traces_of_tampering) {
  add(6);
  tamper("UPDATE audit SET entry = replace(entry, 'k7', 'k8') WHERE number = 3");
  const std::string before = fault();
  EXPECT_NE(before, "");
  clock_.advance_micros(kDayMicros);
  (void)trail_->purge(clock_.now());
  const auto again = trail_->purge(clock_.now());
  ASSERT_FALSE(again);
  EXPECT_EQ(again.error().code, ErrorCode::damaged);
  EXPECT_EQ(fault(), before);
}

TEST_F(AuditTest, a_list_is_filtered_and_continues) {
  add(2, "key.created");
  add(1, "keyring.opened");
  const Timestamp since = clock_.now();
  trail_->note(event("key.revoked", "bob@example.org"));
  {
    const ActingAs acting(Actor{.account = "bob@example.org", .key = {}, .label = {}, .address = {}});
    trail_->note(event("space.wiped", "cleo@example.org"));
  }
  using Actions = std::vector<std::string>;
  EXPECT_EQ(actions(), (Actions{"space.wiped", "key.revoked", "keyring.opened", "key.created", "key.created"}));
  EXPECT_EQ(actions({.account = {}, .action = "key", .since = {}}),
            (Actions{"key.revoked", "key.created", "key.created"}));
  EXPECT_EQ(actions({.account = "bob@example.org", .action = {}, .since = {}}),
            (Actions{"space.wiped", "key.revoked"}));
  EXPECT_EQ(actions({.account = {}, .action = {}, .since = since}),
            (Actions{"space.wiped", "key.revoked", "keyring.opened"}));
  const auto first = trail_->list({.account = {}, .action = "key", .since = {}, .limit = 2});
  EXPECT_EQ(first->entries.size(), 2U);
  EXPECT_EQ(first->next, 2);
  const auto rest = trail_->list({.account = {}, .action = "key", .since = {}, .before = first->next, .limit = 2});
  EXPECT_EQ(rest->entries.size(), 1U);
  EXPECT_EQ(rest->next, 0) << "there is no empty last page";
}

TEST_F(AuditTest, a_filter_that_matches_little_examines_no_more_than_a_page) {
  add(1, "key.revoked");
  constexpr std::int64_t kOthers = 2 * AuditTrail::kExaminedMax + 5;
  ASSERT_TRUE(trail_->write([](DirectoryTxn& txn) -> Result<> {
    for (std::int64_t i = 0; i < kOthers; ++i) CHECK_OK(record(txn, event("session.refused")));
    return {};
  }));
  AuditTrail::Query query{.account = {}, .action = "key", .since = {}};
  std::vector<std::int64_t> examined;
  std::int64_t found = 0;
  do {
    const auto page = trail_->list(query);
    ASSERT_TRUE(page);
    examined.push_back(page->examined);
    found += static_cast<std::int64_t>(page->entries.size());
    query.before = page->next;
  } while (query.before > 0);
  EXPECT_EQ(found, 1);
  EXPECT_EQ(examined, (std::vector<std::int64_t>{AuditTrail::kExaminedMax, AuditTrail::kExaminedMax, 6}));
  EXPECT_EQ(trail_->list({.account = {}, .action = {}, .since = {}, .limit = 10})->examined, 11);
}

TEST_F(AuditTest, what_cannot_be_written_waits_for_the_next_write) {
  FullDisk disk(store_->directory());
  AuditTrail trail(disk.directory, clock_);
  {
    const ActingAs acting(Actor{.account = "ann@example.org", .key = "k3", .label = {}, .address = {}});
    trail.note(event("key.revoked"));
  }
  const Timestamp noted_at = clock_.now();
  EXPECT_TRUE(trail.has_waiting());
  clock_.advance_micros(kDayMicros);
  disk.works = true;
  ASSERT_TRUE(trail.write([](DirectoryTxn& txn) { return record(txn, event("key.created")); }));
  EXPECT_FALSE(trail.has_waiting());
  const auto page = trail_->list({});
  ASSERT_EQ(page->entries.size(), 2U);
  EXPECT_EQ(page->entries[1].event.action, "key.revoked");
  EXPECT_EQ(page->entries[1].actor.key, "k3");
  EXPECT_EQ(page->entries[1].at, noted_at);
  EXPECT_EQ(fault(), "");
}

TEST_F(AuditTest, what_waits_is_bounded_and_what_is_left_out_is_counted) {
  FullDisk disk(store_->directory());
  AuditTrail trail(disk.directory, clock_);
  for (int i = 0; i < 1500; ++i) trail.note(event("key.revoked"));
  disk.works = true;
  ASSERT_TRUE(trail.flush());
  EXPECT_FALSE(trail.has_waiting());
  const auto page = trail_->list({.account = {}, .action = "audit.dropped", .since = {}});
  ASSERT_EQ(page->entries.size(), 1U);
  EXPECT_TRUE(page->entries.front().event.detail.starts_with("500 entries")) << page->entries.front().event.detail;
  EXPECT_EQ(trail_->verify()->entries, 1001);
}

TEST_F(AuditTest, of_a_flood_of_refusals_few_are_written_down) {
  {
    const ActingAs acting(nullptr, "192.0.2.1");
    for (int i = 0; i < 1000; ++i) trail_->note_refusal(event("session.refused"));
  }
  EXPECT_EQ(trail_->verify()->entries, 16) << "10, and 20, 50, 100, 200, 500, 1000";
  EXPECT_EQ(trail_->list({})->entries.front().event.detail, "words; refusal 1000 of this network within the hour");
  EXPECT_FALSE(trail_->list({})->entries.front().event.succeeded);
  for (int i = 0; i < 1000; ++i) {
    const ActingAs acting(nullptr, "198.51.100." + std::to_string(i % 250));
    trail_->note_refusal(event("session.refused"));
  }
  EXPECT_LT(trail_->verify()->entries, 70) << "nor of one from everywhere";
  clock_.advance_micros(3600 * kMicrosPerSecond);
  const std::int64_t before = trail_->verify()->entries;
  trail_->note_refusal(event("session.refused"));
  EXPECT_EQ(trail_->verify()->entries, before + 1) << "an hour later it counts anew";
}

}  // namespace
}  // namespace syncline
