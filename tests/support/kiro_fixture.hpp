// A Kiro state's two sides as the API sees them: an IDE that submits commands, and agents that run them.
#pragma once

#include "support/api_fixture.hpp"

namespace syncline::test {

/// A message of a conversation, as JSON; `timestamp` in milliseconds.
inline std::string message(const std::string& role, const std::string& content, std::int64_t timestamp) {
  return R"({"role":")" + role + R"(","content":")" + content + R"(","timestamp":)" + std::to_string(timestamp) + "}";
}

class KiroFixture : public ApiFixture {
 protected:
  KiroFixture() {
    ide_ = add_key("ann@example.org", {Scope::read, Scope::write, Scope::commands_submit}, "ide");
    agent_ = add_key("ann@example.org", {Scope::read, Scope::commands_run}, "agent");
    agent2_ = add_key("ann@example.org", {Scope::read, Scope::commands_run}, "agent2");
  }

  Answer as(const std::string& key, http::Method method, const std::string& target, const std::string& body = "",
            std::map<std::string, std::string> headers = {}) {
    clock_.advance_micros(1000);
    return call({.method = method, .target = target, .token = key, .body = body, .headers = std::move(headers)});
  }
  Answer upload(const std::string& key, const std::string& state) {
    return as(key, http::Method::post, "/sync", state);
  }
  Answer upload_messages(const std::string& key, const std::string& messages) {
    return upload(key, R"({"conversations":{"c":[)" + messages + "]}}");
  }
  std::string submit(const std::string& body = R"({"type":"execute_bash","command":"ls"})") {
    return as(ide_, http::Method::post, "/command", body).at("commandId");
  }
  Answer patch(const std::string& key, const std::string& id, const std::string& body) {
    return as(key, http::Method::patch, "/command/" + id, body);
  }
  std::string state(const std::string& path) { return get("/sync").at(path); }

  std::string ide_, agent_, agent2_;
};

}  // namespace syncline::test
