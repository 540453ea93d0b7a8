// Pushes to PostgreSQL without any HTTP: each connection has one prepared statement that stores a JSON batch, the last
// write wins, and it commits durably. A sequence gives the place in the feed, so that connections do not wait for each
// other; a hand-written server that must not skip a place in a feed would have to.
//
//   pg_load --url U --mode setup|push|update|noop --batch N --connections N --seconds S --ids random|ordered
//           --first N --records N --count N
//
// The meanings are those of http_load. Prints one JSON object.
#include <libpq-fe.h>
#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>

#include "arguments.hpp"
#include "latencies.hpp"
#include "records.hpp"

namespace {

using Clock = std::chrono::steady_clock;

constexpr const char* kSetup =
    "SET client_min_messages = warning; DROP TABLE IF EXISTS records; DROP SEQUENCE IF EXISTS feed; CREATE SEQUENCE "
    "feed CACHE 1;"
    "CREATE TABLE records (account bigint, space text, collection text, id text, seq bigint NOT NULL,"
    " updated_at timestamptz NOT NULL, deleted boolean NOT NULL, doc text,"
    " PRIMARY KEY (account, space, collection, id));"
    "CREATE UNIQUE INDEX records_seq ON records (account, space, seq);";

/// Rows that lose or change nothing are left alone. In order of the ids, so that two batches never wait in a circle.
constexpr const char* kPush =
    "INSERT INTO records SELECT 1, 'bench', op.collection, op.id, nextval('feed'), op.updated_at, false, op.doc::text "
    "FROM json_to_recordset($1::json) AS op (collection text, id text, updated_at timestamptz, doc json) "
    "ORDER BY op.id "
    "ON CONFLICT (account, space, collection, id) DO UPDATE SET seq = excluded.seq, "
    "updated_at = excluded.updated_at, deleted = excluded.deleted, doc = excluded.doc "
    "WHERE records.updated_at <= excluded.updated_at AND records.doc IS DISTINCT FROM excluded.doc "
    "RETURNING seq";

[[noreturn]] void die(PGconn* connection, const char* what) {
  std::fprintf(stderr, "pg_load: %s: %s\n", what, PQerrorMessage(connection));
  std::exit(1);
}

PGconn* connect(const std::string& url) {
  PGconn* connection = PQconnectdb(url.c_str());
  if (PQstatus(connection) != CONNECTION_OK) die(connection, "connect");
  return connection;
}

struct Client {
  PGconn* connection = nullptr;
  Clock::time_point started;
};

class Load {
 public:
  explicit Load(const bench::Arguments& given)
      : url_(given.text("--url", "")),
        batch_(given.integer("--batch", 100)),
        clients_(static_cast<std::size_t>(given.integer("--connections", 8))),
        seconds_(given.number("--seconds", 3)),
        count_(given.integer("--count", 0)),
        ops_(options_of(given), batch_, record_of(bench::ids_of(given.text("--ids", "random")))) {}

  void run() {
    for (Client& client : clients_) {
      client.connection = connect(url_);
      PGresult* prepared = PQprepare(client.connection, "push", kPush, 1, nullptr);
      if (PQresultStatus(prepared) != PGRES_COMMAND_OK) die(client.connection, "prepare");
      PQclear(prepared);
    }
    std::vector<pollfd> sockets;
    for (Client& client : clients_) {
      sockets.push_back({.fd = PQsocket(client.connection), .events = POLLIN, .revents = 0});
      begin(client);
    }
    const auto start = Clock::now();
    const auto end = start + std::chrono::duration<double>(seconds_);
    while (Clock::now() < end && (count_ == 0 || latencies_.requests() * batch_ < count_)) {
      if (::poll(sockets.data(), sockets.size(), 100) < 0) break;
      for (std::size_t i = 0; i < sockets.size(); ++i) {
        if (sockets[i].revents != 0) read(clients_[i]);
      }
    }
    report(std::chrono::duration<double>(Clock::now() - start).count());
  }

 private:
  static bench::Batch::Options options_of(const bench::Arguments& given) {
    const std::string mode = given.text("--mode", "push");
    return {.ids = bench::ids_of(given.text("--ids", "random")),
            .writing = mode == "update" ? bench::Writing::update
                       : mode == "noop" ? bench::Writing::noop
                                        : bench::Writing::fresh,
            .first = static_cast<std::uint64_t>(given.integer("--first", static_cast<long>(::getpid()) << 24U)),
            .records = static_cast<std::uint64_t>(given.integer("--records", 10'000))};
  }

  static std::string record_of(bench::Ids ids) {
    return R"({"collection":"notes","id":"@I","updated_at":"@TZ","doc":{"title":"@I","text":")" +
           bench::make_filler(ids) + R"(","tags":[1,2]}})";
  }

  void begin(Client& client) {
    const std::string ops = "[" + ops_.next() + "]";
    const char* const values[] = {ops.c_str()};
    client.started = Clock::now();
    if (PQsendQueryPrepared(client.connection, "push", 1, values, nullptr, nullptr, 0) != 1) {
      die(client.connection, "send");
    }
  }

  void read(Client& client) {
    if (PQconsumeInput(client.connection) != 1) die(client.connection, "receive");
    while (PQisBusy(client.connection) == 0) {
      PGresult* const answer = PQgetResult(client.connection);
      if (answer == nullptr) {
        latencies_.add(client.started);
        return begin(client);
      }
      if (PQresultStatus(answer) != PGRES_TUPLES_OK) die(client.connection, "push");
      PQclear(answer);
    }
  }

  void report(double seconds) {
    std::printf("{");
    latencies_.print(seconds, batch_, ops_.next_number());
    std::printf("}\n");
  }

  const std::string url_;
  const long batch_;
  std::vector<Client> clients_;
  const double seconds_;
  const long count_;
  bench::Batch ops_;
  bench::Latencies latencies_;
};

void set_up(const std::string& url) {
  PGconn* const connection = connect(url);
  PGresult* const made = PQexec(connection, kSetup);
  if (PQresultStatus(made) != PGRES_COMMAND_OK) die(connection, "setup");
  PQclear(made);
  PQfinish(connection);
}

}  // namespace

int main(int argc, char** argv) {
  const bench::Arguments given(argc, argv);
  if (given.text("--mode", "push") == "setup") {
    set_up(given.text("--url", ""));
    std::puts("{}");
  } else {
    Load(given).run();
  }
  return 0;
}
