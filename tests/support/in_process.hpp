// Requests to an application without a socket: a request goes in, the answer comes out.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>

#include "base/json.hpp"
#include "http/message.hpp"

namespace syncline::test {

struct Answer {
  int status = 0;
  std::string body;
  std::map<std::string, std::string> headers;
  /// The body broke off: nobody can take it for the whole.
  bool is_cut = false;
  /// How a WebSocket was closed before anybody said anything; 0 if it stays open.
  unsigned short close_code = 0;

  /// The body as JSON; the answer must outlive it.
  [[nodiscard]] JsonView json() const { return JsonView(body); }
  /// A string or the raw JSON at "a.b.0.c".
  [[nodiscard]] std::string at(std::string_view path) const;
};

struct RequestSpec {
  http::Method method = http::Method::get;
  std::string target;
  std::string token;
  std::string body;
  std::map<std::string, std::string> headers;
  std::string client = "127.0.0.1";
};

/// An answer that may come later.
class PendingAnswer {
 public:
  [[nodiscard]] bool has_come() const { return answer_->has_value(); }
  [[nodiscard]] const Answer& get() const { return answer_->value(); }

 private:
  friend PendingAnswer begin_request(http::Application& application, const RequestSpec& spec,
                                     const std::function<void(const Answer&)>& on_answer);
  std::shared_ptr<std::optional<Answer>> answer_ = std::make_shared<std::optional<Answer>>();
  std::shared_ptr<void> keep_;
};

/// Begins the request; the answer may be there at once. `on_answer` gets it, on the thread that answers.
PendingAnswer begin_request(
    http::Application& application, const RequestSpec& spec,
    const std::function<void(const Answer&)>& on_answer = [](const Answer&) {});

/// A request whose body takes long: its head is judged at once, its body when it has arrived.
class LateBody {
 public:
  LateBody(http::Application& application, const RequestSpec& spec);
  /// The head was refused.
  [[nodiscard]] bool is_refused();
  /// Once. The answer may come later.
  void arrive(const std::string& body);
  /// Of the answer; 0 before it.
  [[nodiscard]] int status() const { return *status_; }

 private:
  std::shared_ptr<http::Exchange> exchange_;  // with what must live as long
  std::shared_ptr<int> status_ = std::make_shared<int>(0);
};

/// The response itself, which must be there at once: for streams and sockets, which go on behind it.
http::Response take_response(http::Application& application, const RequestSpec& spec);

/// Reads what the session has to say. How it is closed; 0 if it is open.
int closed_with(http::WebSocketSession& session);
/// An open socket of /v1 that watches the space from its beginning.
std::unique_ptr<http::WebSocketSession> watch_space(http::Application& application, const std::string& token,
                                                    const std::string& space);

}  // namespace syncline::test
