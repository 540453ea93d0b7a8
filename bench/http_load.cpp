// Load over loopback, one thread, raw sockets: as cheap as possible, so that the server is what is measured.
//
//   http_load --port P --token T --mode push|update|noop|kernle|apply|changes|get --batch N --connections N --seconds S
//             --ids random|ordered --first N --records N --count N --space S --epoch E --target T --fresh 0|1
//
// push, kernle, apply: each request carries `batch` new records of 300 bytes, numbered from `first` on, to /v1, in
// Kernle's form or in Kaisho's. update, noop: records of the `records` that a push has stored from number 0 on, changed
// or the same with a newer time (records.hpp). changes: each request reads a page of `batch` records from somewhere in
// the first `records` of the feed. get: each request reads `target`, where {since} stands for a Kaisho cursor into the
// first `records`. One request at a time per connection; with `fresh`, each has a connection of its own. Ends after
// `seconds`, or when it has had answers for `count` records.
// Prints one JSON object.
#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>
#include <string_view>
#include <vector>

#include "arguments.hpp"
#include "latencies.hpp"
#include "records.hpp"

namespace {

using Clock = std::chrono::steady_clock;

struct Options {
  explicit Options(const bench::Arguments& given)
      : port(static_cast<int>(given.integer("--port", 0))),
        token(given.text("--token", "")),
        mode(given.text("--mode", "push")),
        epoch(given.text("--epoch", "e")),
        space(given.text("--space", "bench")),
        ids(bench::ids_of(given.text("--ids", "random"))),
        batch(given.integer("--batch", 100)),
        connections(given.integer("--connections", 8)),
        seconds(given.number("--seconds", 3)),
        first(given.integer("--first", static_cast<long>(::getpid()) << 24U)),
        records(given.integer("--records", 10'000)),
        count(given.integer("--count", 0)),
        target(given.text("--target", "")),
        fresh(given.integer("--fresh", 0) != 0) {}

  int port;
  std::string token;
  std::string mode;
  std::string epoch;
  std::string space;
  bench::Ids ids;
  long batch;
  long connections;
  double seconds;
  long first;
  long records;
  long count;
  std::string target;
  bool fresh;
};

[[noreturn]] void die(const char* what) {
  std::fprintf(stderr, "http_load: %s: %s\n", what, std::strerror(errno));
  std::exit(1);
}

/// Prepared requests that write.
class WriteRequest {
 public:
  explicit WriteRequest(const Options& options)
      : batch_({.ids = options.ids,
                .writing = options.mode == "update" ? bench::Writing::update
                           : options.mode == "noop" ? bench::Writing::noop
                                                    : bench::Writing::fresh,
                .first = static_cast<std::uint64_t>(options.first),
                .records = static_cast<std::uint64_t>(options.records)},
               options.batch, form_of(options).record) {
    const Form form = form_of(options);
    head_ = "POST " + form.path + " HTTP/1.1\r\nHost: bench\r\nAuthorization: Bearer " + options.token +
            "\r\nContent-Type: application/json\r\nContent-Length: " +
            std::to_string(form.begin.size() + batch_.size() + kEnd.size()) + "\r\n\r\n" + form.begin;
  }

  std::string next() { return (head_ + batch_.next()).append(kEnd); }
  [[nodiscard]] std::uint64_t next_number() const { return batch_.next_number(); }

 private:
  struct Form {
    std::string path;
    std::string begin;
    std::string record;
  };

  static Form form_of(const Options& options) {
    const std::string filler = bench::make_filler(options.ids);
    if (options.mode == "apply") {
      return {"/sync/apply", R"({"entries":[)",
              R"({"id":"@I","customer":"Acme Corp","description":"@I","start":"2026-11-22T08:00:00.000000Z",)"
              R"("end":"2026-11-22T09:00:00.000000Z","task_id":null,"contract":null,"notes":"","invoiced":false,)"
              R"("updated_at":"2026-11-22T09:00:00.000000Z","deleted_at":null})"};
    }
    if (options.mode == "kernle") {
      return {"/sync/push", R"({"stack_id":")" + options.space + R"(","operations":[)",
              R"({"operation":"update","table":"notes","record_id":"@I","local_updated_at":"@T+00:00","version":1,)"
              R"("data":{"title":"@I","content":")" +
                  filler + R"(","tags":[1,2]}})"};
    }
    return {"/v1/spaces/" + options.space + "/push", R"({"ops":[)",
            R"({"collection":"notes","id":"@I","updated_at":"@TZ","doc":{"title":"@I","text":")" + filler +
                R"(","tags":[1,2]}})"};
  }

  static constexpr std::string_view kEnd = "]}";
  bench::Batch batch_;
  std::string head_;
};

struct Client {
  int socket = -1;
  std::string request;
  std::size_t sent = 0;
  std::string answer;
  std::size_t body_begin = 0;  // 0: the head is not complete yet
  std::size_t body_end = 0;    // 0: chunked, ends with the last chunk
  long page = 0;
  Clock::time_point started;
};

class Load {
 public:
  explicit Load(const Options& options) : options_(options), write_(options_) {}

  void run() {
    epoll_ = ::epoll_create1(0);
    clients_.resize(static_cast<std::size_t>(options_.connections));
    for (std::size_t i = 0; i < clients_.size(); ++i) {
      connect(clients_[i]);
      clients_[i].page = static_cast<long>(i) * 7919;
      begin(clients_[i]);
    }
    const auto start = Clock::now();
    const auto end = start + std::chrono::duration<double>(options_.seconds);
    std::vector<epoll_event> events(256);
    while (Clock::now() < end && (options_.count == 0 || records() < options_.count)) {
      const int count = ::epoll_wait(epoll_, events.data(), static_cast<int>(events.size()), 100);
      for (int i = 0; i < count; ++i) read(*static_cast<Client*>(events[static_cast<std::size_t>(i)].data.ptr));
    }
    report(std::chrono::duration<double>(Clock::now() - start).count());
  }

 private:
  void connect(Client& client) {
    client.socket = ::socket(AF_INET, SOCK_STREAM, 0);
    if (client.socket < 0) die("socket");
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(static_cast<std::uint16_t>(options_.port));
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (::connect(client.socket, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0) die("connect");
    const int on = 1;
    ::setsockopt(client.socket, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    epoll_event event{};
    event.events = EPOLLIN;
    event.data.ptr = &client;
    ::epoll_ctl(epoll_, EPOLL_CTL_ADD, client.socket, &event);
  }

  void begin(Client& client) {
    if (options_.mode != "changes" && options_.mode != "get") {
      client.request = write_.next();
    } else {
      client.request = "GET " + next_target(client) + " HTTP/1.1\r\nHost: bench\r\nAuthorization: Bearer " +
                       options_.token + "\r\n" + (options_.fresh ? "Connection: close\r\n" : "") + "\r\n";
    }
    client.started = Clock::now();
    std::string_view rest = client.request;
    while (!rest.empty()) {  // the socket blocks: a request fits its buffer
      const ssize_t count = ::send(client.socket, rest.data(), rest.size(), MSG_NOSIGNAL);
      if (count <= 0) die("send");
      rest.remove_prefix(static_cast<std::size_t>(count));
    }
    client.answer.clear();
    client.body_begin = client.body_end = 0;
  }

  std::string next_target(Client& client) const {
    const long pages = std::max(1L, options_.records / options_.batch);
    const long since = (client.page++ % pages) * options_.batch;
    if (options_.mode == "changes") {
      return "/v1/spaces/" + options_.space + "/changes?since=" + options_.epoch + "." + std::to_string(since) +
             "&limit=" + std::to_string(options_.batch);
    }
    std::string target = options_.target;
    constexpr std::string_view kPlace = "{since}";
    if (const std::size_t place = target.find(kPlace); place != std::string::npos) {
      char cursor[40];
      std::snprintf(cursor, sizeof cursor, "1970-01-01T00:00:00.%06ldZ", since);
      target.replace(place, kPlace.size(), cursor);
    }
    return target;
  }

  void read(Client& client) {
    static std::vector<char> buffer(1 << 20);
    const ssize_t count = ::recv(client.socket, buffer.data(), buffer.size(), MSG_DONTWAIT);
    if (count <= 0) die("the server closed the connection");
    client.answer.append(buffer.data(), static_cast<std::size_t>(count));
    if (client.body_begin == 0) read_head(client);
    if (client.body_begin == 0) return;
    const bool complete = client.body_end > 0 ? client.answer.size() >= client.body_end
                                              : std::string_view(client.answer).ends_with("\r\n0\r\n\r\n");
    if (complete) finish(client);
  }

  static void read_head(Client& client) {
    const std::size_t end = client.answer.find("\r\n\r\n");
    if (end == std::string::npos) return;
    client.body_begin = end + 4;
    if (client.answer.compare(9, 3, "200") != 0) {
      std::fprintf(stderr, "http_load: %s\n", client.answer.c_str());
      std::exit(1);
    }
    const std::size_t length = client.answer.find("Content-Length: ");
    if (length < end)
      client.body_end = client.body_begin + std::strtoul(client.answer.c_str() + length + 16, nullptr, 10);
  }

  void finish(Client& client) {
    latencies_.add(client.started);
    bytes_ += client.answer.size();
    if (options_.fresh) {
      ::close(client.socket);
      connect(client);
    }
    begin(client);
  }

  [[nodiscard]] long records() const { return latencies_.requests() * options_.batch; }

  void report(double seconds) {
    std::printf("{\"mib_per_s\":%.1f,", static_cast<double>(bytes_) / seconds / 1048576);
    latencies_.print(seconds, options_.batch, write_.next_number());
    std::printf("}\n");
  }

  const Options options_;
  WriteRequest write_;
  int epoll_ = -1;
  std::vector<Client> clients_;
  bench::Latencies latencies_;
  std::size_t bytes_ = 0;
};

}  // namespace

int main(int argc, char** argv) {
  Load(Options(bench::Arguments(argc, argv))).run();
  return 0;
}
