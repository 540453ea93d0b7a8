#include "support/in_process.hpp"

#include <algorithm>

#include "base/text.hpp"

namespace syncline::test {
namespace {

class MapHeaders final : public http::HeaderReader {
 public:
  explicit MapHeaders(std::map<std::string, std::string> headers) : headers_(std::move(headers)) {}
  std::string_view find(std::string_view name) const override {
    for (const auto& [key, value] : headers_) {
      if (equal_ignoring_case(key, name)) return value;
    }
    return {};
  }

 private:
  const std::map<std::string, std::string> headers_;
};

/// What must live as long as the request does.
struct InFlight {
  InFlight(RequestSpec of, std::map<std::string, std::string> with) : spec(std::move(of)), headers(std::move(with)) {}

  const RequestSpec spec;
  const MapHeaders headers;
  std::unique_ptr<http::Exchange> exchange;
};

void read_source(http::BodySource& source, Answer& answer) {
  source.start({[] {}});
  for (;;) {
    auto next = source.next();
    auto* chunk = std::get_if<http::BodySource::Chunk>(&next);
    answer.is_cut = std::holds_alternative<http::BodySource::Abort>(next);
    if (chunk == nullptr) return;
    answer.body += *chunk->bytes;
  }
}

Answer to_answer(http::Response response) {
  Answer answer;
  answer.status = response.upgrade ? 101 : response.status;
  for (const http::Header& header : response.headers) answer.headers[std::string(header.name)] = header.value;
  answer.headers["Content-Type"] = response.content_type;
  if (auto* text = std::get_if<std::string>(&response.body)) answer.body = std::move(*text);
  if (auto* shared = std::get_if<std::shared_ptr<const std::string>>(&response.body)) answer.body = **shared;
  if (auto* source = std::get_if<std::unique_ptr<http::BodySource>>(&response.body)) read_source(**source, answer);
  if (response.upgrade) {
    response.upgrade->start({[] {}});
    answer.close_code = static_cast<unsigned short>(closed_with(*response.upgrade));
  }
  return answer;
}

}  // namespace

std::string Answer::at(std::string_view path) const {
  if (body.empty()) return "(none)";
  JsonView value = json();
  for (const std::string_view name : split(path, '.')) {
    std::optional<JsonView> next;
    if (value.is_array()) {
      std::int64_t index = parse_integer(name).value_or(-1);
      value.for_each_element([&](JsonView element) {
        if (index-- == 0) next = element;
      });
    } else {
      next = value.find(name);
    }
    if (!next) return "(none)";
    value = *next;
  }
  return value.is_string() ? value.as_string().value_or("") : std::string(value.raw());
}

namespace {

std::shared_ptr<InFlight> begin_exchange(http::Application& application, const RequestSpec& spec) {
  auto headers = spec.headers;
  if (!spec.token.empty()) headers["Authorization"] = "Bearer " + spec.token;
  auto flight = std::make_shared<InFlight>(spec, std::move(headers));
  flight->exchange = application.begin({.method = spec.method,
                                        .method_text = http::to_text(spec.method),
                                        .target = flight->spec.target,
                                        .headers = &flight->headers,
                                        .peer = "127.0.0.1",
                                        .client = flight->spec.client,
                                        .request_id = "test-request"});
  return flight;
}

}  // namespace

http::Response take_response(http::Application& application, const RequestSpec& spec) {
  const auto flight = begin_exchange(application, spec);
  std::optional<http::Response> response = flight->exchange->refusal();
  if (!response) {
    flight->exchange->run(spec.body, http::Responder([&](http::Response made) { response = std::move(made); }));
  }
  return std::move(response).value();
}

int closed_with(http::WebSocketSession& session) {
  for (;;) {
    const auto next = session.next();
    if (const auto* close = std::get_if<http::WebSocketSession::Close>(&next)) return close->code;
    if (std::holds_alternative<std::monostate>(next)) return 0;
  }
}

std::unique_ptr<http::WebSocketSession> watch_space(http::Application& application, const std::string& token,
                                                    const std::string& space) {
  auto session = take_response(application, {.target = "/v1/live", .token = token}).upgrade;
  session->start({[] {}});
  session->on_text(R"({"type":"watch","spaces":{")" + space + R"(":"0"}})");
  return session;
}

LateBody::LateBody(http::Application& application, const RequestSpec& spec) {
  const auto flight = begin_exchange(application, spec);
  exchange_ = std::shared_ptr<http::Exchange>(flight, flight->exchange.get());
}

bool LateBody::is_refused() { return exchange_->refusal().has_value(); }

void LateBody::arrive(const std::string& body) {
  exchange_->run(body,
                 http::Responder([status = status_](const http::Response& response) { *status = response.status; }));
}

PendingAnswer begin_request(http::Application& application, const RequestSpec& spec,
                            const std::function<void(const Answer&)>& on_answer) {
  const auto flight = begin_exchange(application, spec);
  PendingAnswer pending;
  pending.keep_ = flight;
  const auto take = [slot = pending.answer_, on_answer](http::Response response) {
    if (slot->has_value()) std::abort();  // answered twice
    *slot = to_answer(std::move(response));
    on_answer(**slot);
  };
  if (auto refusal = flight->exchange->refusal()) {
    take(*std::move(refusal));
  } else if (spec.body.size() > flight->exchange->body_bytes_max()) {
    take(flight->exchange->too_large());
  } else {
    flight->exchange->run(spec.body, http::Responder(take));
  }
  return pending;
}

}  // namespace syncline::test
