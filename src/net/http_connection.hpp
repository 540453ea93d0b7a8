// One client connection: reads requests, hands them to the application, writes the answers; one request at a time, so
// pipelined requests are answered in order. Owns the I/O and the deadlines; RequestReader and ResponseEncoder know the
// format. Lives on its loop, kept by what it waits for.
//
// Phase       waits for                     deadline
// handshake   TLS handshake                 header_timeout_ms
// idle        first byte of a request       idle_timeout_ms
// head        rest of its head              header_timeout_ms from that byte
// body        next piece of its body        body_timeout_ms from the last piece, and body_deadline_ms()
// running     the application               none: it has its own
// writing     room for more of the answer   write_timeout_ms from the last piece
// waiting     more of a streamed answer     none
// lingering   the peer to read our refusal  2 s, then closed
#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "http/message.hpp"
#include "net/byte_stream.hpp"
#include "net/request_reader.hpp"
#include "net/response_encoder.hpp"
#include "net/server_state.hpp"

namespace syncline::net {

class HttpConnection final : public Connection,
                             public http::HeaderReader,
                             public std::enable_shared_from_this<HttpConnection> {
 public:
  HttpConnection(ServerState& server, Loop& loop, std::unique_ptr<ByteStream> stream, ConnectionLimit::Place place,
                 std::string peer);
  ~HttpConnection() override;

  void start();

  std::shared_ptr<void> hold() override { return weak_from_this().lock(); }
  void sweep(std::int64_t now_ms) override;
  void drain() override;
  void abort() override;

  bool peer_has_left() const override;
  std::string_view find(std::string_view name) const override { return reader_.find(name); }

 private:
  enum class Phase { handshake, idle, head, body, running, writing, waiting, lingering };

  std::shared_ptr<HttpConnection> self() { return shared_from_this(); }
  void enter(Phase phase, std::int64_t timeout_ms);

  // Reading
  void begin_request();
  void read_more();
  /// Takes in what has been read, up to the end of one request.
  void parse();
  /// Routes the request. False when it was answered without its body, or parsing is resumed later.
  [[nodiscard]] bool on_head();
  /// Looks once at who the peer is. False when it was refused.
  [[nodiscard]] bool admit_peer();
  /// Judges the body by what the head says of it. False as above.
  [[nodiscard]] bool admit_body();
  void send_continue();
  void refuse_large_body();
  /// How much to read of the body at once.
  [[nodiscard]] std::size_t body_room() const;
  /// Takes memory for what is read next. False when it has refused the request.
  [[nodiscard]] bool charge_body(std::size_t room);
  void enter_body();
  /// When the body must be here at the latest, and as much of it as the minimum rate asks for.
  [[nodiscard]] std::int64_t body_deadline_ms() const;

  void run();

  // Writing
  void send(http::Response response);
  /// Answers a fault of the transport itself, before or beside the application. Closes afterwards.
  void send_problem(int status, std::string_view detail);
  /// The same while a read is still pending.
  void send_problem_and_abort(int status, std::string_view detail);
  [[nodiscard]] http::Response make_closing_problem(int status, std::string_view detail);
  void write_response();
  /// Writes what the stream has; at most one write is on its way.
  void pump();
  /// A write may take as long as it likes while the peer takes something now and then.
  [[nodiscard]] ByteStream::Progress progress();
  /// Notices a peer that goes away while a stream waits for something to say.
  void watch_peer();
  void finish();
  void report(int status, std::size_t bytes_out, std::int64_t duration_us);
  /// Makes a WebSocket of the connection. False if the request does not ask for one: `response` says so then.
  [[nodiscard]] bool upgrade(http::Response& response);

  // Ending
  void linger();
  void close();

  ServerState& server_;
  Loop& loop_;
  std::optional<ConnectionLimit::Place> place_;  // nothing once a WebSocket has it
  std::unique_ptr<ByteStream> stream_;           // null once a WebSocket has it
  const int native_socket_;
  const std::string peer_;
  RequestReader reader_;
  Phase phase_ = Phase::idle;
  std::int64_t deadline_ms_ = 0;
  bool draining_ = false;
  bool peer_is_admitted_ = false;

  // the request in progress
  http::RequestHead head_;
  std::string client_;
  std::string request_id_;
  std::unique_ptr<http::Exchange> exchange_;
  std::chrono::steady_clock::time_point started_at_;
  std::size_t body_bytes_max_ = 0;
  BodyBudget::Charge body_charge_;
  std::int64_t body_begun_ms_ = 0;
  std::size_t bytes_in_ = 0;
  bool keep_alive_ = true;
  bool waits_for_answer_ = false;  // the exchange has run on this loop and will be answered from elsewhere

  // its answer
  std::optional<ResponseEncoder> encoder_;
  std::string unsent_;  // what is being written, but a whole body
  bool lingers_ = false;
  bool pumping_ = false;
  bool watching_ = false;
  bool peer_is_gone_ = false;
  std::array<char, 512> peek_{};
};

}  // namespace syncline::net
