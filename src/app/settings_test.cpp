#include "app/settings.hpp"

#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>

#include "app/faces.hpp"
#include "app/plan_settings.hpp"
#include "app/running_hub.hpp"
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

TEST(Settings, a_wrong_plan_is_reported_with_its_location) {
  const test::TemporaryDirectory directory;
  const std::string file = directory.path() + "/hub.yaml";
  std::ofstream(file) << "accounts:\n  signup_plan: gold\nquota:\n  records: [pro=5, silver=6]\n  bytes: [pro=x]\n";
  const auto settings = Settings::load({}, file);
  ASSERT_TRUE(settings) << settings.error().text;
  const std::string plan = read_plan(*settings, "accounts.signup_plan").error().text;
  EXPECT_TRUE(plan.starts_with("setting 'accounts.signup_plan' (file " + file + ":2) has an unknown plan 'gold'"))
      << plan;
  EXPECT_FALSE(make_faces(*settings));
  const std::string records = read_plan_numbers(*settings, "quota.records", "RECORDS").error().text;
  EXPECT_TRUE(records.contains(file + ":4) has an unknown plan 'silver'")) << records;
  const std::string bytes = read_plan_numbers(*settings, "quota.bytes", "BYTES").error().text;
  EXPECT_TRUE(bytes.contains(file + ":5) must list PLAN=BYTES")) << bytes;
}

TEST(Settings, what_another_process_says_of_its_own_is_read_back_without_unknown_keys) {
  const auto settings = Settings::load({{"rate_limit", "7"}}, "");
  ASSERT_TRUE(settings);
  const auto read = Settings::from_json(JsonView(settings->to_json()));
  ASSERT_TRUE(read);
  EXPECT_EQ(read->integer("rate_limit"), 7);
  EXPECT_EQ(read->values().at("rate_limit").origin, "flag");
  EXPECT_EQ(read->to_json(), settings->to_json());

  const auto newer = Settings::from_json(JsonView(R"({"settings":{"no.such":{"value":"1","origin":"flag"}}})"));
  ASSERT_TRUE(newer);
  EXPECT_EQ(newer->to_json(), Settings::defaults().to_json());
  EXPECT_FALSE(Settings::from_json(JsonView(R"({"ok":true})")));
}

TEST(RunningHub, a_restart_keeps_flags_and_environment_and_reads_files_again) {
  Settings now = Settings::defaults();
  now.replace("rate_limit", {"1", "flag"});
  now.replace("history.days", {"2", "environment SYNCLINE_HISTORY_DAYS"});
  now.replace("audit.days", {"3", "file /etc/hub.yaml:1"});
  Settings files = Settings::defaults();
  files.replace("rate_limit", {"10", "file /etc/hub.yaml:1"});
  files.replace("history.days", {"20", "file /etc/hub.yaml:2"});
  files.replace("audit.days", {"30", "file /etc/hub.yaml:3"});
  files.replace("log.level", {"debug", "file /etc/hub.yaml:4"});

  EXPECT_EQ(changed_by_restart(now, files), (std::vector<std::string_view>{"audit.days", "log.level"}));
  EXPECT_EQ(after_restart(now, files, "history.days"), "2");
  EXPECT_EQ(after_restart(now, files, "audit.days"), "30");
  EXPECT_TRUE(changed_by_restart(now, now).empty());
}

}  // namespace
}  // namespace syncline::app
