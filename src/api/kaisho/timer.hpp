// Clock entries as a whole: how many there are, and the one that runs. At most one entry of an account is running,
// whatever route it came by: the later start wins and the other is stopped at the winner's start.
#pragma once

#include "base/json.hpp"
#include "service/space_writer.hpp"

namespace syncline::kaisho {

/// Kept beside the feed, so that its cost does not grow with the number of entries.
struct EntrySummary {
  std::int64_t live = 0;
  Timestamp changed_at;  // of the newest change of an entry; 0 if there is none, or none since a wipe
  std::string running;   // id, or empty
};
/// Name of the value that holds it.
inline constexpr std::string_view kSummaryValue = "entries";
[[nodiscard]] Result<EntrySummary> read_summary(Snapshot& snapshot);

/// The running entry, if there is one.
[[nodiscard]] Result<std::optional<Record>> find_running(Snapshot& snapshot);

/// After each new version of an entry: counts, stops whichever timer may not run, and announces starts and stops.
[[nodiscard]] Result<> keep_one_timer(SpaceWriter& writer, const Record* before, const Record& after);

struct StartedTimer {
  bool won = false;  // the entry of the request is the running one, and was not before
  Record entry;      // the one that stands: the new one, the running one, or the finished one of that id
};
/// Starts the entry `id` with the fields of `row`, which has a start. An entry that is there already is never reopened;
/// one that runs takes over the fields.
[[nodiscard]] Result<StartedTimer> start_timer(SpaceWriter& writer, const std::string& id, JsonView row);

/// Stops the running entry; not_found if none runs or `id` names another one.
[[nodiscard]] Result<Record> stop_timer(SpaceWriter& writer, const std::optional<std::string>& id,
                                        std::optional<Timestamp> end);

}  // namespace syncline::kaisho
