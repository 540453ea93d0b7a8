#include "service/request_meter.hpp"

#include <chrono>

#include "base/json_object.hpp"
#include "base/text.hpp"
#include "service/access.hpp"
#include "service/access_records.hpp"

namespace syncline {
namespace {

constexpr std::string_view kUsageCollection = "request_usage";
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
  mine.unsaved = true;
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
  }
  const auto written = write_and_wait(store_, system_space(), {}, [&](Txn& txn) {
    return access::put_doc(txn, kUsageCollection, std::to_string(account.value), "");
  });
  if (!written) return std::unexpected(written.error());
  return {};
}

Result<> RequestMeter::load() {
  std::unordered_map<AccountNumber, Counted> stored;
  CHECK_OK(store_.read(system_space(), [&](Snapshot& snapshot) {
    return snapshot.scan(kUsageCollection, "", [&](const RecordView& record) {
      const JsonObject json{JsonView(record.deleted ? "{}" : record.doc)};
      stored[{parse_integer(record.id).value_or(0)}] = {json.text_of("day"), json.integer_of("today").value_or(0),
                                                        json.integer_of("this_month").value_or(0), false};
      return true;
    });
  }));
  const MutexLock lock(mutex_);
  accounts_ = std::move(stored);
  return {};
}

Result<> RequestMeter::save() {
  std::vector<std::pair<AccountNumber, Counted>> unsaved;
  {
    const MutexLock lock(mutex_);
    for (auto& [account, counted] : accounts_) {
      if (counted.unsaved) unsaved.emplace_back(account, counted);
      counted.unsaved = false;
    }
  }
  if (unsaved.empty()) return {};
  const auto written = write_and_wait(store_, system_space(), {}, [&](Txn& txn) -> Result<> {
    for (const auto& [account, counted] : unsaved) {
      std::string doc;
      JsonWriter(doc)
          .begin_object()
          .string("day", counted.day)
          .integer("today", counted.today)
          .integer("this_month", counted.this_month)
          .end_object();
      CHECK_OK(access::put_doc(txn, kUsageCollection, std::to_string(account.value), std::move(doc)));
    }
    return {};
  });
  if (!written) return std::unexpected(written.error());
  return {};
}

}  // namespace syncline
