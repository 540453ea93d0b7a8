// Requests to an application without a socket: a request goes in, the answer comes out.
#pragma once

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
};

/// An answer that may come later.
class PendingAnswer {
 public:
  [[nodiscard]] bool has_come() const { return answer_->has_value(); }
  [[nodiscard]] const Answer& get() const { return answer_->value(); }

 private:
  friend PendingAnswer begin_request(http::Application& application, const RequestSpec& spec);
  std::shared_ptr<std::optional<Answer>> answer_ = std::make_shared<std::optional<Answer>>();
  std::shared_ptr<void> keep_;
};

/// Begins the request; the answer may be there at once.
PendingAnswer begin_request(http::Application& application, const RequestSpec& spec);

}  // namespace syncline::test
