#include "app/device_zone.hpp"

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>

#include "support/environment.hpp"

namespace syncline::app {
namespace {

namespace fs = std::filesystem;

/// $TZ is the test's.
class DeviceZoneTest : public testing::Test {
 public:
  DeviceZoneTest() {
    if (const char* zone = std::getenv("TZ")) before_ = zone;
    ::unsetenv("TZ");
  }
  ~DeviceZoneTest() override { before_.empty() ? ::unsetenv("TZ") : ::setenv("TZ", before_.c_str(), 1); }

 protected:
  std::string zone_of(const char* variable) {
    ::setenv("TZ", variable, 1);
    return device_zone().value_or("(none)");
  }
  std::string zone_of_link(const std::string& target) {
    const std::string link = directory_.path() + "/localtime";
    fs::remove(link);
    fs::create_symlink(target, link);
    return device_zone(link).value_or("(none)");
  }

  std::string before_;
  test::TemporaryDirectory directory_;
};

TEST_F(DeviceZoneTest, the_variable_counts_before_the_link) {
  EXPECT_EQ(zone_of("Asia/Kathmandu"), "Asia/Kathmandu");
  EXPECT_EQ(zone_of(":America/New_York"), "America/New_York");
  EXPECT_EQ(zone_of(""), "UTC");
  EXPECT_EQ(zone_of("Mars/Olympus"), "(none)");
  EXPECT_EQ(zone_of("CET-1CEST"), "(none)") << "a rule has no name";
}

TEST_F(DeviceZoneTest, the_link_names_the_zone) {
  EXPECT_EQ(zone_of_link("/usr/share/zoneinfo/Europe/Berlin"), "Europe/Berlin");
  EXPECT_EQ(zone_of_link("../usr/share/zoneinfo/Etc/UTC"), "Etc/UTC");
  EXPECT_EQ(zone_of_link("/usr/share/zoneinfo/Mars/Olympus"), "(none)");
  EXPECT_EQ(device_zone(directory_.path() + "/nothing").value_or("(none)"), "UTC");
}

}  // namespace
}  // namespace syncline::app
