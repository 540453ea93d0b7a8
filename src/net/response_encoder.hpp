// Turns one response into the bytes of HTTP/1.1: head, compression, chunks. Does no I/O: the connection writes what it
// is given and asks for the next piece. Used on the connection's loop; only compress() may run elsewhere.
#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

#include "http/message.hpp"
#include "net/gzip.hpp"

namespace syncline::net {

class ResponseEncoder {
 public:
  /// What the request says about its answer.
  struct Request {
    bool is_head = false;      // wants no body
    bool is_http_1_0 = false;  // knows no chunks
    /// Nothing when the request could not be read.
    const http::HeaderReader* headers = nullptr;
  };

  struct Piece {
    std::string bytes;
    bool is_last = false;
  };
  struct Wait {};
  struct Abort {};
  using Next = std::variant<Piece, Wait, Abort>;

  ResponseEncoder(http::Response response, const Request& request);

  /// True when compressing takes long: call compress() on a worker before make_head().
  [[nodiscard]] bool is_slow_to_compress() const;
  /// Compresses a whole body.
  void compress();
  /// True when only the end of the connection ends the body, or the body never ends: no request can follow.
  [[nodiscard]] bool ends_connection() const;

  /// Comes first, once.
  [[nodiscard]] std::string make_head(bool keep_alive, std::string_view request_id);
  /// What follows the head if the body is not a stream. Valid as long as this object.
  [[nodiscard]] std::string_view body() const;

  [[nodiscard]] bool is_stream() const { return source_ != nullptr; }
  /// See BodySource.
  void start_stream(http::Wake wake) { source_->start(std::move(wake)); }
  void stop_stream() { source_->stop(); }
  [[nodiscard]] Next next_piece();

  [[nodiscard]] int status() const { return response_.status; }
  /// Of the body, as sent.
  [[nodiscard]] std::size_t bytes_out() const { return bytes_out_; }

 private:
  [[nodiscard]] std::string_view whole_body() const;
  [[nodiscard]] bool may_compress() const;
  [[nodiscard]] bool wants_gzip() const;
  [[nodiscard]] std::string frame(const std::string& bytes, bool is_last) const;

  http::Response response_;
  const Request request_;
  std::unique_ptr<http::BodySource> source_;
  const bool is_bodiless_;
  const bool gzip_wanted_;
  std::optional<Gzip> gzip_;  // of a stream
  std::size_t bytes_out_ = 0;
};

}  // namespace syncline::net
