#include "api/operations/code_samples.hpp"

#include <gtest/gtest.h>

#include "api/operations/literal.hpp"

namespace syncline::operations {
namespace {

std::string literal_of(std::string_view json, LiteralOf language) {
  std::string out;
  append_literal(out, JsonView(json), language);
  return out;
}

TEST(Literal, python_has_its_own_words) {
  EXPECT_EQ(literal_of(R"({"a":null,"b":[true,false],"c":"true"})", LiteralOf::python),
            R"({"a": None, "b": [True, False], "c": "true"})");
  EXPECT_EQ(literal_of(R"({ "a" : null })", LiteralOf::json), R"({"a": null})");
}

TEST(Literal, a_long_value_is_broken_into_lines) {
  const std::string long_text(60, 'x');
  EXPECT_EQ(literal_of(R"({"a":[1,2],"b":")" + long_text + "\"}", LiteralOf::json),
            "{\n  \"a\": [1, 2],\n  \"b\": \"" + long_text + "\"\n}");
}

api::Route push_route() {
  api::Route route;
  route.method = http::Method::post;
  route.pattern = "/v1/spaces/{space}/records/{id}";
  route.any_of = Scope::write;
  return route.answers(200, "done", "Answer");
}

std::string sample(const api::Route& route, std::string_view language, std::string_view body) {
  for (const CodeSample& one : make_code_samples(route, body)) {
    if (one.language == language) return one.code;
  }
  return "";
}

TEST(CodeSamples, curl_quotes_a_body_for_the_shell) {
  EXPECT_EQ(sample(push_route(), "curl", R"({"a":"it's"})"),
            R"(curl -H "Authorization: Bearer $KEY" "$HUB/v1/spaces/notes/records/ID" \
  -H "Content-Type: application/json" -d '{"a": "it'\''s"}')");
  EXPECT_EQ(sample(push_route(), "curl", ""),
            R"(curl -X POST -H "Authorization: Bearer $KEY" "$HUB/v1/spaces/notes/records/ID")");
}

TEST(CodeSamples, java_script_fetches_and_reads_json) {
  EXPECT_EQ(sample(push_route(), "JavaScript", R"({"a":null})"),
            R"(const answer = await fetch(`${hub}/v1/spaces/notes/records/ID`, {
  method: "POST",
  headers: {Authorization: `Bearer ${key}`, "Content-Type": "application/json"},
  body: JSON.stringify({"a": null}),
});
console.log(await answer.json());)");
}

TEST(CodeSamples, python_requests_and_reads_json) {
  EXPECT_EQ(sample(push_route(), "Python", R"({"a":null})"),
            R"(import requests

answer = requests.post(
    f"{hub}/v1/spaces/notes/records/ID",
    headers={"Authorization": f"Bearer {key}"},
    json={"a": None},
)
print(answer.json()))");
}

TEST(CodeSamples, an_open_route_has_no_key_and_a_stream_is_read_as_one) {
  api::Route route;
  route.pattern = "/events";
  route.answers_as(200, "text/event-stream", "the events");
  EXPECT_EQ(sample(route, "curl", ""), "curl -N \"$HUB/events\"");
  EXPECT_TRUE(sample(route, "Python", "").contains("iter_lines()"));
}

TEST(CodeSamples, a_socket_has_no_sample_for_curl) {
  api::Route route;
  route.pattern = "/live";
  route.any_of = Scope::read;
  route.answers(101, "the socket");
  EXPECT_EQ(sample(route, "curl", ""), "");
  EXPECT_TRUE(sample(route, "Python", "").contains(R"(connect(hub.replace("http", "ws", 1) + "/live")"));
}

}  // namespace
}  // namespace syncline::operations
