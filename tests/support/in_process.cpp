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

std::string read_source(http::BodySource& source) {
  std::string body;
  source.start([] {});
  for (;;) {
    auto next = source.next();
    auto* chunk = std::get_if<http::BodySource::Chunk>(&next);
    if (chunk == nullptr) return body;
    body += *chunk->bytes;
  }
}

Answer to_answer(http::Response response) {
  Answer answer;
  answer.status = response.upgrade ? 101 : response.status;
  for (const http::Header& header : response.headers) answer.headers[std::string(header.name)] = header.value;
  answer.headers["Content-Type"] = response.content_type;
  if (auto* text = std::get_if<std::string>(&response.body)) answer.body = std::move(*text);
  if (auto* shared = std::get_if<std::shared_ptr<const std::string>>(&response.body)) answer.body = **shared;
  if (auto* source = std::get_if<std::unique_ptr<http::BodySource>>(&response.body))
    answer.body = read_source(**source);
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

PendingAnswer begin_request(http::Application& application, const RequestSpec& spec) {
  auto headers = spec.headers;
  if (!spec.token.empty()) headers["Authorization"] = "Bearer " + spec.token;
  const auto flight = std::make_shared<InFlight>(spec, std::move(headers));
  flight->exchange = application.begin({.method = spec.method,
                                        .method_text = http::to_text(spec.method),
                                        .target = flight->spec.target,
                                        .headers = &flight->headers,
                                        .peer = "127.0.0.1",
                                        .request_id = "test-request"});
  PendingAnswer pending;
  pending.keep_ = flight;
  const auto slot = pending.answer_;
  if (auto refusal = flight->exchange->refusal()) {
    *slot = to_answer(*std::move(refusal));
  } else if (spec.body.size() > flight->exchange->body_bytes_max()) {
    *slot = to_answer(flight->exchange->too_large());
  } else {
    flight->exchange->run(spec.body, http::Responder([slot](http::Response response) {
                            if (slot->has_value()) std::abort();  // answered twice
                            *slot = to_answer(std::move(response));
                          }));
  }
  return pending;
}

}  // namespace syncline::test
