// The answer to a pull: streamed, so that a memory of any size needs the room of one chunk and begins at once.
#pragma once

#include <optional>
#include <set>

#include "api/call.hpp"
#include "api/kernle/pull_plan.hpp"
#include "service/spaces.hpp"

namespace syncline::kernle {

/// What the answer to a full sync says beside the pull.
struct FullSync {
  std::string push_members;  // a JSON object, of which the members are added
  std::int64_t pushed = 0;
  std::set<std::string, std::less<>> pushed_tables;
  std::int64_t conflicts_resolved = 0;
};

/// Answers the call with what `plan` delivers from the space that the call has reached.
void answer_pull(Spaces& spaces, const api::CallPtr& call, const PullPlan& plan,
                 std::optional<FullSync> full = std::nullopt);

}  // namespace syncline::kernle
