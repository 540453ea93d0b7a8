#include "api/kaisho/clock_text.hpp"

#include <algorithm>
#include <array>
#include <optional>

#include "api/kaisho/space.hpp"
#include "api/kaisho/timer.hpp"
#include "base/csv.hpp"
#include "base/text.hpp"

namespace syncline::kaisho {
namespace {

std::int64_t rounded_minutes(Timestamp start, Timestamp end) {
  constexpr std::int64_t kMicrosPerMinute = 60 * kMicrosPerSecond;
  const std::int64_t micros = std::max<std::int64_t>(0, end.micros - start.micros);
  return (micros + kMicrosPerMinute / 2) / kMicrosPerMinute;
}

constexpr auto kColumns =
    std::to_array<std::string_view>({"date", "start", "end", "duration_minutes", "customer", "description", "project",
                                     "contract", "task_id", "notes", "invoiced", "id"});

}  // namespace

const std::string& entry_collection() {
  static const std::string kName(entries().collection);
  return kName;
}

Result<std::string> clock_members(Snapshot& snapshot, const Record& entry) {
  std::string out;
  append_row_members(out, view_of(entry));
  const auto start = time_field(entry.doc, "start");
  const auto end = time_field(entry.doc, "end");
  out += ",\"duration_minutes\":" + (start && end ? std::to_string(rounded_minutes(*start, *end)) : "null");
  TRY(const auto mark, snapshot.find_value(synced_at_value(entry.id)));
  out += ",\"synced_at\":" + (mark ? '"' + format_time({parse_integer(*mark).value_or(0)}) + '"' : "null");
  return out;
}

Result<std::string> clock_text(Snapshot& snapshot, const Record& entry) {
  TRY(const std::string members, clock_members(snapshot, entry));
  return '{' + members + '}';
}

void append_entry_header(std::string& csv) { append_csv_row(csv, kColumns); }

void append_entry_row(std::string& csv, const RecordView& entry, const TimeZone& zone) {
  const JsonView doc(entry.doc);
  const auto start = time_field(entry.doc, "start");
  const auto end = time_field(entry.doc, "end");
  const auto invoiced = doc.find("invoiced");
  const std::array<std::string, kColumns.size()> texts = {
      start ? format_day(zone.day_at(*start)) : "",
      start ? zone.format(*start) : "",
      end ? zone.format(*end) : "",
      start && end ? std::to_string(rounded_minutes(*start, *end)) : "",
      doc.text_of("customer"),
      doc.text_of("description"),
      doc.text_of("project"),
      doc.text_of("contract"),
      doc.text_of("task_id"),
      doc.text_of("notes"),
      invoiced && invoiced->as_boolean().value_or(false) ? "true" : "false",
      std::string(entry.id)};
  append_csv_row(csv, std::vector<std::string_view>(texts.begin(), texts.end()));
}

}  // namespace syncline::kaisho
