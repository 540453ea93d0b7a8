// HTTP as values: what net/ and the faces say to each other. No sockets here, so a face can be tested without one.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "base/scheduler.hpp"

namespace syncline::http {

enum class Method : std::uint8_t { get, head, post, put, patch, del, options, other };
[[nodiscard]] std::string_view to_text(Method method);
[[nodiscard]] Method method_from_text(std::string_view text);
[[nodiscard]] std::string_view reason_of(int status);

/// Looks up request headers; names are not case-sensitive. Empty if there is none.
class HeaderReader {
 public:
  virtual ~HeaderReader() = default;
  [[nodiscard]] virtual std::string_view find(std::string_view name) const = 0;
  /// True when nobody is there any more to take the answer. May be asked from any thread until it has been sent.
  [[nodiscard]] virtual bool peer_has_left() const { return false; }
};

/// The start of a request. Views into the connection, valid until the response has been sent.
struct RequestHead {
  Method method = Method::get;
  std::string_view method_text;
  std::string_view target;  // path and query as they came
  const HeaderReader* headers = nullptr;
  std::string_view peer;
  /// Who sent the request: the peer, or whom a trusted proxy speaks for.
  std::string_view client;
  std::string_view request_id;
};

struct Header {
  std::string_view name;  // a literal
  std::string value;
};

/// How a body or a session has its connection ask for more. Without a loop (in tests) there is only `soon`.
struct Wake {
  /// From any thread, until the body or session is destroyed: next() is asked soon after.
  std::function<void()> soon;
  /// On the connection's thread and outside of any call from there: next() is asked before it returns, if the peer can
  /// take more.
  std::function<void()> now;
  /// The connection's thread.
  EventLoop* loop = nullptr;
};

/// A body that is made piece by piece while it is sent. next() is called on the connection's thread whenever the peer
/// can take more; `wait` means that it will wake the connection when there is more to say.
class BodySource {
 public:
  virtual ~BodySource() = default;
  struct Chunk {
    std::shared_ptr<const std::string> bytes;
  };
  struct Wait {};
  struct End {};
  /// The rest cannot be made: the connection is cut, so that nobody takes a part for the whole.
  struct Abort {};
  using Next = std::variant<Chunk, Wait, End, Abort>;
  [[nodiscard]] virtual Next next() = 0;
  /// The source is destroyed on the connection's thread.
  virtual void start(Wake wake) = 0;
  /// The server is stopping: end soon.
  virtual void stop() = 0;
};

/// The face's half of a WebSocket. All calls come on the connection's thread.
class WebSocketSession {
 public:
  virtual ~WebSocketSession() = default;

  struct Close {
    unsigned short code = 1000;
    std::string reason;
  };
  /// What to send now: a text frame, nothing yet, or the end.
  using Next = std::variant<std::shared_ptr<const std::string>, std::monostate, Close>;

  virtual void start(Wake wake) = 0;
  virtual void on_text(std::string_view text) = 0;
  [[nodiscard]] virtual Next next() = 0;
  /// Milliseconds within which the first message must come, or 0, and how to close if it does not.
  [[nodiscard]] virtual std::int64_t first_message_ms() const = 0;
  [[nodiscard]] virtual Close first_message_missing() const = 0;
};

struct Response {
  int status = 200;
  std::string_view content_type = "application/json";  // a literal; empty for none
  std::vector<Header> headers;
  std::variant<std::string, std::shared_ptr<const std::string>, std::unique_ptr<BodySource>> body;
  /// Set by net/ when it has compressed the body.
  bool gzipped = false;
  /// Answers an upgrade request with 101 instead of everything above but the headers.
  std::unique_ptr<WebSocketSession> upgrade;
};

/// Sends the response, from any thread, once. Destroyed without having been called, it sends a 500.
class Responder {
 public:
  explicit Responder(std::move_only_function<void(Response)> send) : send_(std::move(send)) {}
  Responder(Responder&& other) noexcept : send_(std::exchange(other.send_, nullptr)) {}
  Responder& operator=(Responder&&) = delete;
  ~Responder();
  void operator()(Response response);

 private:
  std::move_only_function<void(Response)> send_;
};

/// One request in the application: made when the head has been read, run when the body has.
class Exchange {
 public:
  virtual ~Exchange() = default;
  /// Taken once, before the body is read: an answer that needs no body (unknown route, no credential ...).
  [[nodiscard]] virtual std::optional<Response> refusal() = 0;
  [[nodiscard]] virtual std::size_t body_bytes_max() const = 0;
  /// The answer to a body that is larger.
  [[nodiscard]] virtual Response too_large() = 0;
  /// True when run() may take more than a few milliseconds: it is then called on a worker thread.
  [[nodiscard]] virtual bool is_heavy() const = 0;
  virtual void run(std::string body, Responder respond) = 0;
  /// For logs and metrics: pattern of the route and id of the key, or "-".
  [[nodiscard]] virtual std::string_view route() const = 0;
  [[nodiscard]] virtual std::string_view key_id() const = 0;
  /// Whose memory the body takes; empty if nobody is known.
  [[nodiscard]] virtual std::string_view account() const { return {}; }
};

/// What is told about each request when its answer is out.
struct Summary {
  Method method = Method::get;
  std::string_view route;
  std::string_view path;  // without the query, which may hold secrets
  std::string_view key_id;
  std::string_view request_id;
  std::string_view peer;  // the client, also behind a trusted proxy
  int status = 0;
  std::size_t bytes_in = 0;
  std::size_t bytes_out = 0;
  std::int64_t duration_us = 0;
};

class Application {
 public:
  virtual ~Application() = default;
  [[nodiscard]] virtual std::unique_ptr<Exchange> begin(const RequestHead& head) = 0;
  virtual void finished(const Summary& summary) = 0;
  virtual void web_sockets_changed(std::int64_t delta) = 0;
};

/// A response with a body of that type.
[[nodiscard]] Response make_text(int status, std::string_view content_type, std::string body);

}  // namespace syncline::http
