// The time worked on each day of a period. Work over midnight counts for both days. A value, for one thread.
#pragma once

#include <string>
#include <vector>

#include "api/kaisho/periods.hpp"

namespace syncline::kaisho {

class DaySums {
 public:
  static constexpr std::int64_t kDaysMax = 400;

  /// invalid_argument for a period of more than kDaysMax days.
  [[nodiscard]] static Result<DaySums> make(const TimeZone& zone, const Period& period);

  /// Work from `start` up to `end`. What lies outside of the period counts for no day.
  void add(Timestamp start, Timestamp end);
  /// {"zone", "seconds", "days": [{"date", "seconds", "entries"}]}: the days with work, first the earliest.
  [[nodiscard]] std::string to_json() const;

 private:
  struct Sum {
    Day day;
    Timestamp begins;
    std::int64_t micros = 0;
    std::int64_t entries = 0;
  };
  DaySums(std::string zone, const Period& period) : zone_(std::move(zone)), period_(period) {}

  std::string zone_;
  Period period_;
  std::vector<Sum> sums_;
};

}  // namespace syncline::kaisho
