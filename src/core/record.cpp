#include "core/record.hpp"

#include <algorithm>
#include <array>

#include "base/bytes.hpp"
#include "base/limits.hpp"
#include "base/text.hpp"

namespace syncline {
namespace {

constexpr std::array<std::string_view, 13> kRuleNames = {
    "first",       "base",        "later_stamp", "direct",  "live_wins", "greater_hash", "stored_stays",
    "clock_guard", "field_union", "restored",    "command", "one_timer", "wiped"};

Result<> check_name(std::string_view what, std::string_view name, std::string_view extra) {
  if (name.empty() || name.size() > limits::kNameBytesMax) {
    return fail(ErrorCode::invalid_argument, std::string(what) + " must have 1 to 128 bytes");
  }
  const bool plain = std::ranges::all_of(name, [&](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           extra.find(c) != std::string_view::npos;
  });
  if (plain) return {};
  return fail(ErrorCode::invalid_argument,
              std::string(what) + " may contain letters, digits and " + std::string(extra) + " only");
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

Result<> check_collection_name(std::string_view name) { return check_name("a collection name", name, "._-"); }

Result<> check_space_name(std::string_view name) { return check_name("a space name", name, "._-/"); }

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
