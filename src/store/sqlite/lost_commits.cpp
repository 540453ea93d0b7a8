#include "store/sqlite/lost_commits.hpp"

#include <array>
#include <utility>

#include "base/log.hpp"

namespace syncline::sqlite {
namespace {

std::string find_loss(const LogScan& log, const CommitMark& mark, const std::string& epoch, std::int64_t last_commit) {
  const auto& marked = mark.found();
  const std::int64_t behind = marked && marked->epoch == epoch ? marked->commit - last_commit : 0;
  if (behind > 0) {
    return "the last " + std::to_string(behind) + (behind == 1 ? " commit is" : " commits are") +
           " missing: the write-ahead log was lost or damaged, or an older copy replaced the database";
  }
  if (log.is_damaged()) {
    return "the write-ahead log was damaged after " + std::to_string(log.good_frames) + " pages, and " +
           std::to_string(log.commits_past_damage) + " commits after that are missing";
  }
  return "";
}

Result<> begin_new_history(Connection& connection, const LostCommits& lost, std::string_view new_epoch) {
  TRY(Transaction transaction, Transaction::begin(connection));
  TRY(Statement put, connection.prepare("INSERT OR REPLACE INTO meta VALUES (?, ?)"));
  const std::string found_at = std::to_string(lost.found_at.micros);
  const std::array<std::pair<std::string_view, std::string_view>, 3> values = {
      {{"epoch", new_epoch}, {"lost_commits", lost.reason}, {"lost_commits_at", found_at}}};
  for (const auto& [name, value] : values) {
    const StatementScope scope(put);
    put.bind_text(1, name);
    put.bind_text(2, value);
    CHECK_OK(put.run());
  }
  CHECK_OK(connection.execute("DELETE FROM meta WHERE name LIKE 'epoch/%'"));  // of single spaces
  return transaction.commit();
}

}  // namespace

Result<LostCommits> check_lost_commits(Connection& connection, const LogScan& log, CommitMark& mark,
                                       std::string_view new_epoch, Timestamp now) {
  TRY(std::string epoch, connection.query_text("SELECT value FROM meta WHERE name = 'epoch'"));
  TRY(const std::int64_t last_commit, read_last_commit(connection));
  LostCommits lost{find_loss(log, mark, epoch, last_commit), now};
  lost.is_new = !lost.reason.empty();
  if (lost.is_new) {
    CHECK_OK(begin_new_history(connection, lost, new_epoch));
    syncline::log(LogLevel::error, "store_lost_commits",
                  {{"reason", lost.reason},
                   {"last_commit", last_commit},
                   {"epoch_before", epoch},
                   {"epoch", new_epoch},
                   {"what_now", "devices send their data again; changes that a device still has are not lost"}});
    epoch = new_epoch;
  } else {
    TRY(lost.reason, connection.query_text("SELECT value FROM meta WHERE name = 'lost_commits'"));
    TRY(lost.found_at.micros, connection.query_integer("SELECT value FROM meta WHERE name = 'lost_commits_at'"));
  }
  CHECK_OK(mark.begin({epoch, last_commit}));
  return lost;
}

}  // namespace syncline::sqlite
