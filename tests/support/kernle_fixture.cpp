#include "support/kernle_fixture.hpp"

namespace syncline::test {
namespace {

std::string whole_time(std::string_view at) {
  return at.find('T') != std::string_view::npos ? std::string(at) : "2026-11-22T" + std::string(at) + ".000000+00:00";
}

}  // namespace

std::string label(std::string_view time_of_day) { return '"' + whole_time(time_of_day) + '"'; }

std::string KernleOperation::text() const {
  std::string out = R"({"operation":")" + (verb.empty() ? (data.empty() ? "delete" : "update") : verb) +
                    R"(","table":")" + table + R"(","record_id":")" + id + '"';
  if (!at.empty()) out += R"(,"local_updated_at":")" + whole_time(at) + '"';
  if (!data.empty()) out += ",\"data\":" + data;
  return out + R"(,"version":1})";
}

KernleFixture::KernleFixture() {
  const auto made = access_.add_key("ann@example.org", "kernle", {Scope::read, Scope::write, Scope::keys},
                                    "knl_sk_0123456789abcdef0123456789abcdef");
  EXPECT_TRUE(made);
  api_key_ = made->token;
  set_time("12:00:00");
}

std::string KernleFixture::log_in(const std::string& api_key) {
  const Answer answer = call({.method = http::Method::post, .target = "/auth/login", .token = api_key});
  EXPECT_EQ(answer.status, 200) << answer.body;
  return answer.at("token");
}

void KernleFixture::set_time(std::string_view time_of_day) {
  clock_.advance_micros(parse_time(whole_time(time_of_day))->micros - clock_.now().micros);
}

Answer KernleFixture::request(const std::string& token, const std::string& target, const std::string& body) {
  return call({.method = http::Method::post, .target = target, .token = token, .body = body});
}

Answer KernleFixture::push(const std::string& token, const std::vector<KernleOperation>& operations,
                           const std::string& agent) {
  std::string body = R"({"stack_id":")" + agent + R"(","operations":[)";
  for (const KernleOperation& operation : operations) body += (body.back() == '[' ? "" : ",") + operation.text();
  return request(token, "/sync/push", body + "]}");
}

Answer KernleFixture::pull(const std::string& token, const std::string& since, const std::string& agent,
                           const std::string& more) {
  return request(token, "/sync/pull",
                 R"({"stack_id":")" + agent + '"' + (since.empty() ? "" : ",\"since\":" + since) + more + '}');
}

std::string KernleFixture::contents(const Answer& answer) {
  std::string out;
  const auto operations = answer.json().find("operations");
  if (!operations) return "(none)";
  operations->for_each_element([&](JsonView operation) {
    if (!out.empty()) out += ' ';
    out += operation.text_of("record_id");
    const auto data = operation.find_set("data");
    out += data ? '=' + data->text_of("content") : "-";
  });
  return out;
}

std::string KernleFixture::field(const std::string& id, const std::string& name) {
  const Answer all = pull(api_key_);
  std::string found = "(none)";
  all.json().find("operations")->for_each_element([&](JsonView operation) {
    if (operation.text_of("record_id") != id) return;
    const auto value = operation.find("data")->find(name);
    if (value) found = value->is_string() ? value->as_string().value_or("") : std::string(value->raw());
  });
  return found;
}

}  // namespace syncline::test
