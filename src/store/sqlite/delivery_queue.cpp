#include "store/sqlite/delivery_queue.hpp"

#include <algorithm>

namespace syncline {
namespace {

using sqlite::Connection;
using sqlite::Statement;
using sqlite::StatementScope;

/// "SYNQ".
constexpr std::int64_t kQueueApplicationId = 0x53594E51;
constexpr std::int64_t kQueueFormat = 1;

constexpr std::string_view kColumns =
    "delivery.number, webhook, message, type, body, state, attempts, at, next_at, last_at, last_status, last_error "
    "FROM delivery JOIN message ON message.id = delivery.message ";

Delivery read_delivery(const Statement& row) {
  Delivery delivery;
  delivery.number = row.integer(0);
  delivery.webhook = row.bytes(1);
  delivery.message = row.bytes(2);
  delivery.type = row.bytes(3);
  delivery.body = row.bytes(4);
  delivery.state = static_cast<Delivery::State>(row.integer(5));
  delivery.attempts = row.integer(6);
  delivery.created_at = {row.integer(7)};
  delivery.next_at = {row.integer(8)};
  delivery.last_at = {row.integer(9)};
  delivery.last_status = row.integer(10);
  delivery.last_error = row.bytes(11);
  return delivery;
}

Result<std::optional<Delivery>> find_delivery(Connection& on, std::string_view webhook, std::int64_t number) {
  TRY(Statement row, on.prepare("SELECT " + std::string(kColumns) + "WHERE webhook = ? AND delivery.number = ?"));
  row.bind_text(1, webhook);
  row.bind(2, number);
  TRY(const bool found, row.step());
  if (!found) return std::nullopt;
  return read_delivery(row);
}

}  // namespace

std::string_view to_text(Delivery::State state) {
  switch (state) {
    case Delivery::State::waiting: return "waiting";
    case Delivery::State::delivered: return "delivered";
    case Delivery::State::failed: return "failed";
  }
  return "waiting";
}

DeliveryQueue::DeliveryQueue(std::string path)
    : file_(std::move(path),
            {.application_id = kQueueApplicationId,
             .format = kQueueFormat,
             .other_format = sqlite::SideFile::Form::OtherFormat::refused,
             .pragmas = "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA cache_size = -2048",
             .tables = "CREATE TABLE message (id TEXT PRIMARY KEY, type TEXT NOT NULL, body BLOB NOT NULL,"
                       " at INTEGER NOT NULL) WITHOUT ROWID;"
                       "CREATE TABLE delivery (number INTEGER PRIMARY KEY AUTOINCREMENT, webhook TEXT NOT NULL,"
                       " message TEXT NOT NULL, state INTEGER NOT NULL, attempts INTEGER NOT NULL,"
                       " next_at INTEGER NOT NULL, last_at INTEGER NOT NULL, last_status INTEGER NOT NULL,"
                       " last_error TEXT NOT NULL, UNIQUE (webhook, message));"
                       "CREATE INDEX delivery_due ON delivery (webhook, next_at) WHERE state = 0;"
                       "CREATE INDEX delivery_message ON delivery (message);"}) {}

Result<> DeliveryQueue::write(const std::function<Result<>(Connection&)>& run) {
  const MutexLock lock(mutex_);
  CHECK_OK(file_.open());
  Connection& on = file_.connection();
  TRY(sqlite::Transaction transaction, sqlite::Transaction::begin(on));
  CHECK_OK(run(on));
  return transaction.commit();
}

Result<> DeliveryQueue::add(const std::vector<Message>& messages, Timestamp now) {
  return write([&](Connection& on) -> Result<> {
    TRY(Statement message_row, on.prepare("INSERT OR IGNORE INTO message (id, type, body, at) VALUES (?,?,?,?)"));
    TRY(Statement delivery_row,
        on.prepare("INSERT OR IGNORE INTO delivery (webhook, message, state, attempts, next_at, last_at, "
                   "last_status, last_error) VALUES (?,?,0,0,?,0,0,'')"));
    for (const Message& message : messages) {
      const StatementScope scope(message_row);
      message_row.bind_text(1, message.id);
      message_row.bind_text(2, message.type);
      message_row.bind_bytes(3, message.body);
      message_row.bind(4, now.micros);
      CHECK_OK(message_row.run());
      for (const std::string& webhook : message.webhooks) {
        const StatementScope delivery_scope(delivery_row);
        delivery_row.bind_text(1, webhook);
        delivery_row.bind_text(2, message.id);
        delivery_row.bind(3, now.micros);
        CHECK_OK(delivery_row.run());
      }
    }
    return {};
  });
}

Result<std::optional<Delivery>> DeliveryQueue::first_waiting(const std::vector<std::string>& webhooks) {
  const MutexLock lock(mutex_);
  CHECK_OK(file_.open());
  // A look into the index for each: what waits for a receiver that is down may be much.
  TRY(Statement row, file_.connection().prepare("SELECT number, next_at FROM delivery WHERE webhook = ? AND state = 0 "
                                                "ORDER BY next_at LIMIT 1"));
  std::optional<std::pair<std::int64_t, std::size_t>> first;  // next_at, place in `webhooks`
  std::int64_t number = 0;
  for (std::size_t at = 0; at < webhooks.size(); ++at) {
    const StatementScope scope(row);
    row.bind_text(1, webhooks[at]);
    TRY(const bool found, row.step());
    if (!found || (first && first->first <= row.integer(1))) continue;
    number = row.integer(0);
    first = {row.integer(1), at};
  }
  if (!first) return std::nullopt;
  return find_delivery(file_.connection(), webhooks[first->second], number);
}

Result<> DeliveryQueue::update(const Delivery& delivery, Timestamp was_due_at) {
  return write([&](Connection& on) -> Result<> {
    TRY(Statement row, on.prepare("UPDATE delivery SET state = ?, attempts = ?, next_at = ?, last_at = ?, "
                                  "last_status = ?, last_error = ? WHERE number = ? AND next_at = ?"));
    row.bind(1, static_cast<std::int64_t>(delivery.state));
    row.bind(2, delivery.attempts);
    row.bind(3, delivery.next_at.micros);
    row.bind(4, delivery.last_at.micros);
    row.bind(5, delivery.last_status);
    row.bind_text(6, delivery.last_error);
    row.bind(7, delivery.number);
    row.bind(8, was_due_at.micros);
    return row.run();
  });
}

Result<> DeliveryQueue::retry_now(std::string_view webhook, Timestamp now) {
  return write([&](Connection& on) -> Result<> {
    TRY(Statement row, on.prepare("UPDATE delivery SET next_at = ?2, attempts = max(0, attempts - 1) "
                                  "WHERE webhook = ?1 AND state = 0 AND next_at > ?2"));
    row.bind_text(1, webhook);
    row.bind(2, now.micros);
    return row.run();
  });
}

Result<std::vector<Delivery>> DeliveryQueue::list(std::string_view webhook, std::size_t count_max) {
  const MutexLock lock(mutex_);
  CHECK_OK(file_.open());
  TRY(Statement rows, file_.connection().prepare("SELECT " + std::string(kColumns) +
                                                 "WHERE webhook = ? ORDER BY delivery.number DESC LIMIT ?"));
  rows.bind_text(1, webhook);
  rows.bind(2, static_cast<std::int64_t>(count_max));
  std::vector<Delivery> found;
  std::size_t bytes = 0;
  while (bytes < kListBytesMax) {
    TRY(const bool row, rows.step());
    if (!row) break;
    found.push_back(read_delivery(rows));
    bytes += found.back().body.size();
  }
  return found;
}

Result<Delivery> DeliveryQueue::replay(std::string_view webhook, std::int64_t number, Timestamp now) {
  std::optional<Delivery> delivery;
  CHECK_OK(write([&](Connection& on) -> Result<> {
    TRY(Statement row, on.prepare("UPDATE delivery SET state = 0, attempts = 0, next_at = ? "
                                  "WHERE webhook = ? AND number = ?"));
    row.bind(1, now.micros);
    row.bind_text(2, webhook);
    row.bind(3, number);
    CHECK_OK(row.run());
    TRY(delivery, find_delivery(on, webhook, number));
    return {};
  }));
  if (!delivery) return fail(ErrorCode::not_found, "delivery " + std::to_string(number) + " not found");
  return *std::move(delivery);
}

Result<std::int64_t> DeliveryQueue::replay_failed(std::string_view webhook, Timestamp now) {
  std::int64_t count = 0;
  CHECK_OK(write([&](Connection& on) -> Result<> {
    TRY(Statement row, on.prepare("UPDATE delivery SET state = 0, attempts = 0, next_at = ? "
                                  "WHERE webhook = ? AND state = 2"));
    row.bind(1, now.micros);
    row.bind_text(2, webhook);
    CHECK_OK(row.run());
    TRY(count, on.query_integer("SELECT changes()"));
    return {};
  }));
  return count;
}

Result<> DeliveryQueue::forget(std::string_view webhook) {
  return write([&](Connection& on) -> Result<> {
    TRY(Statement row, on.prepare("DELETE FROM delivery WHERE webhook = ?"));
    row.bind_text(1, webhook);
    CHECK_OK(row.run());
    return on.execute("DELETE FROM message WHERE id NOT IN (SELECT message FROM delivery)");
  });
}

Result<> DeliveryQueue::remove_all_except(const std::vector<std::string>& webhooks, Timestamp made_before) {
  return write([&](Connection& on) -> Result<> {
    std::vector<std::string> others;
    {
      TRY(Statement rows, on.prepare("SELECT DISTINCT webhook FROM delivery"));
      for (;;) {
        TRY(const bool row, rows.step());
        if (!row) break;
        const std::string webhook(rows.bytes(0));
        if (std::ranges::find(webhooks, webhook) == webhooks.end()) others.push_back(webhook);
      }
    }
    TRY(Statement drop, on.prepare("DELETE FROM delivery WHERE webhook = ? AND message IN "
                                   "(SELECT id FROM message WHERE at < ?)"));
    for (const std::string& webhook : others) {
      const StatementScope scope(drop);
      drop.bind_text(1, webhook);
      drop.bind(2, made_before.micros);
      CHECK_OK(drop.run());
    }
    return on.execute("DELETE FROM message WHERE id NOT IN (SELECT message FROM delivery)");
  });
}

Result<> DeliveryQueue::purge(Timestamp before) {
  return write([&](Connection& on) -> Result<> {
    const std::string micros = std::to_string(before.micros);
    CHECK_OK(on.execute("DELETE FROM delivery WHERE state != 0 AND last_at < " + micros));
    return on.execute("DELETE FROM message WHERE at < " + micros + " AND id NOT IN (SELECT message FROM delivery)");
  });
}

}  // namespace syncline
