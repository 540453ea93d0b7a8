#include "api/kaisho/duration.hpp"

#include <gtest/gtest.h>

namespace syncline::kaisho {
namespace {

TEST(DurationTest, parses_common_duration_formats) {
  const std::pair<std::string_view, std::int64_t> cases[] = {{"2h", 7200},
                                                             {"30m", 1800},
                                                             {"1.5h", 5400},
                                                             {"1h30m", 5400},
                                                             {"2h 15min", 8100},
                                                             {"90 minutes", 5400},
                                                             {" 1 hour 5 mins ", 3900},
                                                             {"0.25H", 900},
                                                             {"45min", 2700},
                                                             {"1 hr", 3600}};
  for (const auto& [text, seconds] : cases) EXPECT_EQ(parse_duration(text), seconds) << text;
}

TEST(DurationTest, rejects_invalid_durations) {
  for (const std::string_view text : {"", "h", "2", "2x", "-1h", "1h-30m", "0m", "nanh", "inf h", "1e3h", "99999999h",
                                      "1h 30", "half an hour", "h2", "1..5h"}) {
    EXPECT_FALSE(parse_duration(text)) << text;
  }
}

}  // namespace
}  // namespace syncline::kaisho
