// The driver with its threads, against a hub without sockets. What it decides is tested by tests/sim.
#include "replica/replica.hpp"

#include <gtest/gtest.h>

#include "api/native/routes.hpp"
#include "api/router.hpp"
#include "store/memory/memory_store.hpp"
#include "support/in_process.hpp"
#include "support/manual_scheduler.hpp"

namespace syncline::replica {
namespace {

/// A hub with one account, that several threads may ask.
class Hub {
 public:
  explicit Hub(const std::string& epoch)
      : own_store_(std::make_unique<MemoryStore>(clock_, epoch, IncarnationId{0xA})), store_(*own_store_) {
    EXPECT_TRUE(access_.add_account("ann@example.org", Plan::pro));
    token_ = access_.add_key("ann@example.org", "test", {Scope::read, Scope::write}, std::nullopt)->token;
    router_.add(native_.make_routes());
  }

  /// The same hub, when a plain copy of its files is put back and opened: the epoch is the same.
  [[nodiscard]] std::unique_ptr<Hub> copy(IncarnationId incarnation) const {
    auto files = store_.restore(store_.epoch());
    files->reopen(incarnation);
    return std::unique_ptr<Hub>(new Hub(std::move(files), token_));
  }

  http::ClientResponse call(const http::ClientRequest& request) {
    const auto answer = test::begin_request(
        router_,
        {.method = request.method, .target = request.target, .token = token_, .body = request.body, .headers = {}});
    return {answer.get().status, answer.get().body, std::nullopt};
  }

  http::ClientFactory clients() {
    return [this] { return std::make_unique<Client>(*this); };
  }
  std::set<std::string> ids() {
    std::set<std::string> found;
    EXPECT_TRUE(spaces_.read({AccountNumber{1}, "notes"}, [&](Snapshot& snapshot) {
      return snapshot.scan("items", "", [&](const RecordView& record) {
        found.emplace(record.id);
        return true;
      });
    }));
    return found;
  }
  std::atomic<int> requests = 0;

 private:
  Hub(std::unique_ptr<MemoryStore> files, std::string token)
      : own_store_(std::move(files)), store_(*own_store_), token_(std::move(token)) {
    router_.add(native_.make_routes());
  }

  class Client final : public http::Client {
   public:
    explicit Client(Hub& hub) : hub_(hub) {}
    Result<http::ClientResponse> send(const http::ClientRequest& request, std::stop_token) override {
      ++hub_.requests;
      return hub_.call(request);
    }
    Result<http::ClientResponse> stream(const http::ClientRequest&, const std::function<void(std::string_view)>&,
                                        std::stop_token) override {
      return fail(ErrorCode::unavailable, "no streams here");
    }

   private:
    Hub& hub_;
  };

  SystemClock clock_;
  std::unique_ptr<MemoryStore> own_store_;
  MemoryStore& store_;
  test::ManualScheduler scheduler_;
  Live live_{scheduler_};
  Access access_{store_, clock_};
  PullProgress progress_{store_};
  const RuleBook rules_{{}};
  Spaces spaces_{store_, clock_, live_, progress_, rules_};
  native::Face native_{spaces_, access_};
  api::Router router_{access_, clock_, {}};
  std::string token_;
};

class Device {
 public:
  Device() { EXPECT_TRUE(replica_.start({"notes"})); }
  void write(const std::string& id) {
    const auto done = spaces_.write_and_wait(kName, KeyNumber{1}, [&](SpaceWriter& writer) -> Result<> {
      TRY([[maybe_unused]] const OpResult result,
          writer.apply({.collection = "items", .id = id, .deleted = false, .doc = "{}"}));
      return {};
    });
    EXPECT_TRUE(done);
  }
  std::set<std::string> ids() {
    std::set<std::string> found;
    EXPECT_TRUE(spaces_.read(kName, [&](Snapshot& snapshot) {
      return snapshot.scan("items", "", [&](const RecordView& record) {
        found.emplace(record.id);
        return true;
      });
    }));
    return found;
  }
  void sync() {
    const CycleReport report = replica_.sync_now("", std::chrono::seconds(60));
    EXPECT_TRUE(report.errors.empty()) << report.errors.front();
  }
  Replica& replica() { return replica_; }

 private:
  const SpaceName kName{AccountNumber{1}, "notes"};
  SystemClock clock_;
  MemoryStore store_{clock_, "n"};
  test::ManualScheduler scheduler_;
  Live live_{scheduler_};
  PullProgress progress_{store_};
  const RuleBook rules_{{}};
  Spaces spaces_{store_, clock_, live_, progress_, rules_};
  Replica replica_{spaces_, AccountNumber{1}, {}};
};

TEST(ReplicaTest, two_devices_that_write_concurrently_converge) {
  Hub hub("e1");
  Device a;
  Device b;
  ASSERT_TRUE(a.replica().connect({.clients = hub.clients()}, true));
  ASSERT_TRUE(b.replica().connect({.clients = hub.clients()}, true));
  const auto write = [](Device& device, const std::string& prefix) {
    for (int i = 0; i < 200; ++i) device.write(prefix + std::to_string(i));
  };
  std::thread first([&] { write(a, "a"); });
  std::thread second([&] { write(b, "b"); });
  for (int i = 0; i < 5; ++i) {
    a.sync();
    b.sync();
    EXPECT_TRUE(a.replica().status());
  }
  first.join();
  second.join();
  a.sync();
  b.sync();
  a.sync();
  EXPECT_EQ(hub.ids().size(), 400U);
  EXPECT_EQ(a.ids(), hub.ids());
  EXPECT_EQ(b.ids(), hub.ids());
}

TEST(ReplicaTest, an_idle_cycle_takes_one_request) {
  Hub hub("e1");
  Device a;
  ASSERT_TRUE(a.replica().connect({.clients = hub.clients()}, true));
  a.write("x");
  a.sync();
  a.sync();
  const int before = hub.requests;
  a.sync();
  EXPECT_LE(hub.requests - before, 2);  // one, and at times the live link that looks for spaces
}

TEST(ReplicaTest, a_new_hub_gets_everything_and_the_previous_one_nothing_more) {
  Hub first("e1");
  Hub second("e2");
  Device device;
  for (int round = 0; round < 20; ++round) {
    Hub& hub = round % 2 == 0 ? first : second;
    std::thread writer([&] { device.write("r" + std::to_string(round)); });
    ASSERT_TRUE(device.replica().connect({.clients = hub.clients()}, true));
    writer.join();
    device.sync();
    EXPECT_EQ(hub.ids(), device.ids());
  }
  device.replica().disconnect();
  device.write("later");
  EXPECT_FALSE(first.ids().contains("later"));
  EXPECT_FALSE(second.ids().contains("later"));
}

TEST(ReplicaTest, a_hub_put_back_from_a_plain_copy_gets_everything_back) {
  Hub hub("e1");
  std::unique_ptr<Hub> older;  // outlives the devices, whose threads call it until they end
  Device a;
  Device b;
  ASSERT_TRUE(a.replica().connect({.clients = hub.clients()}, true));
  ASSERT_TRUE(b.replica().connect({.clients = hub.clients()}, true));
  a.write("early");
  a.sync();
  b.sync();
  older = hub.copy({0xB});
  for (int i = 0; i < 5; ++i) a.write("a" + std::to_string(i));
  a.sync();
  // The other device is the first to reach the older hub, which gives the same numbers to other changes.
  ASSERT_TRUE(b.replica().connect({.clients = older->clients()}, false));
  for (int i = 0; i < 9; ++i) b.write("b" + std::to_string(i));
  b.sync();
  ASSERT_TRUE(a.replica().connect({.clients = older->clients()}, false));
  a.sync();
  b.sync();
  EXPECT_EQ(older->ids().size(), 15U);
  EXPECT_EQ(a.ids(), older->ids());
  EXPECT_EQ(b.ids(), older->ids());
}

TEST(ReplicaTest, an_added_space_is_synced) {
  Hub hub("e1");
  Device device;
  ASSERT_TRUE(device.replica().connect({.clients = hub.clients()}, true));
  std::vector<std::thread> threads;
  threads.reserve(4);
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&] { EXPECT_TRUE(device.replica().add_space("other")); });
  }
  for (std::thread& thread : threads) thread.join();
  const auto status = device.replica().status();
  ASSERT_TRUE(status);
  EXPECT_EQ(status->size(), 2U);
  device.sync();
}

}  // namespace
}  // namespace syncline::replica
