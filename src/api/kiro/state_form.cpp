#include "api/kiro/state_form.hpp"

#include <unordered_map>

#include "api/call.hpp"
#include "api/kiro/space.hpp"
#include "base/limits.hpp"
#include "base/text.hpp"
#include "core/record.hpp"

namespace syncline::kiro {
namespace {

constexpr double kMillisMax = static_cast<double>(kClientTimeMax.micros) / 1000;

using Item = UploadedState::Item;

std::unexpected<Error> refuse(std::string why) { return fail(ErrorCode::invalid_argument, std::move(why)); }

/// The members of a map; of several with one id the last counts. Ids that differ in halves of characters only have
/// become one, which the client is told.
Result<std::vector<Item>> members_of(JsonView state, std::string_view part, IgnoredParts& ignored) {
  std::vector<Item> members;
  const auto map = state.find_set(part);
  if (!map) return members;
  if (!map->is_object()) return refuse("field '" + std::string(part) + "' must be an object");
  std::unordered_map<std::string, std::size_t> places;
  map->for_each_member([&](std::string_view id, JsonView value) {
    const auto [place, is_new] = places.try_emplace(std::string(id), members.size());
    if (is_new) {
      members.push_back({std::string(id), value});
    } else {
      members[place->second].value = value;
      if (id.contains(kReplacementCharacter)) {
        ignored.add({part, std::string(cut_utf8(id, limits::kRecordIdBytesMax)),
                     "another one's id differs in broken characters only; the last of them was read"});
      }
    }
  });
  return members;
}

Result<> check_timestamp(JsonView object) {
  const auto timestamp = object.find("timestamp");
  if (!timestamp) return refuse("timestamp is missing");
  const auto millis = timestamp->as_number();
  if (!millis || *millis < 0) return refuse("timestamp must be a time in Unix milliseconds");
  if (*millis > kMillisMax) return refuse("timestamp must be before the year 2201");
  return {};
}

/// Judges each part of an upload alone.
class StateReader {
 public:
  explicit StateReader(bool is_doubtful) : is_doubtful_(is_doubtful) {}

  Result<UploadedState> read(JsonView state) {
    TRY(const auto conversations, members_of(state, kConversations, read_.ignored));
    TRY(auto documents, members_of(state, kDocuments, read_.ignored));
    TRY(auto commands, members_of(state, kCommands, read_.ignored));
    if (const auto last_update = state.find_set("lastUpdate")) {
      if (last_update->kind() != JsonKind::number) return refuse("field 'lastUpdate' must be a number");
      read_.last_update_ms = last_update->as_number().value_or(0);
    }
    for (const Item& conversation : conversations) read_conversation(conversation);
    take(documents, kDocuments, read_.documents, [this](JsonView document) { return check_document(document); });
    take(commands, kCommands, read_.commands, [this](JsonView command) -> Result<> {
      if (!command.is_object()) return refuse("must be an object");
      return api::check_part(command, limits::kDocumentDepthMax, is_doubtful_);
    });
    return std::move(read_);
  }

 private:
  template <typename Check>
  void take(std::vector<Item>& uploaded, std::string_view part, std::vector<Item>& into, const Check& check) {
    for (Item& item : uploaded) {
      if (!has_good_id(part, item.id)) continue;
      if (const auto good = check(item.value); !good) {
        read_.ignored.add({part, std::move(item.id), good.error().text});
      } else {
        into.push_back(std::move(item));
      }
    }
  }

  void read_conversation(const Item& uploaded) {
    if (!has_good_id(kConversations, uploaded.id)) return;
    if (!uploaded.value.is_array()) {
      return read_.ignored.add({kConversations, uploaded.id, "must be an array of messages"});
    }
    UploadedState::Conversation& conversation = read_.conversations.emplace_back();
    conversation.id = uploaded.id;
    std::size_t index = 0;
    uploaded.value.for_each_element([&](JsonView message) {
      if (const auto good = check_message(message); !good) {
        read_.ignored.add({kConversations, uploaded.id, good.error().text, index});
      } else {
        conversation.messages.push_back(message);
      }
      ++index;
    });
  }

  bool has_good_id(std::string_view part, const std::string& id) {
    const auto good = check_record_id(id);
    if (good) return true;
    read_.ignored.add(
        {part, std::string(cut_utf8(id, limits::kRecordIdBytesMax)), "has a bad id: " + good.error().text});
    return false;
  }

  [[nodiscard]] Result<> check_message(JsonView message) const {
    if (!message.is_object()) return refuse("must be an object");
    // It is stored one level deeper.
    CHECK_OK(api::check_part(message, limits::kDocumentDepthMax - 1, is_doubtful_));
    const auto role = message.find("role");
    if (!role) return refuse("role is missing");
    if (!role->is_string()) return refuse("role must be a string");
    if (!message.find("content")) return refuse("content is missing");
    return check_timestamp(message);
  }

  [[nodiscard]] Result<> check_document(JsonView document) const {
    if (!document.is_object()) return refuse("must be an object");
    CHECK_OK(api::check_part(document, limits::kDocumentDepthMax, is_doubtful_));
    if (!document.find("content")) return refuse("content is missing");
    return check_timestamp(document);
  }

  const bool is_doubtful_;
  UploadedState read_;
};

}  // namespace

void IgnoredParts::add(Ignored part) {
  count_ += 1;
  if (listed_.size() < limits::kIgnoredListedMax) listed_.push_back(std::move(part));
}

void IgnoredParts::add(const IgnoredParts& more) {
  for (const Ignored& part : more.listed_) add(part);
  count_ += more.count_ - more.listed_.size();
}

Result<UploadedState> read_state(JsonView state, bool is_doubtful) { return StateReader(is_doubtful).read(state); }

}  // namespace syncline::kiro
