// How a Kiro state lies in its space: which collections, which ids, which documents.
//
//   conversations/<conversation id>  {"n": order of first appearance}
//   messages/<12 hash chars>-<n>     {"conversation": id, "n": order of arrival, "message": {...as it came...}}
//   documents/<document id>          the document as it came
//   commands/<command id>            the command as it is answered
//   approvals/<16 hash chars>        {"type", "pattern", "by", "at"}: approved for good
//
// Each message is a record of its own, so two sides that append never conflict.
#pragma once

#include <string>
#include <string_view>

#include "api/kiro/limits.hpp"
#include "service/events.hpp"
#include "service/spaces.hpp"

namespace syncline::kiro {

inline constexpr std::string_view kSpace = "kiro";
inline constexpr std::string_view kConversations = "conversations";
inline constexpr std::string_view kMessages = "messages";
inline constexpr std::string_view kDocuments = "documents";
inline constexpr std::string_view kCommands = "commands";
inline constexpr std::string_view kApprovals = "approvals";

/// What webhooks can subscribe to: a command ended, well or not.
inline constexpr EventType kCommandCompleted{"command.completed"};

/// Messages of one conversation have ids that begin with this, and so many bytes.
inline constexpr std::size_t kMessageIdPrefixBytes = 13;
[[nodiscard]] std::string message_id_prefix(std::string_view conversation);
/// The id of the message that arrived as number `n`.
[[nodiscard]] std::string message_id_at(std::string_view prefix, std::int64_t n);
[[nodiscard]] std::string make_message_doc(std::string_view conversation, std::int64_t n, std::string_view message);

/// One message as it is stored.
struct StoredMessage {
  std::string conversation;
  std::int64_t n = 0;
  std::string message;  // JSON object
};
/// Nothing for a document that is not a message's.
[[nodiscard]] std::optional<StoredMessage> parse_message_doc(std::string_view doc);

/// The timestamp of a message or document: milliseconds as they came, 0 if there are none, and the same as a stamp.
[[nodiscard]] double timestamp_of(JsonView object);
[[nodiscard]] inline Timestamp stamp_of(JsonView object) {
  return {static_cast<std::int64_t>(timestamp_of(object) * 1000)};
}

/// What makes the space's stamps whole, rising milliseconds and refuses records that the state could not show.
[[nodiscard]] SpaceRules make_space_rules();

}  // namespace syncline::kiro
