// Bits that flip where rows lie: what must be seen, what may never be served, and what heals.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>
#include <random>
#include <set>

#include "base/text.hpp"
#include "store/sqlite/sqlite_store.hpp"
#include "support/environment.hpp"
#include "support/stored_rows.hpp"

namespace syncline {
namespace {

const SpaceName kNotes{AccountNumber{1}, "notes"};
const SpaceName kOthers{AccountNumber{2}, "others"};
constexpr std::string_view kTables[] = {"record", "history", "conflict", "value", "receipt", "key", "superseded"};

/// Where bytes of rows lie in the file.
struct Extent {
  std::size_t begin;
  std::size_t size;
  /// Of a table whose first column is its number, which SQLite keeps outside of the row.
  bool has_number = false;
  std::int64_t number = 0;  // of a row that begins here
};

std::uint64_t read_varint(std::string_view bytes, std::size_t& at) {
  std::uint64_t value = 0;
  for (int i = 0; i < 9; ++i) {
    const auto byte = static_cast<unsigned char>(bytes[at++]);
    if (i == 8) return value << 8U | byte;
    value = value << 7U | (byte & 0x7FU);
    if ((byte & 0x80U) == 0) break;
  }
  return value;
}

/// The part of a row that lies in its cell, of a page of 4096 bytes.
std::size_t local_bytes(std::uint64_t payload, bool is_table) {
  constexpr std::uint64_t kPage = 4096;
  const std::uint64_t max = is_table ? kPage - 35 : (kPage - 12) * 64 / 255 - 23;
  if (payload <= max) return payload;
  const std::uint64_t min = (kPage - 12) * 32 / 255 - 23;
  const std::uint64_t wanted = min + (payload - min) % (kPage - 4);
  return wanted <= max ? wanted : min;
}

struct Content {
  std::map<SpaceName, std::map<std::int64_t, std::string>> records;  // by seq
  std::map<std::string, std::vector<std::string>> versions;          // by id
  std::map<std::int64_t, std::string> conflicts;
  std::map<std::string, std::string> values;
  std::map<std::string, std::string> receipts;
};

std::string text_of(const RecordView& record) {
  return std::string(record.collection) + '/' + std::string(record.id) + ' ' +
         std::to_string(record.updated_at.micros) + ' ' + std::to_string(record.effective_at.micros) + ' ' +
         std::to_string(record.origin.value) + (record.deleted ? " deleted " : " ") + std::string(record.doc);
}

class DamageTest : public testing::Test {
 protected:
  DamageTest() {
    // A part of the versions that were replaced is moved to the table `history`.
    auto store =
        *SqliteStore::open(path(), clock_, {.reclaim = {.idle_percent = 100, .busy_percent = 0, .rows_each = 64}});
    fill(*store, kNotes);
    fill(*store, kOthers);
    expected_ = read(*store);
    store.reset();  // its log goes into the file
    std::ifstream file(path(), std::ios::binary);
    image_.assign(std::istreambuf_iterator<char>(file), {});
    find_extents();
    auto rows = *sqlite::Connection::open(path(), sqlite::Connection::Mode::read_only);
    for (const test::StoredRow& row : test::read_rows(rows, "record"))
      superseded_.insert(sqlite::pack_pos(sqlite::space_of_pos(row.pos), Seq{row.version.previous}));
  }

  [[nodiscard]] std::string path() const { return directory_.path() + "/syncline.db"; }
  std::unique_ptr<SqliteStore> open() { return *SqliteStore::open(path(), clock_, {}); }

  static std::string doc_of(int number) {
    // Some are longer than a page, but none that will be replaced.
    return R"({"text":")" +
           std::string(number % 40 == 7 && number != 87 ? 9000U : 20U + static_cast<std::size_t>(number % 200),
                       static_cast<char>('a' + number % 26)) +
           R"(","n":)" + std::to_string(number) + "}";
  }

  static Result<> put(Txn& txn, const std::string& id, const std::string& doc) {
    TRY(const Located located, txn.locate("items", id));
    Record record{.collection = "items", .id = id, .origin = {7}, .deleted = doc.empty(), .doc = doc};
    record.updated_at = record.effective_at = txn.stamp();
    if (located.damaged) {
      txn.heal(std::move(record), *located.damaged);
    } else {
      txn.put(std::move(record), located.record ? &*located.record : nullptr);
    }
    return {};
  }

  void fill(Store& store, const SpaceName& space) {
    const auto filled = write_and_wait(store, space, {}, [&](Txn& txn) -> Result<> {
      for (int i = 0; i < 150; ++i) CHECK_OK(put(txn, "r" + std::to_string(i), doc_of(i)));
      return {};
    });
    ASSERT_TRUE(filled);
    ASSERT_TRUE(write_and_wait(store, space, {}, [&](Txn& txn) -> Result<> {
      for (int i = 0; i < 40; ++i) CHECK_OK(put(txn, "r" + std::to_string(i * 3), i % 8 == 0 ? "" : doc_of(i + 1000)));
      for (int i = 0; i < 40; ++i) {
        Conflict conflict;
        conflict.loser.collection = "items";
        conflict.loser.id = "r" + std::to_string(i);
        conflict.loser.doc = doc_of(i + 2000);
        conflict.at = txn.stamp();
        TRY([[maybe_unused]] const auto kept, txn.add_conflict(conflict));
        txn.put_value("value" + std::to_string(i), std::to_string(i * i));
        txn.put_receipt("key" + std::to_string(i), {"print" + std::to_string(i), 200, doc_of(i)});
      }
      return {};
    }));
  }

  /// Everything that comes out; a list that fails is a failure. A value or receipt that cannot be read is not there.
  static Content read(Store& store) {
    Content content;
    for (const SpaceName& space : {kNotes, kOthers}) {
      auto& records = content.records[space];
      std::vector<Record> all;
      std::int64_t since = 0;
      for (bool more = true; more;) {
        more = false;
        const auto done = store.read(space, [&](Snapshot& snapshot) {
          int left = 37;
          return snapshot.feed({since}, [&](const RecordView& record) {
            more = left-- == 0;
            if (more) return false;
            since = record.seq.value;
            records[since] = text_of(record);
            all.push_back(record.to_record());
            return true;
          });
        });
        EXPECT_TRUE(done) << done.error().text;
        if (!done) break;
      }
      EXPECT_TRUE(store.read(space, [&](Snapshot& snapshot) -> Result<> {
        for (const Record& record : all) {
          TRY(const auto versions, snapshot.history(record, 100, kListBytesMax));
          for (const Record& version : versions)
            content.versions[space.name + record.id].push_back(text_of(view_of(version)));
        }
        TRY(const auto conflicts, snapshot.conflicts(std::nullopt, {}, 1000));
        for (const Conflict& one : conflicts) {
          content.conflicts[one.number.value] = text_of(view_of(one.loser)) + std::string(to_text(one.state));
        }
        for (int i = 0; i < 40; ++i) {
          const std::string name = "value" + std::to_string(i);
          const auto value = snapshot.find_value(name);
          if (!value) {
            EXPECT_EQ(value.error().code, ErrorCode::storage_damaged);
          }
          if (value && *value) content.values[space.name + name] = **value;
        }
        return {};
      }));
      for (int i = 0; i < 40; ++i) {
        const std::string key = "key" + std::to_string(i);
        const auto looked = write_and_wait(store, space, {}, [&](Txn& txn) -> Result<> {
          TRY(const auto found, txn.find_receipt(key));
          if (found) content.receipts[space.name + key] = found->fingerprint + found->body;
          return {};
        });
        if (!looked) {
          EXPECT_EQ(looked.error().code, ErrorCode::storage_damaged);
        }
      }
    }
    return content;
  }

  void find_extents() {
    auto file = *sqlite::Connection::open(path(), sqlite::Connection::Mode::read_only);
    auto pages = *file.prepare("SELECT name, pageno, pagetype, payload FROM dbstat WHERE pagetype != 'internal'");
    while (*pages.step()) {
      const std::string name(pages.bytes(0));
      const auto page = static_cast<std::size_t>(pages.integer(1) - 1) * 4096;
      const bool has_number = name == "record" || name == "history" || name == "conflict" || name == "superseded";
      if (pages.bytes(2) == "overflow") {
        extents_[name].push_back({page + 4, static_cast<std::size_t>(pages.integer(3))});
        continue;
      }
      const std::string_view bytes(image_);
      const auto two = [&](std::size_t at) {
        return static_cast<std::size_t>(static_cast<unsigned char>(bytes[at])) << 8U |
               static_cast<unsigned char>(bytes[at + 1]);
      };
      for (std::size_t cell = 0; cell < two(page + 3); ++cell) {
        std::size_t at = page + two(page + 8 + 2 * cell);
        const std::uint64_t payload = read_varint(bytes, at);
        const auto number = has_number ? static_cast<std::int64_t>(read_varint(bytes, at)) : 0;
        extents_[name].push_back({at, local_bytes(payload, has_number), has_number, number});
      }
    }
  }

  struct Flip {
    std::size_t byte;
    unsigned bit;
    /// SQLite does not read it: the number of a row stands elsewhere, and this still says that it is not here.
    bool says_nothing = false;
    /// In the row of a record, not of a version that was replaced.
    bool is_in_record = false;
  };
  Flip draw(const std::string& table) {
    const auto& extents = extents_.at(table);
    const Extent& extent = extents[random_() % extents.size()];
    const std::size_t offset = random_() % extent.size;
    const auto bit = static_cast<unsigned>(random_() % 8);
    const bool says_nothing = extent.has_number && offset == 1 && bit == 3;
    // What replaced versions hold is short: a page that continues a row is one of a record.
    return {extent.begin + offset, bit, says_nothing,
            table == "record" && !says_nothing && !superseded_.contains(extent.number)};
  }

  void flip(const Flip& flip) {
    std::string bytes = image_;
    bytes[flip.byte] = static_cast<char>(static_cast<unsigned char>(bytes[flip.byte]) ^ 1U << flip.bit);
    for (const char* suffix : {"-wal", "-shm"}) std::filesystem::remove(path() + suffix);
    std::ofstream(path(), std::ios::binary).write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
  }

  /// What was lost of it; what was altered is a failure.
  template <class Map>
  static std::size_t count_missing(const Map& expected, const Map& found) {
    std::size_t missing = 0;
    for (const auto& [key, value] : found) {
      const auto was = expected.find(key);
      EXPECT_TRUE(was != expected.end()) << "came from nowhere";
      if (was != expected.end()) {
        EXPECT_EQ(value, was->second);
      }
    }
    for (const auto& [key, value] : expected) missing += found.contains(key) ? 0U : 1U;
    return missing;
  }

  SystemClock clock_;
  test::TemporaryDirectory directory_;
  Content expected_;
  std::string image_;
  std::map<std::string, std::vector<Extent>> extents_;
  std::set<std::int64_t> superseded_;  // places in the table `record`
  std::mt19937_64 random_{20261129};   // NOLINT: the same flips each time
};

TEST_F(DamageTest, every_flip_in_a_row_is_seen_and_costs_no_other_record) {
  const char* wanted = std::getenv("SYNCLINE_FLIPS");
  const int flips = wanted != nullptr ? static_cast<int>(parse_integer(wanted).value_or(0)) : 30;
  for (const std::string_view name : kTables) {
    const std::string table(name);
    for (int i = 0; i < flips; ++i) {
      const Flip drawn = draw(table);
      flip(drawn);
      SCOPED_TRACE(table + " byte " + std::to_string(drawn.byte) + " bit " + std::to_string(drawn.bit));
      auto store = open();
      const Content found = read(*store);
      const std::size_t records = count_missing(expected_.records.at(kNotes), found.records.at(kNotes)) +
                                  count_missing(expected_.records.at(kOthers), found.records.at(kOthers));
      EXPECT_EQ(records, drawn.is_in_record ? 1U : 0U);
      // None if the column that is damaged was read from an index.
      EXPECT_LE(count_missing(expected_.conflicts, found.conflicts),
                table == "conflict" && !drawn.says_nothing ? 1U : 0U);
      // These are found by their keys alone: a search past a damaged one may miss its neighbours, or fail.
      EXPECT_LE(count_missing(expected_.values, found.values), table == "value" ? expected_.values.size() : 0U);
      EXPECT_LE(count_missing(expected_.receipts, found.receipts), table == "receipt" ? expected_.receipts.size() : 0U);
      for (const auto& [id, versions] : found.versions) {
        const auto& were = expected_.versions.at(id);
        ASSERT_LE(versions.size(), were.size());
        EXPECT_TRUE(std::equal(versions.begin(), versions.end(), were.begin()));
      }
      const auto problems = store->verify();
      ASSERT_TRUE(problems) << problems.error().text;
      // Marks are made again of the records when the store is opened.
      EXPECT_EQ(problems->empty(), drawn.says_nothing || table == "superseded");
      if (table == "key") {
        EXPECT_EQ(*store->verify(), std::vector<std::string>{}) << problems->front() << ": the key table is made again";
      }
      if (drawn.is_in_record) {
        const auto damage = store->damage(std::nullopt);
        ASSERT_EQ(damage.size(), 1U);
        const std::string text = expected_.records.at(damage[0].space).at(damage[0].seq.value);
        EXPECT_TRUE(text.starts_with(damage[0].collection + '/' + damage[0].id + ' ')) << text << damage[0].id;
        const auto write = [&](Txn& txn) { return put(txn, damage[0].id, "{}"); };
        auto written = write_and_wait(*store, damage[0].space, {}, write);
        // One that cannot even be decoded is made readable first.
        if (!written) {
          EXPECT_EQ(written.error().code, ErrorCode::damaged);
          written = write_and_wait(*store, damage[0].space, {}, write);
        }
        EXPECT_TRUE(written) << written.error().text;
        const auto after = store->verify();
        EXPECT_TRUE(after->empty()) << after->front();
        EXPECT_EQ(store->status().damaged_rows, 0);
      }
      if (testing::Test::HasFailure()) return;
    }
  }
}

class DamagedRowTest : public DamageTest {
 protected:
  /// A bit of the document of that record.
  void damage(const std::string& id) {
    auto file = *sqlite::Connection::open(path(), sqlite::Connection::Mode::read_write);
    const auto is_meant = [&](const test::StoredRow& row) {
      return row.version.id == id && sqlite::space_of_pos(row.pos) == 1;
    };
    test::alter_newest(file, is_meant, [](Record& record) { record.doc = R"({"x":1})"; });
  }
  static ErrorCode code_of_find(Store& store, const std::string& id) {
    const auto read = store.read(kNotes, [&](Snapshot& snapshot) -> Result<> {
      TRY([[maybe_unused]] const auto record, snapshot.find("items", id));
      return {};
    });
    return read ? ErrorCode::internal : read.error().code;
  }
};

TEST_F(DamagedRowTest, a_damaged_record_is_said_to_be_damaged_wherever_it_is_asked_for) {
  damage("r4");
  auto store = open();
  EXPECT_EQ(code_of_find(*store, "r4"), ErrorCode::damaged);
  std::vector<std::string> damaged;
  const auto note = [&](const DamagedRecord& record) {
    damaged.push_back(record.id);
    return true;
  };
  EXPECT_TRUE(store->read(kNotes, [&](Snapshot& snapshot) -> Result<> {
    CHECK_OK(snapshot.feed({}, [](const RecordView&) { return true; }, note));
    return snapshot.scan("items", "", [](const RecordView& record) { return record.id != "r4"; }, note);
  }));
  EXPECT_EQ(damaged, (std::vector<std::string>{"r4", "r4"}));
  EXPECT_EQ(store->damage(kNotes).size(), 1U);
  EXPECT_EQ(store->damage(kOthers).size(), 0U);
  EXPECT_EQ(store->status().damaged_rows, 1);
}

TEST_F(DamagedRowTest, a_record_over_a_damaged_one_keeps_its_history_and_the_counts_right) {
  damage("r3");  // which was written twice
  auto store = open();
  ASSERT_TRUE(write_and_wait(*store, kNotes, {}, [&](Txn& txn) { return put(txn, "r3", "{\"new\":1}"); }));
  EXPECT_TRUE(store->verify()->empty());
  EXPECT_TRUE(store->read(kNotes, [&](Snapshot& snapshot) -> Result<> {
    TRY(const auto record, snapshot.find("items", "r3"));
    TRY(const auto versions, snapshot.history(*record, 10, kListBytesMax));
    EXPECT_EQ(versions.size(), 1U);
    EXPECT_EQ(versions.at(0).doc, doc_of(3));
    return {};
  }));
}

TEST_F(DamagedRowTest, a_row_in_the_place_of_another_is_damaged) {
  {
    auto file = *sqlite::Connection::open(path(), sqlite::Connection::Mode::read_write);
    // Two good rows, each with the other's place: only the place says so.
    ASSERT_TRUE(file.execute(
        "UPDATE record SET pos = -1 WHERE pos = (1 << 40) + 2; UPDATE record SET pos = (1 << 40) + 2 WHERE "
        "pos = (1 << 40) + 3; UPDATE record SET pos = (1 << 40) + 3 WHERE pos = -1"));
  }
  auto store = open();
  EXPECT_EQ(code_of_find(*store, "r1"), ErrorCode::damaged);
  EXPECT_EQ(code_of_find(*store, "r2"), ErrorCode::damaged);
  EXPECT_FALSE(store->verify()->empty());
}

TEST_F(DamagedRowTest, a_row_that_left_its_place_does_not_end_the_feed) {
  {
    auto file = *sqlite::Connection::open(path(), sqlite::Connection::Mode::read_write);
    ASSERT_TRUE(file.execute("UPDATE record SET pos = (1 << 40) + 100000 WHERE pos = (1 << 40) + 2"));
  }
  auto store = open();
  const Content found = read(*store);
  EXPECT_EQ(count_missing(expected_.records.at(kNotes), found.records.at(kNotes)), 1U);
  EXPECT_EQ(count_missing(expected_.records.at(kOthers), found.records.at(kOthers)), 0U);
  EXPECT_FALSE(store->verify()->empty());
}

TEST_F(DamagedRowTest, raised_stamps_and_decided_conflicts_are_hashed_again) {
  auto store = open();
  ASSERT_TRUE(write_and_wait(*store, kNotes, {}, [&](Txn& txn) -> Result<> {
    TRY(const auto record, txn.find("items", "r4"));
    txn.set_hidden_stamps(*record, record->effective_at.plus_micros(5), {77});
    txn.set_conflict_state({1}, ConflictState::dismissed);
    return {};
  }));
  EXPECT_TRUE(store->verify()->empty());
  EXPECT_EQ(code_of_find(*store, "r4"), ErrorCode::internal) << "it is found";
}

TEST_F(DamagedRowTest, a_backup_has_everything_and_can_be_restored) {
  damage("r4");
  auto store = open();
  const std::string copy = directory_.path() + "/copy";
  ASSERT_TRUE(store->backup(copy));
  EXPECT_EQ(store->damage(kNotes).size(), 1U) << "making a backup finds it";
  ASSERT_TRUE(restore_backup(copy, directory_.path() + "/restored.db", "newepoch"));
  auto restored = *SqliteStore::open(directory_.path() + "/restored.db", clock_, {});
  const Content found = read(*restored);
  EXPECT_EQ(count_missing(expected_.records.at(kNotes), found.records.at(kNotes)), 1U);
  EXPECT_EQ(code_of_find(*restored, "r4"), ErrorCode::damaged);
}

TEST_F(DamagedRowTest, an_account_with_damaged_rows_can_be_erased) {
  // The first byte of an id, behind the head of the cell and that of the row: the key table has none such.
  const std::size_t row = extents_.at("record").front().begin;
  flip({row + static_cast<std::size_t>(image_[row]) + 64, 0});
  damage("r4");
  auto store = open();
  EXPECT_FALSE(store->verify()->empty());
  ASSERT_TRUE(store->erase_account(kNotes.account));
  EXPECT_TRUE(store->verify()->empty());
  EXPECT_EQ(store->status().damaged_rows, 0);
}

TEST_F(DamagedRowTest, a_row_that_is_no_blob_or_too_short_is_damaged) {
  {
    auto file = *sqlite::Connection::open(path(), sqlite::Connection::Mode::read_write);
    ASSERT_TRUE(
        file.execute("UPDATE record SET row = CAST(row AS TEXT) WHERE pos = (1 << 40) + 2;"
                     "UPDATE record SET row = x'00' WHERE pos = (1 << 40) + 3;"
                     "UPDATE record SET row = substr(row, 1, 64) WHERE pos = (1 << 40) + 5"));
  }
  auto store = open();
  for (const char* id : {"r1", "r2", "r4"}) EXPECT_EQ(code_of_find(*store, id), ErrorCode::damaged) << id;
}

}  // namespace
}  // namespace syncline
