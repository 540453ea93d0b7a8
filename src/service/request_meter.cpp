#include "service/request_meter.hpp"

#include <chrono>

namespace syncline {
namespace {

constexpr std::size_t kMonthChars = 7;  // "2026-11"

std::string day_of(Timestamp time) { return format_time(time).substr(0, 10); }

}  // namespace

RequestMeter::Counted& RequestMeter::counted(AccountNumber account, const std::string& day) {
  Counted& counted = accounts_[account];
  if (counted.day == day) return counted;
  if (counted.day.substr(0, kMonthChars) != day.substr(0, kMonthChars)) counted.this_month = 0;
  counted.day = day;
  counted.today = 0;
  return counted;
}

void RequestMeter::count(AccountNumber account) {
  const std::string day = day_of(clock_.now());
  const MutexLock lock(mutex_);
  Counted& mine = counted(account, day);
  mine.today += 1;
  mine.this_month += 1;
  unsaved_.insert(account);
}

RequestMeter::Usage RequestMeter::usage(AccountNumber account) {
  using namespace std::chrono;
  const Timestamp now = clock_.now();
  const auto today = floor<days>(sys_time<microseconds>{microseconds{now.micros}});
  const year_month_day date{today};
  const auto micros = [](sys_days day) {
    return Timestamp{duration_cast<microseconds>(day.time_since_epoch()).count()};
  };
  const std::string day = day_of(now);
  const MutexLock lock(mutex_);
  const Counted& mine = counted(account, day);
  return {mine.today, mine.this_month, micros(today + days{1}),
          micros(sys_days{(date.year() / date.month() + months{1}) / 1})};
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
      stored[row.account] = {row.day, row.today, row.this_month};
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
      unsaved.push_back({account, counted.day, counted.today, counted.this_month});
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
