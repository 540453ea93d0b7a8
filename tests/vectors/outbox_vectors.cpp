// Walks of a device and a hub.
#include "vectors/outbox_walk.hpp"

namespace syncline::vectors {
namespace {

constexpr std::uint64_t kOutboxWalks = 24;

}  // namespace

VectorFile make_outbox_vectors() {
  VectorFile file("outbox.ndjson");
  for (std::uint64_t seed = 1; seed <= kOutboxWalks; ++seed) OutboxWalk(seed, file).run();
  for (const char* state : {"in_sync", "syncing", "waiting", "reauth"})
    file.require(std::string("state: ") + state, 10);
  for (const char* verdict : {"applied", "applied with another stamp", "noop", "stale with the version", "stale",
                              "merged with the version", "refused invalid_document", "refused quota_exceeded"}) {
    file.require(std::string("verdict: ") + verdict, 2);
  }
  for (const char* step : {"pull: ", "push: "}) {
    for (const char* outcome : {"no answer", "timed out", "401 invalid_token", "403 insufficient_scope",
                                "404 not_found", "409 conflict", "429 rate_limited", "500 internal", "503 unavailable",
                                "410 epoch_changed", "410 cursor_ahead", "410 cursor_expired", "200 without JSON",
                                "401 without JSON", "400 without JSON", "413 without JSON", "503 without JSON"}) {
      file.require(std::string(step) + outcome);
    }
  }
  file.require("pull: 400 invalid_argument");
  file.require("push: 413 too_large");
  file.require("push: 422 invalid_argument");
  for (const char* happening :
       {"a damaged record", "a dead letter", "a hub with another history", "a page with more behind it", "a start",
        "a step that took too long", "an edit while a push is on its way", "an edit that deletes"}) {
    file.require(happening, 2);
  }
  return file;
}

}  // namespace syncline::vectors
