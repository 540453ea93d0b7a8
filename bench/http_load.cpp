// Load over loopback, one thread, raw sockets: as cheap as possible, so that the server is what is measured.
//
//   http_load --port P --token T --mode push|kernle|changes|apply|get --batch N --connections N --seconds S --epoch E
//             --records N --target T --fresh 0|1
//
// push, kernle, apply: each request carries `batch` new records of 300 bytes with time-ordered ids, to /v1, in Kernle's
// form or in Kaisho's.
// changes: each request reads a page of `batch` records from somewhere in the first `records` of the feed. get: each
// request reads `target`, where {since} stands for a Kaisho cursor into the first `records`. One request at a time per
// connection; with `fresh`, each has a connection of its own.
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
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace {

using Clock = std::chrono::steady_clock;

struct Options {
  int port = 0;
  std::string token;
  std::string mode = "push";
  std::string epoch = "e";
  std::string space = "bench";
  long batch = 100;
  long connections = 8;
  double seconds = 3;
  long records = 10'000;
  std::string target;
  bool fresh = false;
};

Options parse(int argc, char** argv) {
  std::map<std::string, std::string> given;
  for (int i = 1; i + 1 < argc; i += 2) given[argv[i]] = argv[i + 1];
  Options options;
  const auto text = [&](const char* name, std::string& into) {
    if (given.contains(name)) into = given[name];
  };
  const auto number = [&](const char* name, auto& into) {
    if (given.contains(name)) into = static_cast<std::remove_reference_t<decltype(into)>>(std::stod(given[name]));
  };
  text("--token", options.token);
  text("--mode", options.mode);
  text("--epoch", options.epoch);
  text("--space", options.space);
  text("--target", options.target);
  number("--port", options.port);
  number("--batch", options.batch);
  number("--connections", options.connections);
  number("--seconds", options.seconds);
  number("--records", options.records);
  number("--fresh", options.fresh);
  return options;
}

[[noreturn]] void die(const char* what) {
  std::fprintf(stderr, "http_load: %s: %s\n", what, std::strerror(errno));
  std::exit(1);
}

/// A prepared push or apply: the ids are written into it anew for each request.
class PushRequest {
 public:
  explicit PushRequest(const Options& options) {
    const Form form = form_of(options);
    std::string body = form.begin;
    std::vector<std::size_t> places;
    for (long i = 0; i < options.batch; ++i) {
      if (i > 0) body += ',';
      body += form.id;
      places.push_back(body.size());
      body += std::string(36, '0') + form.text;
      places.push_back(body.size());
      body += std::string(36, '0') + form.rest;
    }
    body += "]}";
    text_ = "POST " + form.path + " HTTP/1.1\r\nHost: bench\r\nAuthorization: Bearer " + options.token +
            "\r\nContent-Type: application/json\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n";
    for (const std::size_t place : places) places_.push_back(place + text_.size());
    text_ += body;
  }

  const std::string& next() {
    const auto micros = static_cast<unsigned long long>(
        std::chrono::duration_cast<std::chrono::microseconds>(std::chrono::system_clock::now().time_since_epoch())
            .count());
    for (std::size_t i = 0; i < places_.size(); i += 2) {
      char id[40];
      std::snprintf(id, sizeof id, "%08llx-%04llx-7%03llx-8%03llx-%012llx", (micros >> 28U) & 0xFFFFFFFFULL,
                    (micros >> 12U) & 0xFFFFULL, micros & 0xFFFULL, serial_ & 0xFFFULL, serial_);
      ++serial_;
      text_.replace(places_[i], 36, id, 36);
      text_.replace(places_[i + 1], 36, id, 36);
    }
    return text_;
  }

 private:
  /// A request is `begin`, then for each record: `id`, an id, `text`, the id again, `rest`.
  struct Form {
    std::string path;
    std::string begin;
    std::string id;
    std::string text;
    std::string rest;
  };

  static Form form_of(const Options& options) {
    if (options.mode == "apply") {
      return {"/sync/apply", R"({"entries":[)", R"({"id":")", R"(","customer":"Acme Corp","description":")",
              R"(","start":"2026-11-22T08:00:00.000000Z","end":"2026-11-22T09:00:00.000000Z","task_id":null,)"
              R"("contract":null,"notes":"","invoiced":false,"updated_at":"2026-11-22T09:00:00.000000Z",)"
              R"("deleted_at":null})"};
    }
    if (options.mode == "kernle") {
      return {"/sync/push", R"({"stack_id":")" + options.space + R"(","operations":[)",
              R"({"operation":"update","table":"notes","record_id":")",
              R"(","local_updated_at":"2026-11-22T00:10:07.004670+00:00","version":1,"data":{"title":")",
              R"(","content":")" + std::string(226, 'x') + R"(","tags":[1,2]}})"};
    }
    return {"/v1/spaces/" + options.space + "/push", R"({"ops":[)", R"({"collection":"notes","id":")",
            R"(","updated_at":"2026-11-22T00:10:07.004670Z","doc":{"title":")",
            R"(","text":")" + std::string(226, 'x') + R"(","tags":[1,2]}})"};
  }

  std::string text_;
  std::vector<std::size_t> places_;
  unsigned long long serial_ = static_cast<unsigned long long>(::getpid()) << 24U;
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
  explicit Load(Options options) : options_(std::move(options)), push_(options_) {}

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
    while (Clock::now() < end) {
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
    if (options_.mode == "push" || options_.mode == "apply" || options_.mode == "kernle") {
      client.request = push_.next();
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
    latencies_us_.push_back(static_cast<std::uint32_t>(
        std::chrono::duration_cast<std::chrono::microseconds>(Clock::now() - client.started).count()));
    bytes_ += client.answer.size();
    if (options_.fresh) {
      ::close(client.socket);
      connect(client);
    }
    begin(client);
  }

  void report(double seconds) {
    std::ranges::sort(latencies_us_);
    const auto at = [&](double share) {
      if (latencies_us_.empty()) return 0.0;
      return latencies_us_[static_cast<std::size_t>(share * static_cast<double>(latencies_us_.size() - 1))] / 1000.0;
    };
    const auto requests = static_cast<double>(latencies_us_.size());
    std::printf(
        "{\"requests_per_s\":%.0f,\"records_per_s\":%.0f,\"requests\":%.0f,\"p50_ms\":%.2f,\"p99_ms\":%.2f,"
        "\"max_ms\":%.2f,\"mib_per_s\":%.1f}\n",
        requests / seconds, requests * static_cast<double>(options_.batch) / seconds, requests, at(0.5), at(0.99),
        at(1.0), static_cast<double>(bytes_) / seconds / 1048576);
  }

  const Options options_;
  PushRequest push_;
  int epoll_ = -1;
  std::vector<Client> clients_;
  std::vector<std::uint32_t> latencies_us_;
  std::size_t bytes_ = 0;
};

}  // namespace

int main(int argc, char** argv) {
  Load(parse(argc, argv)).run();
  return 0;
}
