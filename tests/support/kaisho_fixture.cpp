#include "support/kaisho_fixture.hpp"

namespace syncline::test {

KaishoFixture::KaishoFixture() { live_.listen({AccountNumber{1}, "kaisho"}, ear_); }

KaishoFixture::~KaishoFixture() { live_.unlisten({AccountNumber{1}, "kaisho"}, ear_); }

Answer KaishoFixture::apply(const std::string& rows, const std::string& prefix) {
  clock_.advance_micros(1000);
  const bool is_list = rows.starts_with('[');
  return post(prefix + "/apply", "{\"entries\":" + (is_list ? rows : "[{" + rows + "}]") + "}");
}

Answer KaishoFixture::apply_entry(const std::string& id, const std::string& description,
                                  const std::string& updated_at) {
  return apply(R"("id":")" + id + R"(","start":"2026-11-22T08:00:00.000000Z","end":"2026-11-22T09:00:00.000000Z",)" +
               R"("description":")" + description + R"(","updated_at":"2026-11-22T)" + updated_at + R"(.000000Z")");
}

Answer KaishoFixture::changes(const std::string& since, const std::string& prefix) {
  return get(prefix + "/changes?limit=500" + (since.empty() ? "" : "&since=" + since));
}

std::string KaishoFixture::field(const std::string& id, const std::string& name, const std::string& prefix) {
  const Answer page = changes("", prefix);
  std::string found = "(none)";
  page.json().find("entries")->for_each_element([&](JsonView row) {
    if (row.find("id")->as_string() != id) return;
    const auto value = row.find(name);
    if (value) found = value->is_string() ? value->as_string().value_or("") : std::string(value->raw());
  });
  return found;
}

void KaishoFixture::Ear::on_messages(const std::vector<Message>& messages) {
  for (const Message& message : messages) heard.push_back(*message);
}

std::string KaishoFixture::events() {
  std::string names;
  for (const std::string& message : std::exchange(heard_, {})) {
    names += (names.empty() ? "" : " ") + JsonView(message).find("event")->as_string().value_or("?");
  }
  return names;
}

}  // namespace syncline::test
