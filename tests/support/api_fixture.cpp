#include "support/api_fixture.hpp"

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

ApiFixture::ApiFixture(api::Router::Options options) : router_(access_, clock_, std::move(options)) {
  access_.on_change([this] { live_.notify_access_change(); });
  router_.add(operations::make_routes(
      router_, access_, metrics_,
      {"test", [] { return std::optional<std::string>{}; }, [this] { return store_.status(); }}));
  router_.add(native::make_routes(spaces_, access_));
  router_.add(kiro_.make_routes());
  router_.add_under("/kiro", kiro_.make_routes());
  router_.add(kernle_.make_routes());
  router_.add_under("/kernle", kernle_.make_routes());
  router_.add(kaisho_.make_routes());
  router_.add_under("/kaisho", kaisho_.make_routes());
  router_.add(accounts::make_routes(sessions_, {device_keys_, access_, spaces_, meter_},
                                    {.open = true, .plan = Plan::companion}));
  router_.meter(meter_);
  spaces_.set_audience(webhooks_);
  router_.add(webhooks::make_routes({webhooks_, deliveries_, spaces_, [] {}}));
  router_.observe(metrics_);
  key_ = add_key("ann@example.org",
                 {Scope::read, Scope::write, Scope::commands_submit, Scope::commands_run, Scope::commands_approve});
}

std::string ApiFixture::add_key(const std::string& email, ScopeSet scopes, const std::string& label) {
  if (!access_.find_account(email)) {
    EXPECT_TRUE(access_.add_account(email, Plan::pro));
  }
  auto made = access_.add_key(email, label, scopes, std::nullopt);
  EXPECT_TRUE(made);
  return made->token;
}

PendingAnswer ApiFixture::begin(const RequestSpec& spec) {
  auto headers = spec.headers;
  if (!spec.token.empty()) headers["Authorization"] = "Bearer " + spec.token;
  const auto flight = std::make_shared<InFlight>(spec, std::move(headers));
  flight->exchange = router_.begin({.method = spec.method,
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
                            EXPECT_FALSE(slot->has_value()) << "answered twice";
                            *slot = to_answer(std::move(response));
                          }));
  }
  return pending;
}

Answer ApiFixture::call(const RequestSpec& spec) {
  const PendingAnswer pending = begin(spec);
  scheduler_.run_posted();
  EXPECT_TRUE(pending.has_come()) << spec.target;
  return pending.has_come() ? pending.get() : Answer{};
}

}  // namespace syncline::test
