// A Kaisho desktop's and phone's view of the API: rows are pushed and pulled, events are heard.
#pragma once

#include "support/api_fixture.hpp"

namespace syncline::test {

/// The cursor of a first sync.
inline constexpr auto kEpoch = "1970-01-01T00:00:00Z";

class KaishoFixture : public ApiFixture {
 public:
  ~KaishoFixture() override;

 protected:
  KaishoFixture();

  void set_time(std::string_view time) { clock_.advance_micros(parse_time(time)->micros - clock_.now().micros); }
  /// Pushes one row, given without its braces, or several as a list; the answer of apply.
  Answer apply(const std::string& rows, const std::string& prefix = "/sync");
  /// A finished entry of an hour with the given updated_at (a time of 2026-11-22).
  Answer apply_entry(const std::string& id, const std::string& description, const std::string& updated_at);
  Answer changes(const std::string& since = "", const std::string& prefix = "/sync");
  /// What a field of the row in the feed reads; "(none)" if there is no such row.
  std::string field(const std::string& id, const std::string& name, const std::string& prefix = "/sync");
  /// Open conflicts of the space, as the native API lists them.
  Answer conflicts() { return get("/v1/spaces/kaisho/conflicts"); }
  /// Names of the events since the last call, in order, separated by spaces.
  std::string events();

  /// All that was heard since the last call of events().
  std::vector<std::string> heard_;

 private:
  struct Ear final : Listener {
    explicit Ear(std::vector<std::string>& into) : heard(into) {}
    void on_messages(const std::vector<Message>& messages) override;
    std::vector<std::string>& heard;
  };
  Ear ear_{heard_};
};

}  // namespace syncline::test
