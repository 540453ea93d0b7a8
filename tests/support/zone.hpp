// The time zone of the process, which all tests share: as it was before when the object ends.
#pragma once

#include <time.h>

#include <cstdlib>
#include <optional>
#include <string>

namespace syncline::test {

class Zone {
 public:
  /// Keeps the zone that the process has.
  Zone() {
    if (const char* zone = std::getenv("TZ")) before_ = zone;
  }
  /// Sets another one, as TZ does.
  explicit Zone(const char* name) : Zone() {
    ::setenv("TZ", name, 1);
    ::tzset();
  }
  Zone(const Zone&) = delete;
  Zone& operator=(const Zone&) = delete;
  ~Zone() {
    before_ ? ::setenv("TZ", before_->c_str(), 1) : ::unsetenv("TZ");
    ::tzset();
  }

 private:
  std::optional<std::string> before_;
};

}  // namespace syncline::test
