#include "app/settings.hpp"

#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>

#include "support/environment.hpp"

namespace syncline::app {
namespace {

TEST(Settings, flags_override_environment_file_and_defaults) {
  const test::TemporaryDirectory directory;
  const std::string file = directory.path() + "/hub.yaml";
  std::ofstream(file)
      << "listen: 127.0.0.1:1\nlog:\n  level: debug\ncors:\n  origins: [https://a, https://b]\nrate_limit: 7\n";
  ::setenv("SYNCLINE_LISTEN", "127.0.0.1:2", 1);
  ::setenv("SYNCLINE_LOG_LEVEL", "error", 1);

  const auto settings = Settings::load({{"listen", "127.0.0.1:3"}}, file);

  ::unsetenv("SYNCLINE_LISTEN");
  ::unsetenv("SYNCLINE_LOG_LEVEL");
  ASSERT_TRUE(settings) << settings.error().text;
  EXPECT_EQ(settings->text("listen"), "127.0.0.1:3");
  EXPECT_EQ(settings->values().at("listen").origin, "flag");
  EXPECT_EQ(settings->text("log.level"), "error");
  EXPECT_EQ(settings->values().at("log.level").origin, "environment SYNCLINE_LOG_LEVEL");
  EXPECT_EQ(settings->integer("rate_limit"), 7);
  EXPECT_EQ(settings->values().at("rate_limit").origin, "file " + file + ":6");
  EXPECT_EQ(settings->list("cors.origins").size(), 2U);
  EXPECT_EQ(settings->values().at("history.days").origin, "default");
}

TEST(Settings, an_invalid_setting_is_reported_with_its_location) {
  const test::TemporaryDirectory directory;
  const std::string file = directory.path() + "/hub.yaml";
  std::ofstream(file) << "listen: 127.0.0.1:1\nliste: x\n";
  EXPECT_NE(Settings::load({}, file).error().text.find("'liste' (file " + file + ":2)"), std::string::npos);
  EXPECT_FALSE(Settings::load({{"rate_limit", "many"}}, ""));
  EXPECT_FALSE(Settings::load({{"plans.enforce", "yes"}}, ""));
  std::ofstream(file) << "a: [";
  EXPECT_FALSE(Settings::load({}, file));
}

}  // namespace
}  // namespace syncline::app
