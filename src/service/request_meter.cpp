#include "service/request_meter.hpp"

#include <chrono>

namespace syncline {
namespace {

using std::chrono::days;
using std::chrono::sys_days;
using std::chrono::year_month_day;

constexpr std::size_t kDateChars = 10;  // "2026-11-22"

Timestamp begin_of(sys_days day) {
  return {std::chrono::duration_cast<std::chrono::microseconds>(day.time_since_epoch()).count()};
}

std::int64_t day_of(Timestamp time) {
  const std::chrono::sys_time<std::chrono::microseconds> point{std::chrono::microseconds{time.micros}};
  return std::chrono::floor<days>(point).time_since_epoch().count();
}

year_month_day date_of(std::int64_t day) { return year_month_day{sys_days{days{day}}}; }

std::string text_of_day(std::int64_t day) { return format_time(begin_of(sys_days{days{day}})).substr(0, kDateChars); }

/// Days before all others for what is no date.
std::int64_t day_in(std::string_view date) {
  const auto begin = parse_time(std::string(date) + "T00:00:00Z");
  return begin ? day_of(*begin) : 0;
}

}  // namespace

RequestMeter::Counted& RequestMeter::counted(AccountNumber account, std::int64_t day) {
  Counted& counted = accounts_[account];
  if (counted.day == day) return counted;
  const year_month_day before = date_of(counted.day);
  const year_month_day now = date_of(day);
  if (before.year() != now.year() || before.month() != now.month()) counted.this_month = 0;
  counted.day = day;
  counted.today = 0;
  return counted;
}

void RequestMeter::count(AccountNumber account) {
  const std::int64_t day = day_of(clock_.now());
  const MutexLock lock(mutex_);
  Counted& mine = counted(account, day);
  mine.today += 1;
  mine.this_month += 1;
  unsaved_.insert(account);
}

RequestMeter::Usage RequestMeter::usage(AccountNumber account) {
  const std::int64_t day = day_of(clock_.now());
  const year_month_day date = date_of(day);
  const MutexLock lock(mutex_);
  const Counted& mine = counted(account, day);
  return {mine.today, mine.this_month, begin_of(sys_days{days{day + 1}}),
          begin_of(sys_days{(date.year() / date.month() + std::chrono::months{1}) / 1})};
}

Result<> RequestMeter::forget(AccountNumber account) {
  {
    const MutexLock lock(mutex_);
    accounts_.erase(account);
    unsaved_.erase(account);
  }
  return directory_.write([&](DirectoryTxn& txn) { return txn.remove_usage(account); });
}

Result<> RequestMeter::load() {
  std::unordered_map<AccountNumber, Counted> stored;
  CHECK_OK(directory_.read([&](DirectoryView& view) {
    return view.usage([&](const UsageRow& row) {
      stored[row.account] = {day_in(row.day), row.today, row.this_month};
      return true;
    });
  }));
  const MutexLock lock(mutex_);
  accounts_ = std::move(stored);
  return {};
}

Result<> RequestMeter::save() {
  std::vector<UsageRow> unsaved;
  {
    const MutexLock lock(mutex_);
    for (const AccountNumber account : unsaved_) {
      const Counted& counted = accounts_[account];
      unsaved.push_back({account, text_of_day(counted.day), counted.today, counted.this_month});
    }
    unsaved_.clear();
  }
  if (unsaved.empty()) return {};
  const auto written = directory_.write([&](DirectoryTxn& txn) -> Result<> {
    for (const UsageRow& row : unsaved) CHECK_OK(txn.put_usage(row));
    return {};
  });
  if (written) return {};
  const MutexLock lock(mutex_);
  for (const UsageRow& row : unsaved) unsaved_.insert(row.account);  // for the next time
  return std::unexpected(written.error());
}

}  // namespace syncline
