#include "node/settings_file.hpp"

#include <gtest/gtest.h>

#include "node/yaml_edit.hpp"
#include "support/environment.hpp"

namespace syncline::node {
namespace {

class SettingsFileTest : public testing::Test {
 protected:
  void write(const std::string& text) { ASSERT_TRUE(replace_file(path_, text)); }
  std::string text() const { return read_file(path_).value_or("(none)"); }

  test::TemporaryDirectory directory_;
  const std::string path_ = directory_.path() + "/settings.yaml";
  SettingsFile file_{path_};
};

TEST_F(SettingsFileTest, a_missing_file_yields_the_defaults) {
  file_.refresh();
  EXPECT_EQ(file_.values(), ProfileSettings{});
  EXPECT_EQ(file_.values().interval_s, 300);
  EXPECT_EQ(file_.error(), "");
}

TEST_F(SettingsFileTest, changes_keep_comments_and_formatting) {
  write("# mine\ncloud_sync:\n    interval: 60  # often\n    url: 'http://old'   # where\nother: {a: 1}\n");
  ASSERT_TRUE(file_.set({{"cloud_sync", "url", yaml_scalar("http://new:8080")},
                         {"cloud_sync", "enabled", "true"},
                         {"ai", "cron_model", yaml_scalar("acme:cron")}}));
  EXPECT_EQ(text(),
            "# mine\ncloud_sync:\n    enabled: true\n    interval: 60  # often\n    url: \"http://new:8080\"  # where\n"
            "other: {a: 1}\nai:\n  cron_model: \"acme:cron\"\n");
  EXPECT_EQ(file_.values().interval_s, 60);
  EXPECT_TRUE(file_.values().enabled);
}

TEST_F(SettingsFileTest, an_invalid_file_is_reported_with_its_location_and_the_last_valid_values_stay) {
  write("cloud_sync:\n  url: http://hub\n");
  file_.refresh();
  write("cloud_sync:\n  url: http://hub\n  interval: soon\n");
  file_.refresh();
  EXPECT_EQ(file_.error(), "settings.yaml:3:13: 'interval' must be a number of seconds from 1 to 86400");
  EXPECT_EQ(file_.values().url, "http://hub");
  EXPECT_FALSE(file_.set({{"cloud_sync", "enabled", "true"}}));
  write("cloud_sync: [\n");
  file_.refresh();
  EXPECT_TRUE(file_.error().starts_with("settings.yaml:2:1: ")) << file_.error();
}

TEST_F(SettingsFileTest, leaves_files_that_cannot_be_edited_by_line_unchanged) {
  const std::string before = "cloud_sync: {enabled: false}\n";
  write(before);
  const auto changed = file_.set({{"cloud_sync", "enabled", "true"}});
  ASSERT_FALSE(changed);
  EXPECT_NE(changed.error().text.find("line 1"), std::string::npos) << changed.error().text;
  EXPECT_EQ(text(), before);
}

TEST(YamlScalar, quotes_text_that_yaml_would_misread) {
  for (const char* value : {"plain", "", "true", "12", "a: b", "# no", "quo\"te", "line\nbreak", "http://x:1"}) {
    const auto edited = set_in_yaml("", "s", "k", yaml_scalar(value));
    ASSERT_TRUE(edited) << value << ": " << edited.error().text;
  }
  EXPECT_EQ(yaml_scalar("plain"), "plain");
  EXPECT_EQ(yaml_scalar("true"), "\"true\"");
}

TEST(Jobs, every_job_gets_the_model_and_keeps_the_rest) {
  const auto edit = set_model_of_jobs("- name: a\n  model: old # why\n- name: b\n- model: new\n  name: c\n", "new");
  ASSERT_TRUE(edit);
  EXPECT_EQ(edit->changed, 2);
  EXPECT_EQ(edit->text, "- name: a\n  model: new  # why\n- name: b\n  model: new\n- model: new\n  name: c\n");
  EXPECT_EQ(set_model_of_jobs(edit->text, "new")->changed, 0);
  EXPECT_EQ(set_model_of_jobs("", "new")->changed, 0);
}

TEST(Jobs, leaves_files_that_cannot_be_edited_by_line_unchanged) {
  for (const char* text : {"- {id: daily, model: gpt, schedule: \"0 9 * * *\"}\n", "- prompt: |\n    long\n    text\n",
                           "[{\"id\": \"a\",\n  \"model\": \"x\",\n  \"b\": 1}]\n", "- a: {b: 1}\n"}) {
    EXPECT_FALSE(set_model_of_jobs(text, "new")) << text;
  }
}

TEST(YamlEdit, malformed_files_are_rejected_without_a_crash) {
  for (const char* text : {"a: 1\n...\n", "a: 1\n---\nb: 2\n", "{}\n", "- 1\n", "cloud_sync: 3\n", "a: *nobody\n"}) {
    const auto edited = set_in_yaml(text, "cloud_sync", "enabled", "true");
    if (edited) {
      EXPECT_NE(edited->find("enabled: true"), std::string::npos) << text;
    }
  }
}

}  // namespace
}  // namespace syncline::node
