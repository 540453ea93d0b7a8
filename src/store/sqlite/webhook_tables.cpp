// The tables of webhooks and of what is on its way to them: a part of DirectoryTables.
#include <algorithm>

#include "store/sqlite/directory_hash.hpp"
#include "store/sqlite/directory_tables.hpp"

namespace syncline::sqlite {
namespace {

#define WEBHOOK_COLUMNS "id, account, created_at, doc, hash"
#define DELIVERY_COLUMNS                                                                                        \
  "number, account, webhook, message, type, body, created_at, state, attempts, next_at, last_at, last_status, " \
  "last_error, hash"

std::int64_t hash_of_webhook(const WebhookRow& row) {
  return DirectoryHash("webhook").add(row.id).add(row.account.value).add(row.created_at.micros).add(row.doc).finish();
}

Result<WebhookRow> webhook_of(const Statement& row) {
  WebhookRow webhook{.id = std::string(row.bytes(0)),
                     .account = {row.integer(1)},
                     .created_at = {row.integer(2)},
                     .doc = std::string(row.bytes(3))};
  if (hash_of_webhook(webhook) != row.integer(4)) {
    return fail(ErrorCode::damaged, "the row of webhook " + webhook.id + " is damaged; run 'syncline verify'");
  }
  return webhook;
}

std::int64_t hash_of_delivery(const DeliveryRow& row) {
  return DirectoryHash("delivery")
      .add(row.number)
      .add(row.account.value)
      .add(row.webhook)
      .add(row.message)
      .add(row.type)
      .add(row.body)
      .add(row.created_at.micros)
      .add(static_cast<std::int64_t>(row.state))
      .add(row.attempts)
      .add(row.next_at.micros)
      .add(row.last_at.micros)
      .add(row.last_status)
      .add(row.last_error)
      .finish();
}

Result<DeliveryRow> delivery_of(const Statement& row) {
  const std::int64_t state = row.integer(7);
  DeliveryRow delivery{.number = row.integer(0),
                       .account = {row.integer(1)},
                       .webhook = std::string(row.bytes(2)),
                       .message = std::string(row.bytes(3)),
                       .type = std::string(row.bytes(4)),
                       .body = std::string(row.bytes(5)),
                       .created_at = {row.integer(6)},
                       .state = static_cast<DeliveryRow::State>(state),
                       .attempts = row.integer(8),
                       .next_at = {row.integer(9)},
                       .last_at = {row.integer(10)},
                       .last_status = row.integer(11),
                       .last_error = std::string(row.bytes(12))};
  // What does not fit the state would pass for another one.
  const bool is_state = state == static_cast<std::int64_t>(delivery.state);
  if (!is_state || hash_of_delivery(delivery) != row.integer(13)) return damaged_row("delivery", delivery.number);
  return delivery;
}

void bind_delivery(Statement& statement, const DeliveryRow& delivery) {
  statement.bind(1, delivery.number);
  statement.bind(2, delivery.account.value);
  statement.bind_text(3, delivery.webhook);
  statement.bind_text(4, delivery.message);
  statement.bind_text(5, delivery.type);
  statement.bind_bytes(6, delivery.body);
  statement.bind(7, delivery.created_at.micros);
  statement.bind(8, static_cast<std::int64_t>(delivery.state));
  statement.bind(9, delivery.attempts);
  statement.bind(10, delivery.next_at.micros);
  statement.bind(11, delivery.last_at.micros);
  statement.bind(12, delivery.last_status);
  statement.bind_text(13, delivery.last_error);
  statement.bind(14, hash_of_delivery(delivery));
}

}  // namespace

Result<std::optional<WebhookRow>> DirectoryTables::find_webhook(std::string_view id) {
  std::optional<WebhookRow> found;
  CHECK_OK(query(
      "SELECT " WEBHOOK_COLUMNS " FROM webhook WHERE id = ?", [&](Statement& statement) { statement.bind_text(1, id); },
      [&](Statement& row) -> Result<bool> {
        TRY(found, webhook_of(row));
        return false;
      }));
  return found;
}

Result<> DirectoryTables::webhooks(std::optional<AccountNumber> account, const WebhookVisitor& visit) {
  const auto visit_row = [&](Statement& row) -> Result<bool> {
    const auto webhook = webhook_of(row);
    return !webhook || visit(*webhook);
  };
  if (!account) return query("SELECT " WEBHOOK_COLUMNS " FROM webhook ORDER BY id", [](Statement&) {}, visit_row);
  return query(
      "SELECT " WEBHOOK_COLUMNS " FROM webhook WHERE account = ? ORDER BY id",
      [&](Statement& statement) { statement.bind(1, account->value); }, visit_row);
}

Result<> DirectoryTables::put_webhook(const WebhookRow& webhook) {
  TRY(const auto holder, find_webhook(webhook.id));
  if (holder && holder->account != webhook.account) {
    return fail(ErrorCode::conflict, "webhook '" + webhook.id + "' already exists");
  }
  return run("INSERT OR REPLACE INTO webhook (" WEBHOOK_COLUMNS ") VALUES (?,?,?,?,?)", [&](Statement& statement) {
    statement.bind_text(1, webhook.id);
    statement.bind(2, webhook.account.value);
    statement.bind(3, webhook.created_at.micros);
    statement.bind_bytes(4, webhook.doc);
    statement.bind(5, hash_of_webhook(webhook));
  });
}

Result<> DirectoryTables::remove_webhook(std::string_view id) {
  CHECK_OK(run_for("DELETE FROM delivery WHERE webhook = ?", id));
  return run_for("DELETE FROM webhook WHERE id = ?", id);
}

Result<std::optional<DeliveryRow>> DirectoryTables::find_delivery(std::string_view webhook, std::int64_t number) {
  std::optional<DeliveryRow> found;
  CHECK_OK(query(
      "SELECT " DELIVERY_COLUMNS " FROM delivery WHERE number = ? AND webhook = ?",
      [&](Statement& statement) {
        statement.bind(1, number);
        statement.bind_text(2, webhook);
      },
      [&](Statement& row) -> Result<bool> {
        TRY(found, delivery_of(row));
        return false;
      }));
  return found;
}

Result<std::optional<DeliveryRow>> DirectoryTables::find_next_delivery(const std::vector<std::string>& webhooks) {
  const auto place_of = [](const DeliveryRow& row) { return std::pair(row.next_at.micros, row.number); };
  std::optional<DeliveryRow> next;
  // A look into the index for each: what waits for a receiver that is down may be much.
  for (const std::string& webhook : webhooks) {
    CHECK_OK(query(
        kWaitingDeliveries, [&](Statement& statement) { statement.bind_text(1, webhook); },
        [&](Statement& place) -> Result<bool> {
          if (next && place_of(*next) < std::pair(place.integer(0), place.integer(1))) return false;
          bool is_damaged = false;
          CHECK_OK(query(
              "SELECT " DELIVERY_COLUMNS " FROM delivery WHERE number = ?",
              [&](Statement& statement) { statement.bind(1, place.integer(1)); },
              [&](Statement& row) -> Result<bool> {
                if (auto delivery = delivery_of(row)) {
                  next = *std::move(delivery);
                } else {
                  is_damaged = true;
                }
                return false;
              }));
          return is_damaged;
        }));
  }
  return next;
}

Result<> DirectoryTables::deliveries(std::string_view webhook, std::size_t count_max, const DeliveryVisitor& visit) {
  // Without the bodies of all the others.
  return query(
      "SELECT " DELIVERY_COLUMNS
      " FROM delivery WHERE number IN "
      "(SELECT number FROM delivery WHERE webhook = ? ORDER BY number DESC LIMIT ?) ORDER BY number DESC",
      [&](Statement& statement) {
        statement.bind_text(1, webhook);
        statement.bind(2, static_cast<std::int64_t>(count_max));
      },
      [&](Statement& row) -> Result<bool> {
        const auto delivery = delivery_of(row);
        return !delivery || visit(*delivery);
      });
}

Result<> DirectoryTables::deliveries_due_after(std::string_view webhook, DeliveryRow::State state, Timestamp after,
                                               const DeliveryVisitor& visit) {
  return query(
      "SELECT " DELIVERY_COLUMNS
      " FROM delivery WHERE webhook = ? AND state = ? AND next_at > ? ORDER BY next_at, number",
      [&](Statement& statement) {
        statement.bind_text(1, webhook);
        statement.bind(2, static_cast<std::int64_t>(state));
        statement.bind(3, after.micros);
      },
      [&](Statement& row) -> Result<bool> {
        const auto delivery = delivery_of(row);
        return !delivery || visit(*delivery);
      });
}

Result<std::int64_t> DirectoryTables::number_for(const DeliveryRow& delivery) {
  if (delivery.number > 0) {
    bool is_free = true;
    CHECK_OK(query(
        "SELECT 1 FROM delivery WHERE number = ?", [&](Statement& statement) { statement.bind(1, delivery.number); },
        [&](Statement&) -> Result<bool> { return is_free = false; }));
    if (is_free) return delivery.number;
  }
  if (!last_delivery_) {
    last_delivery_ = 0;
    CHECK_OK(query(
        "SELECT seq FROM sqlite_sequence WHERE name = 'delivery'", [](Statement&) {},
        [&](Statement& row) -> Result<bool> {
          last_delivery_ = row.integer(0);
          return false;
        }));
  }
  return *last_delivery_ + 1;
}

Result<> DirectoryTables::add_delivery(const DeliveryRow& delivery) {
  DeliveryRow row = delivery;
  TRY(row.number, number_for(delivery));
  if (last_delivery_) last_delivery_ = std::max(*last_delivery_, row.number);
  return run("INSERT OR IGNORE INTO delivery (" DELIVERY_COLUMNS
             ") SELECT ?,?,?,?,?,?,?,?,?,?,?,?,?,? WHERE EXISTS (SELECT 1 FROM webhook WHERE id = ?3 AND account = ?2)",
             [&](Statement& statement) { bind_delivery(statement, row); });
}

Result<> DirectoryTables::put_delivery(const DeliveryRow& delivery) {
  return run(
      "UPDATE delivery SET account = ?2, webhook = ?3, message = ?4, type = ?5, body = ?6, created_at = ?7, "
      "state = ?8, attempts = ?9, next_at = ?10, last_at = ?11, last_status = ?12, last_error = ?13, hash = ?14 "
      "WHERE number = ?1",
      [&](Statement& statement) { bind_delivery(statement, delivery); });
}

Result<std::size_t> DirectoryTables::remove_ended_deliveries(Timestamp before, std::size_t count_max) {
  CHECK_OK(run(kRemoveEndedDeliveries, [&](Statement& statement) {
    statement.bind(1, before.micros);
    statement.bind(2, static_cast<std::int64_t>(count_max));
  }));
  std::size_t removed = 0;
  CHECK_OK(query(
      "SELECT changes()", [](Statement&) {},
      [&](Statement& row) -> Result<bool> {
        removed = static_cast<std::size_t>(row.integer(0));
        return false;
      }));
  return removed;
}

Result<> DirectoryTables::verify_webhooks(std::vector<std::string>& problems) {
  const auto note = [&](const auto& row) -> Result<bool> {
    if (!row) problems.push_back(row.error().text);
    return true;
  };
  CHECK_OK(query(
      "SELECT " WEBHOOK_COLUMNS " FROM webhook ORDER BY id", [](Statement&) {},
      [&](Statement& row) { return note(webhook_of(row)); }));
  return query(
      "SELECT " DELIVERY_COLUMNS " FROM delivery ORDER BY number", [](Statement&) {},
      [&](Statement& row) { return note(delivery_of(row)); });
}

#undef WEBHOOK_COLUMNS
#undef DELIVERY_COLUMNS

}  // namespace syncline::sqlite
