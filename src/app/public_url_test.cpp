#include "app/public_url.hpp"

#include <gtest/gtest.h>

#include <fstream>

#include "support/environment.hpp"

namespace syncline::app {
namespace {

TEST(PublicUrl, is_an_origin_in_its_shortest_form) {
  for (const auto& [given, origin] : std::vector<std::pair<std::string, std::string>>{
           {"https://hub.example.org", "https://hub.example.org"},
           {"HTTPS://Hub.Example.org:443/", "https://hub.example.org"},
           {"https://hub.example.org:8443", "https://hub.example.org:8443"},
           {"http://localhost:80", "http://localhost"},
           {"https://192.0.2.7", "https://192.0.2.7"},
           {"http://[::1]:8080", "http://[::1]:8080"}}) {
    EXPECT_EQ(parse_public_url(given).value_or("refused"), origin) << given;
  }
}

TEST(PublicUrl, anything_but_an_http_origin_is_refused) {
  for (const std::string given :
       {"hub.example.org", "ftp://hub.example.org", "https://", "https:///", "https://hub.example.org/sub",
        "https://hub.example.org?a=b", "https://hub.example.org#a", "https://me@hub.example.org", "https://hub example",
        "https://hub.example.org:0", "https://hub.example.org:99999", "https://hub.example.org:", "https://[nothing]",
        "https://b\xC3\xBC\x63her.example", "https://hub\r\nX: y"}) {
    const auto parsed = parse_public_url(given);
    EXPECT_FALSE(parsed) << given;
    EXPECT_TRUE(parsed || parsed.error().text.starts_with("hub.public_url must be like")) << given;
  }
}

TEST(PublicUrl, a_setting_that_is_not_made_makes_no_links) {
  const Settings settings = Settings::defaults();
  EXPECT_EQ(read_public_url(settings).value_or("refused"), "");
  EXPECT_EQ(password_link("", "t"), "");
  EXPECT_EQ(password_link("https://hub.example.org", "t"), "https://hub.example.org/set-password#t");
}

TEST(PublicUrl, what_was_said_at_setup_counts_unless_the_operator_sets_it) {
  const test::TemporaryDirectory directory;
  const std::string file = directory.path() + "/hub.yaml";
  const auto load = [&](const std::string& hub_yaml) {
    std::ofstream(file) << hub_yaml;
    return *Settings::load({}, file, all_settings(), setup_file_in(directory.path()));
  };
  const auto keep = keep_public_url(load(""), directory.path());
  ASSERT_TRUE(keep);
  ASSERT_TRUE(keep("https://[2001:db8::1]:8443"));
  const Settings said = load("");
  EXPECT_EQ(read_public_url(said).value_or("refused"), "https://[2001:db8::1]:8443");
  EXPECT_TRUE(keep_public_url(said, directory.path())) << "setup may say it again";
  const Settings set = load("hub:\n  public_url: https://hub.example.org\n");
  EXPECT_EQ(read_public_url(set).value_or("refused"), "https://hub.example.org");
  EXPECT_FALSE(keep_public_url(set, directory.path()));
  const Settings set_to_none = load("hub:\n  public_url: \"\"\n");
  EXPECT_EQ(read_public_url(set_to_none).value_or("refused"), "");
  EXPECT_FALSE(keep_public_url(set_to_none, directory.path()));
  ASSERT_TRUE(keep(""));
  EXPECT_EQ(read_public_url(load("")).value_or("refused"), "");
}

TEST(PublicUrl, has_a_host) {
  EXPECT_EQ(host_of_public_url("https://hub.example.org:8443"), "hub.example.org");
  EXPECT_EQ(host_of_public_url("http://[::1]:8080"), "[::1]");
  EXPECT_EQ(host_of_public_url(""), "");
}

}  // namespace
}  // namespace syncline::app
