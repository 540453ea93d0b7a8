#include "webhooks/webhook_move.hpp"

#include <array>
#include <filesystem>
#include <unordered_map>
#include <vector>

#include "base/json_object.hpp"
#include "base/log.hpp"
#include "service/access.hpp"
#include "service/moved_records.hpp"
#include "store/sqlite/old_delivery_file.hpp"

namespace syncline::webhooks {
namespace {

/// How far the move is.
constexpr std::string_view kWebhooksMark = "webhooks_moved";
enum WebhookStage : std::int64_t { kNothingMoved, kWebhooksMoved, kAllMoved };
/// Deliveries of the file up to that number are in the store.
constexpr std::string_view kDeliveriesMark = "deliveries_moved_through";

constexpr std::array<std::string_view, 1> kMovedCollections = {"webhooks"};  // by id

Result<std::int64_t> read_mark(Store& store, std::string_view name) {
  std::int64_t value = 0;
  CHECK_OK(store.directory().read([&](DirectoryView& view) -> Result<> {
    TRY(value, view.find_mark(name));
    return {};
  }));
  return value;
}

WebhookRow row_of_record(const RecordView& record) {
  JsonObject doc{JsonView(record.doc)};
  WebhookRow row{.id = std::string(record.id),
                 .account = {doc.integer_of("account").value_or(0)},
                 .created_at = {doc.integer_of("created_at").value_or(0)},
                 .doc = {}};
  doc.erase("account");
  doc.erase("created_at");
  row.doc = doc.to_text();
  return row;
}

/// Returns how many there were.
Result<std::size_t> put_records_in(DirectoryTxn& txn, Snapshot& snapshot) {
  std::size_t count = 0;
  Result<> put;
  CHECK_OK(snapshot.scan(
      kMovedCollections.front(), "",
      [&](const RecordView& record) {
        if (record.deleted) return true;
        count += 1;
        put = txn.put_webhook(row_of_record(record));
        return put.has_value();
      },
      [](const DamagedRecord& damaged) {
        log(LogLevel::error, "webhook_not_moved", {{"id", damaged.id}, {"error", "the record is damaged"}});
        return true;
      }));
  CHECK_OK(put);
  return count;
}

/// The next deliveries of the file, and the mark that says so.
Result<> put_deliveries(Store& store, const std::vector<DeliveryRow>& deliveries) {
  return store.directory().write([&](DirectoryTxn& txn) -> Result<> {
    std::unordered_map<std::string_view, AccountNumber> accounts;
    for (const DeliveryRow& old : deliveries) {
      const auto [known, is_new] = accounts.try_emplace(old.webhook);
      if (is_new) {
        TRY(const auto webhook, txn.find_webhook(old.webhook));
        if (webhook) known->second = webhook->account;
      }
      DeliveryRow delivery = old;
      delivery.account = known->second;
      CHECK_OK(txn.add_delivery(delivery));
    }
    return txn.put_mark(kDeliveriesMark, deliveries.back().number);
  });
}

class WebhookMove {
 public:
  WebhookMove(Store& store, const std::string& old_deliveries, const MoveOptions& options)
      : store_(store), old_deliveries_(old_deliveries), options_(options) {}

  Result<> run() {
    TRY(std::int64_t stage, read_mark(store_, kWebhooksMark));
    if (stage == kNothingMoved) {
      TRY(stage, move_records());
    }
    if (stage == kAllMoved) return {};
    CHECK_OK(move_deliveries());
    return is_file_left_ ? Result<>{} : finish();
  }

 private:
  Result<> after_step() { return options_.after_each ? options_.after_each() : Result<>{}; }

  /// Returns how far the move is now.
  Result<std::int64_t> move_records() {
    std::error_code ignored;
    const bool has_file = !old_deliveries_.empty() && std::filesystem::exists(old_deliveries_, ignored);
    std::int64_t stage = kWebhooksMoved;
    CHECK_OK(store_.directory().write([&](DirectoryTxn& txn) -> Result<> {
      std::size_t count = 0;
      CHECK_OK(store_.read(system_space(), [&](Snapshot& snapshot) -> Result<> {
        TRY(count, put_records_in(txn, snapshot));
        return {};
      }));
      stage = count == 0 && !has_file ? kAllMoved : kWebhooksMoved;
      return txn.put_mark(kWebhooksMark, stage);
    }));
    CHECK_OK(after_step());
    return stage;
  }

  Result<> move_deliveries() {
    if (old_deliveries_.empty()) return {};
    std::int64_t count = 0;
    {
      auto file = OldDeliveryFile::open(old_deliveries_);
      if (!file) return leave_file(file.error());
      if (!*file) return {};
      TRY(std::int64_t through, read_mark(store_, kDeliveriesMark));
      for (;;) {
        const auto deliveries = (*file)->read(through, options_.deliveries_each);
        if (!deliveries) return leave_file(deliveries.error());
        if (deliveries->empty()) break;
        CHECK_OK(put_deliveries(store_, *deliveries));
        through = deliveries->back().number;
        count += static_cast<std::int64_t>(deliveries->size());
        CHECK_OK(after_step());
      }
    }
    if (const auto removed = OldDeliveryFile::remove(old_deliveries_); !removed) return leave_file(removed.error());
    log(LogLevel::info, "deliveries_moved", {{"count", count}, {"from", old_deliveries_}});
    return after_step();
  }

  Result<> leave_file(const Error& error) {
    is_file_left_ = true;
    log(LogLevel::error, "deliveries_not_moved",
        {{"file", old_deliveries_},
         {"error", error.text},
         {"what_now", "what was on its way to webhooks stays in the file; every start tries again"}});
    return {};
  }

  Result<> finish() {
    // What was moved is what counts. That the records are still there does no harm, and a full disk may forbid more.
    Result<> ended = delete_moved_records(store_, kMovedCollections);
    if (ended)
      ended = store_.directory().write([](DirectoryTxn& txn) { return txn.put_mark(kWebhooksMark, kAllMoved); });
    if (!ended) log(LogLevel::warning, "moved_records_stay", {{"error", ended.error().text}});
    return {};
  }

  Store& store_;
  const std::string& old_deliveries_;
  const MoveOptions& options_;
  bool is_file_left_ = false;
};

}  // namespace

Result<> move_webhooks(Store& store, const std::string& old_deliveries, const MoveOptions& options) {
  return WebhookMove(store, old_deliveries, options).run();
}

}  // namespace syncline::webhooks
