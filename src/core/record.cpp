#include "core/record.hpp"

#include <algorithm>
#include <array>

#include "base/bytes.hpp"
#include "base/limits.hpp"
#include "base/text.hpp"

namespace syncline {
namespace {

constexpr std::array<std::string_view, 14> kRuleNames = {
    "first",       "base",        "later_stamp", "direct",  "live_wins", "greater_hash", "stored_stays",
    "clock_guard", "field_union", "restored",    "command", "one_timer", "wiped",        "smaller_hash"};

struct NameForm {
  std::string_view what;
  std::string_view extra;
  std::size_t bytes_max;
  bool any_script;
};
constexpr NameForm kCollectionForm{"a collection name", "._-", limits::kNameBytesMax, false};
constexpr NameForm kSpaceForm{"a space name", "._-/", limits::kSpaceNameBytesMax, true};

/// Control characters of U+0080 to U+009F and white space beyond ASCII: two names would look the same.
bool has_unseen_character(std::string_view name) {
  for (std::size_t at = 0; at + 1 < name.size(); ++at) {
    const auto first = static_cast<unsigned char>(name[at]);
    const auto second = static_cast<unsigned char>(name[at + 1]);
    const auto third = static_cast<unsigned char>(at + 2 < name.size() ? name[at + 2] : 0);
    if (first == 0xC2 && second <= 0xA0) return true;                                      // up to U+00A0
    if (first == 0xE2 && second == 0x80 && (third <= 0x8F || third >= 0xA8)) return true;  // U+2000 to U+200F
    if (first == 0xE2 && second == 0x81 && third >= 0x9F && third <= 0xAF) return true;    // U+205F to U+206F
    if (first == 0xE3 && second == 0x80 && third == 0x80) return true;                     // U+3000
    if (first == 0xEF && second == 0xBB && third == 0xBF) return true;                     // U+FEFF
  }
  return false;
}

Result<> check_name(std::string_view name, const NameForm& form) {
  if (name.empty() || name.size() > form.bytes_max) {
    return fail(ErrorCode::invalid_argument,
                std::string(form.what) + " must have 1 to " + std::to_string(form.bytes_max) + " bytes");
  }
  const bool plain = std::ranges::all_of(name, [&](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           form.extra.find(c) != std::string_view::npos || (form.any_script && static_cast<unsigned char>(c) >= 0x80);
  });
  if (plain && is_utf8(name) && !has_unseen_character(name)) return {};
  return fail(ErrorCode::invalid_argument,
              std::string(form.what) + " may contain only letters, digits and " + std::string(form.extra));
}

}  // namespace

std::string_view to_text(Rule rule) { return kRuleNames.at(static_cast<std::size_t>(rule)); }

std::string_view to_text(ConflictState state) {
  switch (state) {
    case ConflictState::open: return "open";
    case ConflictState::restored: return "restored";
    case ConflictState::dismissed: return "dismissed";
  }
  return "open";
}

Result<> check_collection_name(std::string_view name) { return check_name(name, kCollectionForm); }

Result<> check_space_name(std::string_view name) { return check_name(name, kSpaceForm); }

Result<> check_record_id(std::string_view id) {
  if (id.empty() || id.size() > limits::kRecordIdBytesMax) {
    return fail(ErrorCode::invalid_argument, "an id must have 1 to 512 bytes");
  }
  if (id.find('\0') != std::string_view::npos) return fail(ErrorCode::invalid_argument, "an id must not contain NUL");
  if (!is_utf8(id)) return fail(ErrorCode::invalid_argument, "an id must be UTF-8");
  return {};
}

std::string version_fingerprint(std::string_view collection, std::string_view id, Timestamp updated_at, bool deleted,
                                std::string_view doc) {
  std::string text;
  text.reserve(collection.size() + id.size() + doc.size() + 32);
  text.append(collection) += '\0';
  text.append(id) += '\0';
  text.append(std::to_string(updated_at.micros)) += deleted ? '-' : '+';
  text.append(doc);
  return std::string(as_text(sha256(text)).substr(0, 16));
}

}  // namespace syncline
