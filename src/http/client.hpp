// The client's side of HTTP as values. net/ provides it over sockets; tests provide their own.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <stop_token>

#include "base/json_object.hpp"
#include "base/limits.hpp"
#include "base/result.hpp"
#include "http/message.hpp"

namespace syncline::http {

struct ClientRequest {
  Method method = Method::get;
  std::string target;  // path and query, below the server's URL
  std::string body;    // empty for none; JSON, unless `headers` name another Content-Type
  std::vector<Header> headers;
  /// Until the answer is there, all of it; for streams, between two pieces.
  std::int64_t timeout_ms = 30'000;
  /// Decompressed. More is an error; a stream has no limit.
  std::size_t answer_bytes_max = limits::kAnswerBytesDefault;
  /// The answer is JSON, and there is no reason to wait for the end of anything else, or of an answer that has begun
  /// and hardly goes on: `unavailable`.
  bool must_be_json = false;
};

struct ClientResponse {
  int status = 0;
  std::string body;
  std::optional<std::int64_t> retry_after_s;  // Retry-After, if it was sent in seconds
};

/// "the hub answered 409: the command has ended already", from a problem body if there is one; long words are cut.
[[nodiscard]] std::string describe(const ClientResponse& response);
/// The body as a JSON object; `unavailable` if it is none.
[[nodiscard]] Result<JsonObject> parse_object(std::string body);

/// One server, one credential, one connection that is kept open. For one thread at a time.
class Client {
 public:
  virtual ~Client() = default;
  /// The next request opens a connection of its own. After an answer that was not understood: a connection that was
  /// kept may end at somebody else, while new ones reach the server.
  virtual void renew_connection() {}
  /// Any status is a success; the body of an error is cut at kErrorAnswerBytesMax. `timed_out` if it took too long,
  /// `unavailable` if no answer came, was cut off, or `stop` was requested meanwhile; `answer_too_large` if more came
  /// than the request allows.
  [[nodiscard]] virtual Result<ClientResponse> send(const ClientRequest& request, std::stop_token stop = {}) = 0;
  /// Like send, but a body of status 200 goes to `take` piece by piece and not into the response.
  [[nodiscard]] virtual Result<ClientResponse> stream(const ClientRequest& request,
                                                      const std::function<void(std::string_view)>& take,
                                                      std::stop_token stop = {}) = 0;
};

using ClientFactory = std::function<std::unique_ptr<Client>()>;

}  // namespace syncline::http
