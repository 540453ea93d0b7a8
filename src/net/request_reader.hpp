// Takes the bytes of a connection apart into HTTP/1.1 requests, one after the other. Does no I/O and sends nothing: the
// connection fills its buffer and asks how far it got. Views stay valid until begin() or release(). For one thread at a
// time.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace syncline::net {

struct UpgradeRequest;

class RequestReader {
 public:
  enum class Parsed {
    some,  // look at what has come, then parse on
    need_more,
    malformed,  // fault() says how
  };
  /// How to refuse what is no request.
  struct Fault {
    int status = 400;
    std::string detail;
  };

  RequestReader();
  ~RequestReader();

  /// Forgets the last request. Bytes of the next may be there already.
  void begin();

  [[nodiscard]] bool has_bytes() const;
  /// Room to read into. commit() says how much of it was filled.
  [[nodiscard]] std::span<char> prepare(std::size_t bytes);
  void commit(std::size_t bytes);

  /// Takes in bytes up to the end of the head, or what there is of the body. Not once the request is done.
  [[nodiscard]] Parsed parse();
  [[nodiscard]] const Fault& fault() const;
  [[nodiscard]] bool has_head() const;
  [[nodiscard]] bool is_done() const;

  // Once it has the head:
  [[nodiscard]] std::string_view method() const;
  /// Path and query, also of a target that is a whole URL; the Host is that URL's then.
  [[nodiscard]] std::string_view target() const;
  /// Empty if there is no such header.
  [[nodiscard]] std::string_view find(std::string_view name) const;
  /// All headers of that name, joined by commas.
  [[nodiscard]] std::string join(std::string_view name) const;
  [[nodiscard]] bool keep_alive() const;
  [[nodiscard]] bool is_http_1_0() const;
  [[nodiscard]] bool is_upgrade() const;
  /// Nothing for a body in chunks.
  [[nodiscard]] std::optional<std::uint64_t> content_length() const;

  /// Nothing for a body in chunks.
  [[nodiscard]] std::optional<std::uint64_t> body_bytes_left() const;
  [[nodiscard]] std::size_t body_bytes() const;
  [[nodiscard]] std::string take_body();
  /// Frees what has come of a request that is refused. The head stays; nothing may be parsed until begin().
  void drop_body();
  /// The whole request, for the WebSocket's handshake. Only begin() may follow.
  [[nodiscard]] std::shared_ptr<UpgradeRequest> release();

 private:
  struct State;
  const std::unique_ptr<State> state_;
};

}  // namespace syncline::net
