#include "net/web_socket_connection.hpp"

#include <boost/asio/buffer.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/core/role.hpp>
#include <boost/beast/websocket/stream.hpp>
#include <boost/beast/websocket/teardown.hpp>
#include <string>
#include <utility>
#include <variant>

#include "base/limits.hpp"
#include "net/tcp_socket.hpp"
#include "net/upgrade_request.hpp"

namespace syncline::net {
namespace {

namespace beast = boost::beast;
namespace websocket = beast::websocket;

constexpr std::int64_t kCloseMs = 2000;
/// Frames that one turn of the loop writes directly: a session that always has more lets the others have theirs.
constexpr int kFramesAtOnce = 16;

/// A ByteStream in the form that Beast takes, so that Beast's templates are compiled for one type. Whole frames may be
/// written past Beast while it writes nothing; what the socket does not take of one at once goes out before anything
/// else.
class BeastStream {
 public:
  using executor_type = TcpSocket::executor_type;
  using Done = std::move_only_function<void(const boost::system::error_code&)>;

  explicit BeastStream(std::unique_ptr<ByteStream> bytes) : bytes_(std::move(bytes)) {}

  [[nodiscard]] ByteStream& bytes() { return *bytes_; }
  [[nodiscard]] executor_type get_executor() { return bytes_->socket().get_executor(); }

  template <typename Buffers, typename Handler>
  void async_read_some(const Buffers& buffers, Handler&& handler) {
    std::span<char> room;
    for (auto at = asio::buffer_sequence_begin(buffers); at != asio::buffer_sequence_end(buffers) && room.empty();
         ++at) {
      const asio::mutable_buffer buffer = *at;
      room = {static_cast<char*>(buffer.data()), buffer.size()};
    }
    bytes_->read_some(room, std::forward<Handler>(handler));
  }

  template <typename Buffers, typename Handler>
  void async_write_some(const Buffers& buffers, Handler&& handler) {
    Pieces pieces;
    for (auto at = asio::buffer_sequence_begin(buffers);
         at != asio::buffer_sequence_end(buffers) && pieces.count < pieces.of.size(); ++at) {
      const asio::const_buffer buffer = *at;
      if (buffer.size() > 0) pieces.of[pieces.count++] = {static_cast<const char*>(buffer.data()), buffer.size()};
    }
    if (tail_.empty()) return write(pieces, std::forward<Handler>(handler));
    // Beast has one write at a time, and keeps its buffers until the handler is called.
    delayed_ = [this, pieces, delayed = ByteStream::Handler(std::forward<Handler>(handler))]() mutable {
      write(pieces, std::move(delayed));
    };
  }

  enum class Written { nothing, all, partly };

  /// Writes a frame that is not masked, if Beast is writing nothing. Beast's next frame follows it. `partly`: `done` is
  /// called when the rest is out too; until then no other frame may be written here.
  [[nodiscard]] Written write_frame_now(std::string_view text, Done done) {
    if (is_writing_ || !tail_.empty() || text.size() > kFrameBytesMax) return Written::nothing;
    std::array<char, 4> head{'\x81'};
    std::size_t head_bytes = 2;
    if (text.size() < 126) {
      head[1] = static_cast<char>(text.size());
    } else {
      head = {'\x81', 126, static_cast<char>(text.size() >> 8U), static_cast<char>(text.size() & 0xFFU)};
      head_bytes = 4;
    }
    const std::array<std::string_view, 2> frame{std::string_view(head.data(), head_bytes), text};
    const std::size_t written = bytes_->write_now(frame);
    if (written == 0) return Written::nothing;
    if (written == head_bytes + text.size()) return Written::all;
    tail_.assign(frame[0]).append(frame[1]).erase(0, written);
    write_tail(std::move(done));
    return Written::partly;
  }

  friend void beast_close_socket(BeastStream& stream) { stream.bytes().abort(); }

  /// TLS says farewell, then the socket ends as Beast has it.
  template <typename Handler>
  friend void async_teardown(beast::role_type role, BeastStream& stream, Handler&& handler) {
    stream.bytes().shutdown([&stream, role, handler = std::forward<Handler>(handler)](
                                const boost::system::error_code& error, std::size_t) mutable {
      TcpSocket::Base& socket = stream.bytes().socket();
      websocket::async_teardown(role, socket,
                                [error, handler = std::move(handler)](const boost::system::error_code& ended) mutable {
                                  handler(error ? error : ended);
                                });
    });
  }

 private:
  static constexpr std::size_t kFrameBytesMax = 65'535;
  struct Pieces {
    std::array<std::string_view, ByteStream::kPiecesMax> of;
    std::size_t count = 0;
  };

  template <typename Handler>
  void write(const Pieces& pieces, Handler&& handler) {
    is_writing_ = true;
    bytes_->write_some(std::span(pieces.of).first(pieces.count),
                       [this, after = std::forward<Handler>(handler)](const boost::system::error_code& error,
                                                                      std::size_t bytes) mutable {
                         is_writing_ = false;
                         after(error, bytes);
                       });
  }

  /// `done` keeps the connection.
  void write_tail(Done done) {
    const std::array<std::string_view, 1> rest{tail_};
    bytes_->write_some(
        rest, [this, done = std::move(done)](const boost::system::error_code& error, std::size_t bytes) mutable {
          tail_.erase(0, error ? tail_.size() : bytes);
          if (!tail_.empty()) return write_tail(std::move(done));
          if (delayed_) std::exchange(delayed_, nullptr)();
          done(error);
        });
  }

  std::unique_ptr<ByteStream> bytes_;
  bool is_writing_ = false;                  // for Beast
  std::string tail_;                         // of a frame that was written past Beast
  std::move_only_function<void()> delayed_;  // what Beast writes after it
};

class WebSocketConnection final : public Connection, public std::enable_shared_from_this<WebSocketConnection> {
 public:
  WebSocketConnection(ServerState& server, Loop& loop, std::unique_ptr<ByteStream> stream, ConnectionLimit::Place place,
                      std::unique_ptr<http::WebSocketSession> session)
      : server_(server),
        loop_(loop),
        place_(std::move(place)),
        socket_(std::move(stream)),
        session_(std::move(session)) {
    loop_.add(*this);
    server_.application->web_sockets_changed(1);
  }

  ~WebSocketConnection() override {
    session_.reset();
    loop_.remove(*this);
    server_.application->web_sockets_changed(-1);
  }

  void start(std::shared_ptr<UpgradeRequest> request) {
    socket_.set_option(
        websocket::stream_base::timeout{websocket::stream_base::none(), websocket::stream_base::none(), false});
    socket_.read_message_max(limits::kWebSocketMessageBytesMax);
    socket_.auto_fragment(false);
    socket_.text(true);
    socket_.control_callback([this](websocket::frame_type, beast::string_view) { heard(); });
    heard();
    const std::int64_t first_ms = session_->first_message_ms();
    first_message_deadline_ms_ = first_ms > 0 ? steady_ms() + first_ms : 0;
    // Before the 101: who has read it hears of all that happens from then on.
    session_->start(make_wake(loop_, weak_from_this(), &WebSocketConnection::pump));
    const auto& message = request->message;
    socket_.async_accept(message,
                         [self = self(), request = std::move(request)](const boost::system::error_code& error) {
                           if (error) return;
                           self->accepted_ = true;
                           self->read();
                           self->pump();
                         });
  }

  std::shared_ptr<void> hold() override { return weak_from_this().lock(); }

  void sweep(std::int64_t now_ms) override {
    if (closing_) {
      if (now_ms >= close_deadline_ms_) abort();
      return;
    }
    if (writing_ && now_ms >= write_deadline_ms_) return abort();  // the peer does not read
    if (first_message_deadline_ms_ != 0 && now_ms >= first_message_deadline_ms_) {
      return close(session_->first_message_missing());
    }
    const std::int64_t interval_ms = server_.options.ping_interval_ms;
    if (now_ms - heard_at_ms_ > 2 * interval_ms + interval_ms / 2) return abort();  // two pings unanswered
    if (accepted_ && !pinging_ && now_ms - pinged_at_ms_ >= interval_ms) ping(now_ms);
  }

  void drain() override { close({1001, "the server is stopping"}); }

  void abort() override { socket_.next_layer().bytes().abort(); }

 private:
  std::shared_ptr<WebSocketConnection> self() { return shared_from_this(); }

  void heard() { heard_at_ms_ = steady_ms(); }

  void ping(std::int64_t now_ms) {
    pinged_at_ms_ = now_ms;
    pinging_ = true;
    socket_.async_ping({}, [self = self()](const boost::system::error_code&) { self->pinging_ = false; });
  }

  void read() {
    socket_.async_read(buffer_, [self = self()](const boost::system::error_code& error, std::size_t) {
      if (error) return self->abort();
      self->heard();
      self->first_message_deadline_ms_ = 0;
      if (!self->closing_) {
        const auto bytes = self->buffer_.cdata();
        self->session_->on_text({static_cast<const char*>(bytes.data()), bytes.size()});
      }
      self->buffer_.clear();
      self->buffer_.shrink_to_fit();  // an idle socket keeps no buffer
      self->pump();
      self->read();
    });
  }

  void pump() {
    for (int frames = 0; !writing_ && !closing_ && accepted_; ++frames) {
      auto next = session_->next();
      if (auto* close_with = std::get_if<http::WebSocketSession::Close>(&next)) return close(*close_with);
      auto* text = std::get_if<std::shared_ptr<const std::string>>(&next);
      if (text == nullptr) return;
      write(std::move(*text), frames < kFramesAtOnce);
    }
  }

  /// Most frames fit the socket's buffer: if it may be tried, nothing is left to wait for.
  void write(std::shared_ptr<const std::string> frame, bool may_write_now) {
    using Written = BeastStream::Written;
    auto written = Written::nothing;
    if (may_write_now && socket_.is_open()) {  // Beast may have answered the peer's close already
      written = socket_.next_layer().write_frame_now(
          *frame, [self = self()](const boost::system::error_code& error) { self->on_written(error); });
    }
    if (written == Written::all) return;
    writing_ = true;
    write_deadline_ms_ = steady_ms() + server_.options.write_timeout_ms;
    if (written == Written::partly) return;
    frame_ = std::move(frame);
    socket_.async_write(asio::buffer(*frame_), [self = self()](const boost::system::error_code& error, std::size_t) {
      self->frame_.reset();
      self->on_written(error);
    });
  }

  void on_written(const boost::system::error_code& error) {
    writing_ = false;
    if (error) return abort();
    pump();
  }

  void close(const http::WebSocketSession::Close& with) {
    if (closing_) return;
    closing_ = true;
    close_deadline_ms_ = steady_ms() + kCloseMs;
    if (!accepted_) return abort();
    const websocket::close_reason reason(static_cast<websocket::close_code>(with.code),
                                         beast::string_view(with.reason.data(), with.reason.size()));
    socket_.async_close(reason, [self = self()](const boost::system::error_code&) { self->abort(); });
  }

  ServerState& server_;
  Loop& loop_;
  const ConnectionLimit::Place place_;
  websocket::stream<BeastStream, false> socket_;
  std::unique_ptr<http::WebSocketSession> session_;
  beast::flat_buffer buffer_;
  std::shared_ptr<const std::string> frame_;
  std::int64_t heard_at_ms_ = 0;
  std::int64_t pinged_at_ms_ = steady_ms();
  std::int64_t first_message_deadline_ms_ = 0;
  std::int64_t write_deadline_ms_ = 0;
  std::int64_t close_deadline_ms_ = 0;
  bool accepted_ = false;
  bool writing_ = false;
  bool pinging_ = false;
  bool closing_ = false;
};

}  // namespace

void start_web_socket(ServerState& server, Loop& loop, std::unique_ptr<ByteStream> stream, ConnectionLimit::Place place,
                      std::unique_ptr<http::WebSocketSession> session, std::shared_ptr<UpgradeRequest> request) {
  make_on_loop<WebSocketConnection>(loop, server, loop, std::move(stream), std::move(place), std::move(session))
      ->start(std::move(request));
}

}  // namespace syncline::net
