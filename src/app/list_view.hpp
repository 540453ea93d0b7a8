// Which members of a list people see as a table, in which order, and what an empty list says. `--json` has all members.
#pragma once

#include <string_view>
#include <vector>

namespace syncline::app {

struct ListView {
  /// As in TableLayout; empty: all.
  std::vector<std::string_view> members;
  /// Instead of "no <name of the list>".
  std::string_view empty;
};

/// The view of the command with these words, like "account list"; an empty one for a command that has none.
[[nodiscard]] const ListView& find_list_view(std::string_view command);

}  // namespace syncline::app
