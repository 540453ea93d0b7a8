// Kernle devices as the API sees them: each home logs in and has a session of its own, a fresh request for each call,
// and as `since` a time of its own clock.
#pragma once

#include "support/api_fixture.hpp"

namespace syncline::test {

/// One operation of a push.
struct KernleOperation {
  std::string id;
  std::string data;  // a JSON object; empty for a delete
  std::string at;    // local_updated_at: "10:00:00" of 2026-11-22, or a whole time; empty for none
  std::string table = "notes";
  std::string verb;  // update or delete if empty

  [[nodiscard]] std::string text() const;
};

class KernleFixture : public ApiFixture {
 protected:
  KernleFixture();

  /// The token of a new session of Ann's, opened with her API key.
  std::string log_in() { return log_in(api_key_); }
  std::string log_in(const std::string& api_key);

  void set_time(std::string_view time_of_day);
  Answer request(const std::string& token, const std::string& target, const std::string& body);
  Answer push(const std::string& token, const std::vector<KernleOperation>& operations,
              const std::string& agent = "claire");
  /// `since` as JSON ("null", "\"...\""); no such member if it is empty.
  Answer pull(const std::string& token, const std::string& since = "", const std::string& agent = "claire",
              const std::string& more = "");
  /// "id=content" (the member `content`) or "id-" of each operation that a pull answered, separated by spaces.
  static std::string contents(const Answer& answer);
  /// What everybody who asks for everything gets of a record's member; "(none)" without such a record.
  std::string field(const std::string& id, const std::string& name);
  Answer conflicts() { return get("/v1/spaces/kernle%2Fclaire/conflicts"); }

  std::string api_key_;
};

/// A label as a client makes it.
std::string label(std::string_view time_of_day);

}  // namespace syncline::test
