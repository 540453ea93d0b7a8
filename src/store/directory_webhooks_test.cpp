// What every directory must do with webhooks, their deliveries and leases, in the words of directory.hpp. Each test
// runs against each implementation.
#include <gtest/gtest.h>

#include "store/directory.hpp"
#include "support/directory_fixture.hpp"

namespace syncline {
namespace {

using DeliveryState = DeliveryRow::State;
using MessageIds = std::vector<std::string>;
constexpr AccountNumber kFirstOwner{1};
constexpr AccountNumber kSecondOwner{2};
constexpr std::size_t kAllListed = 1000;

WebhookRow webhook_row(const std::string& id, AccountNumber account) {
  return {.id = id, .account = account, .created_at = Timestamp{7}, .doc = R"({"url":"https://a.example/"})"};
}

DeliveryRow delivery_row(const std::string& webhook, AccountNumber account, const std::string& message,
                         std::int64_t next_at = 10) {
  return {.number = 0,
          .account = account,
          .webhook = webhook,
          .message = message,
          .type = "record.changed",
          .body = std::string("{\"a\":\0}", 7),
          .created_at = Timestamp{9},
          .next_at = Timestamp{next_at},
          .last_at = {},
          .last_error = {}};
}

LeaseRow lease_row(AccountNumber account, const std::string& command, std::int64_t until) {
  return {.space = {account, "s"}, .command = command, .holder = "k1", .until = Timestamp{until}};
}

class DirectoryWebhooksTest : public test::DirectoryFixture {
 protected:
  void add(const DeliveryRow& delivery) {
    write([&](DirectoryTxn& txn) { return txn.add_delivery(delivery); });
  }
  void put_webhooks() {
    write([](DirectoryTxn& txn) -> Result<> {
      CHECK_OK(txn.put_webhook(webhook_row("wh_a", kFirstOwner)));
      CHECK_OK(txn.put_webhook(webhook_row("wh_b", kFirstOwner)));
      return txn.put_webhook(webhook_row("wh_c", kSecondOwner));
    });
  }
  /// Messages of a webhook, newest first.
  MessageIds messages(const std::string& webhook, std::size_t count_max = kAllListed) {
    MessageIds found;
    read([&](DirectoryView& view) {
      found.clear();
      return view.deliveries(webhook, count_max, [&](const DeliveryRow& row) {
        found.push_back(row.message);
        return true;
      });
    });
    return found;
  }
  std::string next_of(const std::vector<std::string>& webhooks) {
    std::string message;
    read([&](DirectoryView& view) -> Result<> {
      TRY(const auto next, view.find_next_delivery(webhooks));
      message = next ? next->message : "(none)";
      return {};
    });
    return message;
  }
  void change(const std::string& webhook, const std::string& message, const std::function<void(DeliveryRow&)>& how) {
    write([&](DirectoryTxn& txn) -> Result<> {
      std::optional<DeliveryRow> found;
      CHECK_OK(txn.deliveries(webhook, kAllListed, [&](const DeliveryRow& row) {
        if (row.message == message) found = row;
        return true;
      }));
      if (!found) return fail(ErrorCode::not_found, message);
      how(*found);
      return txn.put_delivery(*found);
    });
  }
  MessageIds leases_until(std::int64_t until) {
    MessageIds found;
    read([&](DirectoryView& view) {
      found.clear();
      return view.leases_that_end(Timestamp{until}, [&](const LeaseRow& row) {
        found.push_back(std::to_string(row.space.account.value) + row.command);
        return true;
      });
    });
    return found;
  }
};

INSTANTIATE_TEST_SUITE_P(Stores, DirectoryWebhooksTest, test::all_directories(), test::store_name);

TEST_P(DirectoryWebhooksTest, a_webhook_comes_back_as_it_was_put_and_is_listed_by_its_account) {
  put_webhooks();
  write([](DirectoryTxn& txn) {
    WebhookRow changed = webhook_row("wh_b", kFirstOwner);
    changed.doc = "{}";
    return txn.put_webhook(changed);
  });
  const auto list = [this](std::optional<AccountNumber> account) {
    MessageIds found;
    read([&](DirectoryView& view) {
      found.clear();
      return view.webhooks(account, [&](const WebhookRow& row) {
        found.push_back(row.id);
        return true;
      });
    });
    return found;
  };
  EXPECT_EQ(list(std::nullopt), (MessageIds{"wh_a", "wh_b", "wh_c"}));
  EXPECT_EQ(list(kFirstOwner), (MessageIds{"wh_a", "wh_b"}));
  read([](DirectoryView& view) -> Result<> {
    TRY(const auto first, view.find_webhook("wh_a"));
    TRY(const auto changed, view.find_webhook("wh_b"));
    TRY(const auto none, view.find_webhook("wh_x"));
    EXPECT_TRUE(first && changed && !none);
    EXPECT_EQ(first.value_or(WebhookRow{}).account, kFirstOwner);
    EXPECT_EQ(first.value_or(WebhookRow{}).created_at, Timestamp{7});
    EXPECT_EQ(first.value_or(WebhookRow{}).doc, R"({"url":"https://a.example/"})");
    EXPECT_EQ(changed.value_or(WebhookRow{}).doc, "{}");
    return {};
  });
}

TEST_P(DirectoryWebhooksTest, the_id_of_a_webhook_belongs_to_one_account) {
  put_webhooks();
  const auto second =
      directory().write([](DirectoryTxn& txn) { return txn.put_webhook(webhook_row("wh_a", kSecondOwner)); });
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().code, ErrorCode::conflict);
}

TEST_P(DirectoryWebhooksTest, a_delivery_comes_back_as_it_was_put) {
  put_webhooks();
  add(delivery_row("wh_a", kFirstOwner, "m1"));
  change("wh_a", "m1", [](DeliveryRow& row) {
    EXPECT_EQ(row.number, 1);
    EXPECT_EQ(row.state, DeliveryState::waiting);
    row.state = DeliveryState::failed;
    row.attempts = 3;
    row.next_at = Timestamp{20};
    row.last_at = Timestamp{30};
    row.last_status = 500;
    row.last_error = "answered 500";
  });
  read([](DirectoryView& view) -> Result<> {
    TRY(const auto found, view.find_delivery("wh_a", 1));
    TRY(const auto of_another, view.find_delivery("wh_b", 1));
    EXPECT_FALSE(of_another);
    EXPECT_TRUE(found);
    if (!found) return {};
    EXPECT_EQ(found->account, kFirstOwner);
    EXPECT_EQ(found->webhook, "wh_a");
    EXPECT_EQ(found->message, "m1");
    EXPECT_EQ(found->type, "record.changed");
    EXPECT_EQ(found->body, std::string("{\"a\":\0}", 7));
    EXPECT_EQ(found->created_at, Timestamp{9});
    EXPECT_EQ(found->state, DeliveryState::failed);
    EXPECT_EQ(found->attempts, 3);
    EXPECT_EQ(found->next_at, Timestamp{20});
    EXPECT_EQ(found->last_at, Timestamp{30});
    EXPECT_EQ(found->last_status, 500);
    EXPECT_EQ(found->last_error, "answered 500");
    return {};
  });
}

TEST_P(DirectoryWebhooksTest, a_message_is_queued_once_for_a_webhook_that_is_there) {
  put_webhooks();
  for (int i = 0; i < 2; ++i) add(delivery_row("wh_a", kFirstOwner, "m1"));
  add(delivery_row("wh_b", kFirstOwner, "m1"));
  add(delivery_row("wh_c", kFirstOwner, "m1"));
  add(delivery_row("wh_x", kFirstOwner, "m1"));
  EXPECT_EQ(messages("wh_a"), (MessageIds{"m1"}));
  EXPECT_EQ(messages("wh_b"), (MessageIds{"m1"}));
  EXPECT_EQ(messages("wh_c"), MessageIds{}) << "it is another account's";
  EXPECT_EQ(messages("wh_x"), MessageIds{});
}

TEST_P(DirectoryWebhooksTest, a_delivery_keeps_its_number_unless_another_one_has_it) {
  put_webhooks();
  const auto numbered = [](std::int64_t number, const std::string& message) {
    DeliveryRow row = delivery_row("wh_a", kFirstOwner, message);
    row.number = number;
    return row;
  };
  add(numbered(7, "m7"));
  add(numbered(7, "again"));
  add(numbered(0, "next"));
  write([](DirectoryTxn& txn) -> Result<> {
    CHECK_OK(txn.remove_webhook("wh_a"));
    return txn.put_webhook(webhook_row("wh_a", kFirstOwner));
  });
  add(numbered(0, "after"));
  std::vector<std::int64_t> numbers;
  read([&](DirectoryView& view) {
    numbers.clear();
    return view.deliveries("wh_a", kAllListed, [&](const DeliveryRow& row) {
      numbers.push_back(row.number);
      return true;
    });
  });
  EXPECT_EQ(numbers, (std::vector<std::int64_t>{10})) << "numbers are not used twice";
}

TEST_P(DirectoryWebhooksTest, the_next_delivery_is_the_first_that_is_due_of_the_named_webhooks) {
  put_webhooks();
  add(delivery_row("wh_a", kFirstOwner, "late", 30));
  add(delivery_row("wh_a", kFirstOwner, "early", 20));
  add(delivery_row("wh_a", kFirstOwner, "together", 20));
  add(delivery_row("wh_b", kFirstOwner, "other", 10));
  add(delivery_row("wh_c", kSecondOwner, "first", 5));
  EXPECT_EQ(next_of({"wh_a"}), "early");
  EXPECT_EQ(next_of({"wh_a", "wh_b"}), "other");
  EXPECT_EQ(next_of({"wh_b", "wh_c", "wh_a"}), "first");
  EXPECT_EQ(next_of({}), "(none)");
  EXPECT_EQ(next_of({"wh_x"}), "(none)");
  change("wh_a", "early", [](DeliveryRow& row) { row.state = DeliveryState::delivered; });
  EXPECT_EQ(next_of({"wh_a"}), "together");
  change("wh_a", "together", [](DeliveryRow& row) { row.next_at = Timestamp{40}; });
  EXPECT_EQ(next_of({"wh_a"}), "late");
}

TEST_P(DirectoryWebhooksTest, deliveries_are_listed_newest_first_and_by_state_and_time) {
  put_webhooks();
  for (const int number : {1, 2, 3, 4})
    add(delivery_row("wh_a", kFirstOwner, "m" + std::to_string(number), 50 - number));
  EXPECT_EQ(messages("wh_a"), (MessageIds{"m4", "m3", "m2", "m1"}));
  EXPECT_EQ(messages("wh_a", 2), (MessageIds{"m4", "m3"}));
  change("wh_a", "m2", [](DeliveryRow& row) { row.state = DeliveryState::failed; });
  const auto due_after = [this](DeliveryState state, std::int64_t after) {
    MessageIds found;
    read([&](DirectoryView& view) {
      found.clear();
      return view.deliveries_due_after("wh_a", state, Timestamp{after}, [&](const DeliveryRow& row) {
        found.push_back(row.message);
        return found.size() < 2;
      });
    });
    return found;
  };
  EXPECT_EQ(due_after(DeliveryState::waiting, 0), (MessageIds{"m4", "m3"})) << "the visitor stops it";
  EXPECT_EQ(due_after(DeliveryState::waiting, 47), (MessageIds{"m1"}));
  EXPECT_EQ(due_after(DeliveryState::failed, -1), (MessageIds{"m2"}));
}

TEST_P(DirectoryWebhooksTest, only_deliveries_that_ended_long_ago_are_purged_the_oldest_first) {
  put_webhooks();
  for (const int number : {1, 2, 3, 4}) add(delivery_row("wh_a", kFirstOwner, "m" + std::to_string(number)));
  const auto end = [this](const std::string& message, DeliveryState state, std::int64_t at) {
    change("wh_a", message, [&](DeliveryRow& row) {
      row.state = state;
      row.last_at = Timestamp{at};
    });
  };
  end("m1", DeliveryState::delivered, 30);
  end("m2", DeliveryState::failed, 20);
  end("m3", DeliveryState::delivered, 60);
  end("m4", DeliveryState::waiting, 10);
  const auto purge = [this](std::int64_t before, std::size_t count_max) {
    std::size_t removed = 0;
    write([&](DirectoryTxn& txn) -> Result<> {
      TRY(removed, txn.remove_ended_deliveries(Timestamp{before}, count_max));
      return {};
    });
    return removed;
  };
  EXPECT_EQ(purge(60, 1), 1U);
  EXPECT_EQ(messages("wh_a"), (MessageIds{"m4", "m3", "m1"}));
  EXPECT_EQ(purge(60, 10), 1U);
  EXPECT_EQ(purge(60, 10), 0U);
  EXPECT_EQ(messages("wh_a"), (MessageIds{"m4", "m3"}));
}

TEST_P(DirectoryWebhooksTest, what_is_queued_for_a_webhook_goes_with_it_and_with_its_account) {
  put_webhooks();
  for (const char* webhook : {"wh_a", "wh_b"}) add(delivery_row(webhook, kFirstOwner, "m1"));
  add(delivery_row("wh_c", kSecondOwner, "m1"));
  write([](DirectoryTxn& txn) { return txn.remove_webhook("wh_a"); });
  EXPECT_EQ(messages("wh_a"), MessageIds{});
  EXPECT_EQ(messages("wh_b"), (MessageIds{"m1"}));
  const auto failed = directory().write([](DirectoryTxn& txn) -> Result<> {
    CHECK_OK(txn.erase_account(kFirstOwner));
    return fail(ErrorCode::unavailable, "no");
  });
  ASSERT_FALSE(failed);
  EXPECT_EQ(messages("wh_b"), (MessageIds{"m1"})) << "all of it or nothing";
  write([](DirectoryTxn& txn) { return txn.erase_account(kFirstOwner); });
  EXPECT_EQ(messages("wh_b"), MessageIds{});
  EXPECT_EQ(messages("wh_c"), (MessageIds{"m1"}));
  read([](DirectoryView& view) -> Result<> {
    TRY(const auto removed, view.find_webhook("wh_a"));
    TRY(const auto erased, view.find_webhook("wh_b"));
    EXPECT_FALSE(removed || erased);
    return {};
  });
  add(delivery_row("wh_b", kFirstOwner, "m2"));
  EXPECT_EQ(messages("wh_b"), MessageIds{}) << "nothing is queued for who is gone";
}

TEST_P(DirectoryWebhooksTest, leases_are_found_by_command_and_end_and_go_with_the_account_of_their_space) {
  write([](DirectoryTxn& txn) -> Result<> {
    CHECK_OK(txn.put_lease(lease_row(kFirstOwner, "c1", 30)));
    CHECK_OK(txn.put_lease(lease_row(kFirstOwner, "c2", 20)));
    CHECK_OK(txn.put_lease(lease_row(kSecondOwner, "c1", 10)));
    return txn.put_lease(lease_row(kFirstOwner, "c3", 40));
  });
  EXPECT_EQ(leases_until(30), (MessageIds{"2c1", "1c2", "1c1"}));
  EXPECT_EQ(leases_until(9), MessageIds{});
  write([](DirectoryTxn& txn) -> Result<> {
    LeaseRow renewed = lease_row(kFirstOwner, "c2", 50);
    renewed.holder = "k2";
    CHECK_OK(txn.put_lease(renewed));
    return txn.remove_lease({kFirstOwner, "s"}, "c3");
  });
  read([](DirectoryView& view) -> Result<> {
    TRY(const auto renewed, view.find_lease({kFirstOwner, "s"}, "c2"));
    TRY(const auto removed, view.find_lease({kFirstOwner, "s"}, "c3"));
    TRY(const auto in_another_space, view.find_lease({kFirstOwner, "t"}, "c2"));
    EXPECT_TRUE(renewed && !removed && !in_another_space);
    EXPECT_EQ(renewed.value_or(LeaseRow{}).holder, "k2");
    EXPECT_EQ(renewed.value_or(LeaseRow{}).until, Timestamp{50});
    return {};
  });
  EXPECT_EQ(leases_until(100), (MessageIds{"2c1", "1c1", "1c2"}));
  write([](DirectoryTxn& txn) { return txn.erase_account(kFirstOwner); });
  EXPECT_EQ(leases_until(100), (MessageIds{"2c1"}));
}

}  // namespace
}  // namespace syncline
