#include "service/backup_watch.hpp"

#include <algorithm>

#include "base/json_object.hpp"
#include "base/log.hpp"

namespace syncline {
namespace {

constexpr std::string_view kOkAt = "backup_ok_at";
constexpr std::string_view kFailedAt = "backup_failed_at";
constexpr std::string_view kExpectedSince = "backup_expected_since";
/// The time by which the backup was due that was told to be late; 0 if none is.
constexpr std::string_view kToldOverdue = "backup_told_overdue";

struct Marks {
  Timestamp ok_at, failed_at, expected_since, told_overdue;

  [[nodiscard]] static Result<Marks> read(DirectoryView& view) {
    Marks marks;
    TRY(marks.ok_at.micros, view.find_mark(kOkAt));
    TRY(marks.failed_at.micros, view.find_mark(kFailedAt));
    TRY(marks.expected_since.micros, view.find_mark(kExpectedSince));
    TRY(marks.told_overdue.micros, view.find_mark(kToldOverdue));
    return marks;
  }
};

void time_or_null(JsonWriter& writer, std::string_view name, Timestamp time) {
  writer.name(name);
  time.micros == 0 ? writer.null() : writer.string(format_time(time));
}

}  // namespace

EventTypes operator_events() { return {kBackupFailed, kBackupOverdue, kBackupOk}; }

std::optional<Timestamp> BackupWatch::Status::due_at(const Terms& terms) const {
  const Timestamp from = std::max(ok_at, expected_since);
  if (terms.every_s == 0 || from.micros == 0) return std::nullopt;
  return from.plus_micros((terms.every_s + terms.tolerance_s) * kMicrosPerSecond);
}

Result<> BackupWatch::load() {
  Marks marks;
  CHECK_OK(directory_.read([&](DirectoryView& view) -> Result<> {
    TRY(marks, Marks::read(view));
    return {};
  }));
  Status status;
  status.ok_at = marks.ok_at;
  status.failed_at = marks.failed_at;
  status.expected_since = marks.expected_since;
  set(status);
  return {};
}

BackupWatch::Status BackupWatch::status() const {
  const MutexLock lock(mutex_);
  return status_;
}

void BackupWatch::set(const Status& status) {
  const MutexLock lock(mutex_);
  status_ = status;
}

bool BackupWatch::is_overdue() const {
  const auto due = status().due_at(terms_);
  return due && clock_.now() > *due;
}

std::string BackupWatch::warning() const { return warning(status(), terms_, clock_.now()); }

std::string BackupWatch::warning(const Status& status, const Terms& terms, Timestamp now) {
  const std::string last = status.ok_at.micros == 0
                               ? "no backup has succeeded yet"
                               : "the last backup that succeeded is of " + format_time(status.ok_at);
  if (status.failed_at.micros > 0) return "the backup of " + format_time(status.failed_at) + " failed; " + last;
  const auto due = status.due_at(terms);
  if (due && now > *due) return "a backup is overdue since " + format_time(*due) + "; " + last;
  return "";
}

void BackupWatch::note_success(const std::string& path) { note({clock_.now(), path, std::nullopt}); }

void BackupWatch::note_failure(const std::string& path, const Error& error) {
  log(LogLevel::warning, "backup_failed", {{"path", path}, {"error", error.text}});
  note({clock_.now(), path, error.text});
}

void BackupWatch::note(Outcome outcome) {
  const MutexLock writing(writing_);
  Status status = this->status();
  if (outcome.error) {
    status.failures += 1;
    status.failed_at = outcome.at;
  } else {
    status.ok_at = outcome.at;
    status.failed_at = {};
  }
  set(status);
  const auto stored = store(outcome);
  if (stored) {
    unstored_.reset();
    return;
  }
  log(LogLevel::warning, "backup_not_noted", {{"error", stored.error().text}});
  unstored_ = std::move(outcome);
}

Result<> BackupWatch::store(const Outcome& outcome) {
  bool announces = false;
  CHECK_OK(directory_.write([&](DirectoryTxn& txn) -> Result<> {
    TRY(const Marks marks, Marks::read(txn));
    std::string data;
    JsonWriter writer(data);
    writer.begin_object().string("path", outcome.path).string("at", format_time(outcome.at));
    announces = outcome.error || marks.failed_at.micros > 0 || marks.told_overdue.micros > 0;
    if (outcome.error) {
      CHECK_OK(txn.put_mark(kFailedAt, outcome.at.micros));
      writer.string("error", *outcome.error);
      time_or_null(writer, "last_ok_at", marks.ok_at);
    } else {
      CHECK_OK(txn.put_mark(kOkAt, outcome.at.micros));
      CHECK_OK(txn.put_mark(kFailedAt, 0));
      CHECK_OK(txn.put_mark(kToldOverdue, 0));
    }
    writer.end_object();
    return announces ? announcer_.queue(txn, outcome.error ? kBackupFailed : kBackupOk, data) : Result<>{};
  }));
  if (announces && !outcome.error) log(LogLevel::info, "backup_ok_again", {{"path", outcome.path}});
  if (announces) announcer_.committed();
  return {};
}

void BackupWatch::check() {
  const MutexLock writing(writing_);
  if (unstored_ && store(*unstored_)) unstored_.reset();
  if (!clock_.is_trusted()) return;
  if (const auto checked = check_due(); !checked) {
    log(LogLevel::warning, "backups_not_checked", {{"error", checked.error().text}});
  }
}

Result<> BackupWatch::check_due() {
  const Timestamp now = clock_.now();
  Status status = this->status();
  const bool is_expected = terms_.every_s > 0;
  if (is_expected != (status.expected_since.micros > 0)) {
    status.expected_since = is_expected ? now : Timestamp{};
    CHECK_OK(directory_.write([&](DirectoryTxn& txn) -> Result<> {
      CHECK_OK(txn.put_mark(kToldOverdue, 0));
      return txn.put_mark(kExpectedSince, status.expected_since.micros);
    }));
    set(status);
  }
  const auto due = status.due_at(terms_);
  if (!due || now <= *due) return {};
  bool announces = false;
  CHECK_OK(directory_.read([&](DirectoryView& view) -> Result<> {
    TRY(const Marks marks, Marks::read(view));
    announces = marks.told_overdue.micros == 0;
    return {};
  }));
  if (!announces) return {};
  CHECK_OK(directory_.write([&](DirectoryTxn& txn) -> Result<> {
    CHECK_OK(txn.put_mark(kToldOverdue, due->micros));
    std::string data;
    JsonWriter writer(data);
    writer.begin_object().string("due_at", format_time(*due));
    time_or_null(writer, "last_ok_at", status.ok_at);
    writer.end_object();
    return announcer_.queue(txn, kBackupOverdue, data);
  }));
  log(LogLevel::warning, "backup_overdue", {{"due", format_time(*due)}});
  announcer_.committed();
  return {};
}

}  // namespace syncline
