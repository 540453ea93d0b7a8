#include "api/kiro/space.hpp"

#include <algorithm>

#include "base/bytes.hpp"

namespace syncline::kiro {
namespace {

Result<> check_message(const Op& op) {
  const auto refuse = [] {
    return fail(ErrorCode::invalid_document,
                "a message must be {\"conversation\", \"n\", \"message\"} under its own id");
  };
  const auto message = parse_message_doc(op.doc);
  if (!message || op.id != message_id_at(message_id_prefix(message->conversation), message->n)) return refuse();
  const JsonView json(message->message);
  const auto timestamp = json.find("timestamp");
  if (!timestamp || !timestamp->as_number()) return refuse();
  return {};
}

Result<> check_conversation(const Op& op) {
  const auto n = JsonView(op.doc).find("n");
  if (!n || !n->as_integer()) return fail(ErrorCode::invalid_document, "a conversation must be {\"n\": integer}");
  return {};
}

}  // namespace

std::string message_id_prefix(std::string_view conversation) {
  return to_base64url(as_text(sha256(conversation)).substr(0, 9)) + '-';
}

std::string message_id_at(std::string_view prefix, std::int64_t n) {
  std::string digits = std::to_string(n);
  digits.insert(0, 16 - std::min<std::size_t>(16, digits.size()), '0');  // ids sort by arrival
  return std::string(prefix) + digits;
}

std::string make_message_doc(std::string_view conversation, std::int64_t n, std::string_view message) {
  std::string doc;
  JsonWriter(doc)
      .begin_object()
      .string("conversation", conversation)
      .integer("n", n)
      .raw("message", message)
      .end_object();
  return doc;
}

std::optional<StoredMessage> parse_message_doc(std::string_view doc) {
  const JsonView json(doc);
  if (!json.is_object()) return std::nullopt;
  std::optional<std::string> conversation;
  std::optional<std::int64_t> n;
  JsonView message;
  json.for_each_member([&](std::string_view name, JsonView value) {
    if (name == "conversation") conversation = value.as_string();
    if (name == "n") n = value.as_integer();
    if (name == "message") message = value;
  });
  if (!conversation || !n || !message.is_object() || !check_record_id(*conversation)) return std::nullopt;
  return StoredMessage{*std::move(conversation), *n, std::string(message.raw())};
}

double timestamp_of(JsonView object) {
  const auto timestamp = object.find("timestamp");
  return timestamp ? timestamp->as_number().value_or(0) : 0;
}

SpaceRules make_space_rules() {
  SpaceRules rules;
  rules.options.stamp_step_micros = 1000;  // lastUpdate counts milliseconds and must rise with every change
  rules.collections[std::string(kMessages)].check = check_message;
  rules.collections[std::string(kConversations)].check = check_conversation;
  rules.collections[std::string(kCommands)].face_only = true;
  rules.collections[std::string(kApprovals)].face_only = true;
  // The published API bounds the body, not what is in it.
  for (const std::string_view name : {kMessages, kDocuments}) {
    rules.collections[std::string(name)].document_bytes_max = limits::kBodyBytesLarge;
  }
  return rules;
}

}  // namespace syncline::kiro
