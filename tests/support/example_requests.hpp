// For each route that reads the store a request that does so: with a body that is one, about things that are there. A
// route without an example gets a plain request.
#pragma once

#include "support/api_fixture.hpp"

namespace syncline::test {

/// True for routes that answer from memory once the key is known, or from tables that are not the store's.
[[nodiscard]] bool answers_without_reading(const api::Route& route);

/// True for a route under its face's prefix, which is served without it too.
[[nodiscard]] bool is_alias(const api::Route& route);

class ExampleFixture : public ApiFixture {
 protected:
  ExampleFixture();

  /// What to ask of the route. What the request is about is made for it.
  RequestSpec request_for(const api::Route& route, const std::string& token);
  /// Replaces each name in braces by what it stands for, which is made for it: "{record}", "{n}".
  std::string fill(std::string_view text);
  /// A request that must succeed.
  Answer as(const std::string& token, http::Method method, const std::string& target, const std::string& body = "{}");
  /// The token of a new session of a device.
  std::string open_session();

  std::string everything_;  // a key with all scopes
  std::string other_;       // another key of the account
  std::string ide_;         // that submits commands: nobody approves their own
  std::string api_key_;     // that a device logs in with

 private:
  std::string make(std::string_view name);
  std::string submit(const std::string& line = "ls");
  std::string run_command(const std::string& line = "ls");
  std::string hold_command(const std::string& pattern);

  int count_ = 0;
};

}  // namespace syncline::test
