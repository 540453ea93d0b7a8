// What was worked in a period: its entries, as JSON or CSV, and the sums of its days.
//
// Scope read. Errors: 400 for a wrong period, day, zone or format, and for a period with more than can be answered.
// Changes nothing.
#include <algorithm>

#include "api/kaisho/clock_text.hpp"
#include "api/kaisho/day_sums.hpp"
#include "api/kaisho/routes.hpp"

namespace syncline::kaisho {
namespace {

constexpr std::size_t kListedMax = 500;
/// Of CSV: each row takes memory until the answer is sent.
constexpr std::size_t kExportedMax = 100'000;
constexpr std::size_t kExportBytesMax = 32UL << 20U;

using OnEntry = std::function<bool(Timestamp start, const RecordView& entry)>;

/// Live entries that start in the period, in no order.
Result<> scan_starts(Snapshot& snapshot, const Period& period, const OnEntry& visit) {
  return snapshot.scan(entry_collection(), "", [&](const RecordView& record) {
    if (record.deleted) return true;
    const auto start = time_field(record.doc, "start");
    if (!start || *start < period.from || *start >= period.until) return true;
    return visit(*start, record);
  });
}

Result<std::string> list_as_json(Snapshot& snapshot, const Period& period) {
  struct Listed {
    Timestamp start;
    Record entry;
  };
  std::vector<Listed> listed;  // a heap whose top is the oldest
  const std::ranges::greater newest_first;
  CHECK_OK(scan_starts(snapshot, period, [&](Timestamp start, const RecordView& entry) {
    listed.push_back({start, entry.to_record()});
    std::ranges::push_heap(listed, newest_first, &Listed::start);
    if (listed.size() > kListedMax) {
      std::ranges::pop_heap(listed, newest_first, &Listed::start);
      listed.pop_back();
    }
    return true;
  }));
  std::ranges::sort_heap(listed, newest_first, &Listed::start);
  std::string out = "[";
  for (const Listed& one : listed) {
    TRY(const std::string text, clock_text(snapshot, one.entry));
    if (out.size() > 1) out += ',';
    out += text;
  }
  return out + ']';
}

Result<std::string> list_as_csv(Snapshot& snapshot, const Period& period, const TimeZone& zone) {
  struct Row {
    Timestamp start;
    std::string text;
  };
  std::vector<Row> rows;
  std::size_t bytes = 0;
  CHECK_OK(scan_starts(snapshot, period, [&](Timestamp start, const RecordView& entry) {
    Row& row = rows.emplace_back(start);
    append_entry_row(row.text, entry, zone);
    bytes += row.text.size();
    return rows.size() <= kExportedMax && bytes <= kExportBytesMax;
  }));
  if (rows.size() > kExportedMax || bytes > kExportBytesMax) {
    return fail(ErrorCode::invalid_argument, "the period has more than " + std::to_string(kExportedMax) +
                                                 " entries, or more than 32 MiB of them; ask for a shorter one");
  }
  std::ranges::sort(
      rows, [](const Row& a, const Row& b) { return a.start != b.start ? a.start > b.start : a.text < b.text; });
  std::string out;
  out.reserve(bytes + kListedMax);
  append_entry_header(out);
  for (const Row& row : rows) out += row.text;
  return out;
}

/// "entries-2026-11-01-2026-11-30.csv"; without what is open at its end.
std::string file_name_of(const Period& period, const TimeZone& zone) {
  std::string name = "entries";
  if (period.from > kTimestampMin) name += '-' + format_day(zone.day_at(period.from));
  if (period.until < kTimestampMax) name += '-' + format_day(zone.day_at(period.until.plus_micros(-1)));
  return name + ".csv";
}

}  // namespace

void Face::list_clocks(const api::CallPtr& call) {
  TRY_CALL(call, const TimeZone zone, zone_in_query(*call));
  TRY_CALL(call, const Period period, period_in_query(*call, zone, spaces_.clock().now()));
  const std::string format = call->query("format").value_or("json");
  if (format != "json" && format != "csv") {
    return call->fail(Error{ErrorCode::invalid_argument, "format must be json or csv"});
  }
  std::string out;
  CHECK_CALL(call, spaces_.read(space_of(*call), [&](Snapshot& snapshot) -> Result<> {
    TRY(out, format == "csv" ? list_as_csv(snapshot, period, zone) : list_as_json(snapshot, period));
    return {};
  }));
  if (format == "json") return call->respond_json(200, std::move(out));
  auto response = http::make_text(200, kCsv, std::move(out));
  response.headers.push_back({"Content-Disposition", "attachment; filename=\"" + file_name_of(period, zone) + '"'});
  response.headers.push_back({"X-Content-Type-Options", "nosniff"});
  call->respond(std::move(response));
}

void Face::sum_days(const api::CallPtr& call) {
  const Timestamp now = spaces_.clock().now();
  TRY_CALL(call, const TimeZone zone, zone_in_query(*call));
  TRY_CALL(call, const Period period, period_in_query(*call, zone, now));
  TRY_CALL(call, const DaySums empty, DaySums::make(zone, period));
  DaySums sums = empty;
  CHECK_CALL(call, spaces_.read(space_of(*call), [&](Snapshot& snapshot) -> Result<> {
    sums = empty;
    return snapshot.scan(entry_collection(), "", [&](const RecordView& record) {
      const auto start = record.deleted ? std::nullopt : time_field(record.doc, "start");
      if (start) sums.add(*start, time_field(record.doc, "end").value_or(now));
      return true;
    });
  }));
  call->respond_json(200, sums.to_json());
}

void Face::add_clock_list_routes(Routes& routes) {
  constexpr std::string_view kZone = "time zone whose days count, like Europe/Berlin; UTC if absent";
  routes.get("/clocks/entries", Scope::read, "List the entries of a period", &Face::list_clocks)
      .with_cookies()
      .described(
          "Latest start first, at most 500. As CSV, for spreadsheets: all of them, up to 100,000, with times of the "
          "zone.")
      .query("period", "today, week, month or year; today if absent")
      .query("from", "first day, instead of a period")
      .query("to", "last day, instead of a period")
      .query("zone", kZone)
      .query("format", "json or csv; json if absent")
      .heavy()
      .answers(200, "the entries", "KaishoClocks")
      .answers_as(200, kCsv, "the entries as CSV")
      .answers(400, "not a period, a day, a zone or a format; or a period with too many entries for CSV");
  routes.get("/clocks/days", Scope::read, "Sum up the days of a period", &Face::sum_days)
      .with_cookies()
      .described("Work over midnight counts for both days, a running timer up to now.")
      .query("period", "today, week, month or year; today if absent")
      .query("from", "first day, instead of a period")
      .query("to", "last day, instead of a period")
      .query("zone", kZone)
      .heavy()
      .answers(200, "the days with work, earliest first", "KaishoDays")
      .answers(400, "not a period, a day or a zone; or more than 400 days");
}

}  // namespace syncline::kaisho
