#include "runner/audit_log.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <vector>

#include "base/hash_chain.hpp"
#include "base/text.hpp"

namespace syncline::runner {
namespace {

constexpr std::size_t kSubjectBytesMax = 4096;

std::string head_path(const std::string& path) { return path + ".head"; }

std::unexpected<Error> broken(const std::string& what) {
  const ErrorCode code = errno == ENOSPC ? ErrorCode::storage_full : ErrorCode::storage_broken;
  return fail(code, "the audit log: " + what + ": " + std::strerror(errno));
}

using Head = ChainHead;

/// "12 <hash>\n"; the beginning if there is none.
Head read_head(const std::string& path) {
  std::ifstream file(head_path(path));
  Head read;
  if (file >> read.count >> read.hash) return read;
  return {0, first_chain_hash()};
}

/// How far the log had come, by all that knows of it: each must be found in the log again.
class KnownHeads {
 public:
  KnownHeads(const std::string& path, const std::optional<Head>& known) : heads_{read_head(path)} {
    if (known) heads_.push_back(*known);
  }

  void see(std::int64_t number, std::string_view hash) {
    std::erase_if(heads_, [&](const Head& head) { return head.count == number && head.hash == hash; });
  }
  /// The longest that has not been found; nothing if all were.
  [[nodiscard]] std::optional<Head> missing() const {
    const auto longest = std::ranges::max_element(heads_, {}, &Head::count);
    return longest == heads_.end() || longest->count == 0 ? std::nullopt : std::optional(*longest);
  }

 private:
  std::vector<Head> heads_;
};

struct Line {
  std::int64_t number = 0;
  std::string text;
  std::string hash;
  std::string previous;  // hash of the line before
};

template <typename Visit>
void for_each_line(std::istream& file, Visit&& visit) {
  Line line{.hash = first_chain_hash()};
  while (std::getline(file, line.text)) {
    line.number += 1;
    line.previous = std::exchange(line.hash, chain_hash(line.text));
    visit(line);
  }
}

/// Why a record is not what follows the line before; empty if it is.
std::string fault_of(const JsonObject& record, const Line& line) {
  if (record.text_of("event") == "gap") return "records that lines before it were missing";
  return chain_fault(record, line.number, line.previous);
}

}  // namespace

Result<std::unique_ptr<AuditLog>> AuditLog::open(const std::string& path, IntentLog& intents, const Clock& clock) {
  FileDescriptor file(::open(path.c_str(), O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0600));
  FileDescriptor head(::open(head_path(path).c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600));
  if (!file.is_open() || !head.is_open()) return broken("cannot open " + path);
  std::int64_t count = 0;
  std::string last_hash = first_chain_hash();
  TRY(const auto known, intents.audit_head());
  KnownHeads heads(path, known);
  std::ifstream lines(path);
  for_each_line(lines, [&](const Line& line) {
    count = line.number;
    last_hash = line.hash;
    heads.see(line.number, line.hash);
  });
  const off_t size = ::lseek(file.get(), 0, SEEK_END);
  char last = '\n';
  if (size > 0 && ::pread(file.get(), &last, 1, size - 1) != 1) return broken("cannot read");
  const bool was_cut_short = last != '\n';
  if (was_cut_short && ::write(file.get(), "\n", 1) != 1) return broken("cannot write");
  std::unique_ptr<AuditLog> log(
      new AuditLog(std::move(file), std::move(head), intents, clock, count, std::move(last_hash)));
  if (was_cut_short) {
    CHECK_OK(log->append({.what = "recovered", .outcome = "a crash truncated the line before"}));
  }
  // Said in the log itself, so that going on does not cover it up.
  if (const auto missing = heads.missing()) {
    const std::string lines_before = std::to_string(missing->count) + " lines had been written";
    CHECK_OK(log->append({.what = "gap", .outcome = lines_before}));
  }
  return log;
}

AuditLog::~AuditLog() {
  if (::fdatasync(file_.get()) == 0) (void)write_head();
}

Result<> AuditLog::write_head() {
  const std::string head = std::to_string(count_) + ' ' + last_hash_ + '\n';
  const bool written = ::pwrite(head_.get(), head.data(), head.size(), 0) == static_cast<ssize_t>(head.size());
  if (!written) return broken("cannot write the head");
  return intents_.set_audit_head({count_, last_hash_});
}

Result<> AuditLog::append(const Event& event, Sync sync) {
  const MutexLock lock(mutex_);
  std::string line;
  JsonWriter writer(line);
  writer.begin_object()
      .integer("n", count_ + 1)
      .string("previous", last_hash_)
      .string("at", format_time(clock_.now()))
      .string("event", event.what);
  if (event.order != nullptr) {
    writer.string("command", event.order->id)
        .string("type", to_text(event.order->type))
        .string("by", event.order->submitter())
        .string("subject", cut_utf8(event.order->subject(), kSubjectBytesMax));
  } else if (!event.id.empty()) {
    writer.string("command", to_valid_utf8(event.id));
  }
  if (!event.rule.empty()) writer.string("rule", to_valid_utf8(event.rule));
  if (!event.outcome.empty()) writer.string("outcome", to_valid_utf8(event.outcome));
  if (event.exit_code) writer.integer("exitCode", *event.exit_code);
  writer.end_object();
  return write_line(line, sync);
}

Result<> AuditLog::write_line(const std::string& line, Sync sync) {
  const std::string text = line + '\n';
  if (::write(file_.get(), text.data(), text.size()) != static_cast<ssize_t>(text.size()))
    return broken("cannot write");
  count_ += 1;
  last_hash_ = chain_hash(line);
  if (sync == Sync::with_the_next) return {};
  if (::fdatasync(file_.get()) != 0) return broken("cannot sync");
  return write_head();  // after the lines: never ahead of what is on disk
}

Result<AuditVerdict> verify_audit_log(const std::string& path, const std::optional<ChainHead>& known) {
  KnownHeads heads(path, known);
  std::ifstream lines(path);
  if (!lines && !heads.missing()) return fail(ErrorCode::not_found, "no audit log at " + path);
  AuditVerdict verdict;
  verdict.last_hash = first_chain_hash();
  std::string cut_short;  // a fault that the next line may explain
  for_each_line(lines, [&](const Line& line) {
    verdict.lines = line.number;
    verdict.last_hash = line.hash;
    heads.see(line.number, line.hash);
    if (!verdict.fault.empty()) return;
    const std::string where = "line " + std::to_string(line.number) + ' ';
    const auto record = parse_json_object(line.text, 4);
    const bool recovered = record && record->text_of("event") == "recovered";
    const std::string before = std::exchange(cut_short, "");
    if (!recovered) verdict.fault = before;
    if (!verdict.fault.empty()) return;
    if (!record) {
      cut_short = where + "is not a record";
    } else if (const std::string fault = fault_of(*record, line); !fault.empty()) {
      verdict.fault = where + fault;
    }
  });
  if (verdict.fault.empty()) verdict.fault = cut_short;
  const auto missing = heads.missing();
  if (verdict.fault.empty() && missing) {
    const std::string count = std::to_string(missing->count);
    verdict.fault = verdict.lines < missing->count ? "lines at the end are missing: " + count + " were written, " +
                                                         std::to_string(verdict.lines) + " remain"
                                                   : "line " + count + " was changed";
  }
  return verdict;
}

}  // namespace syncline::runner
