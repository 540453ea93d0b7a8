// The native API as a client speaks it: requests and answers as values. docs/api/native.md has the wire.
#pragma once

#include <deque>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/cursor.hpp"
#include "core/record.hpp"
#include "http/client.hpp"

namespace syncline::replica {

/// A version as the hub delivers it. Views into the answer.
struct HubVersion {
  std::string_view collection;
  std::string_view id;
  Seq seq;
  Timestamp updated_at;
  bool deleted = false;
  std::string_view doc;
};

/// One answer of `changes`. Owns what its versions point into.
struct Page {
  Page() = default;
  Page(Page&&) noexcept = default;
  Page& operator=(Page&&) noexcept = default;

  Cursor since;
  Cursor cursor;
  bool more = false;
  std::vector<HubVersion> versions;
  /// Records that the hub cannot read any more: in the page, or behind the cursor.
  std::vector<DamagedRecord> damaged;

  std::unique_ptr<std::string> body;
  std::deque<std::string> texts;
};

struct Verdict {
  enum class Status { applied, noop, stale, merged, refused };
  Status status = Status::refused;
  Seq seq;
  /// What the hub made of the op's stamp, if that is not what was sent.
  std::optional<Timestamp> updated_at;
  std::optional<HubVersion> version;
  std::string code;
  std::string detail;
};

/// The answer to a push. Owns what its verdicts point into.
struct PushAnswer {
  Cursor cursor;
  std::vector<Verdict> verdicts;
  /// The hub has something new for this device, whatever the cursor says.
  bool needs_pull = false;

  std::unique_ptr<std::string> body;
  std::deque<std::string> texts;
};

/// One op of a push, appended to an array that is being written. `base` 0: made without having seen any version.
void append_op(std::string& out, const Record& record, Seq base);

/// `known`: what the hub must have for its history to be the same, or "from the beginning".
[[nodiscard]] http::ClientRequest make_pull(std::string_view space, const Cursor& since, const Cursor& known,
                                            std::int64_t limit);
/// `ops` are the members of the array, with commas; `history` is the one that their bases belong to, or empty.
[[nodiscard]] http::ClientRequest make_push(std::string_view space, std::string_view history, const Cursor& known,
                                            std::string_view ops);

/// Fail with `unavailable` if the text is not such an answer, or has more than `limit` records or `ops` results.
[[nodiscard]] Result<Page> parse_page(std::string body, const Cursor& since, std::int64_t limit);
[[nodiscard]] Result<PushAnswer> parse_push_answer(std::string body, std::size_t ops);

}  // namespace syncline::replica
