#include "service/space_limit.hpp"

#include <algorithm>
#include <iterator>

#include "base/limits.hpp"
#include "base/text.hpp"
#include "core/record.hpp"

namespace syncline {
namespace {

constexpr std::size_t kNamesShownMax = 10;

}  // namespace

Result<SpaceLimit> SpaceLimit::only(std::vector<std::string> names) {
  std::ranges::sort(names);
  const auto repeated = std::ranges::unique(names);
  names.erase(repeated.begin(), repeated.end());
  if (names.empty()) return fail(ErrorCode::invalid_argument, "spaces must name at least one space");
  if (names.size() > limits::kKeySpacesMax) {
    return fail(ErrorCode::invalid_argument,
                "a key may be limited to at most " + std::to_string(limits::kKeySpacesMax) + " spaces");
  }
  for (const std::string& name : names) {
    TRY([[maybe_unused]] const SpaceName space, parse_space_name({}, name));
  }
  SpaceLimit limit;
  limit.names_ = std::move(names);
  return limit;
}

SpaceLimit SpaceLimit::none() {
  SpaceLimit limit;
  limit.names_.emplace();
  return limit;
}

const std::vector<std::string>& SpaceLimit::names() const {
  static const std::vector<std::string> kNone;
  return names_ ? *names_ : kNone;
}

bool SpaceLimit::allows(std::string_view name) const {
  return !names_ || std::ranges::binary_search(*names_, name, std::less<>{});
}

bool SpaceLimit::allows_all_of(const SpaceLimit& other) const {
  if (!names_) return true;
  return other.names_ && std::ranges::includes(*names_, *other.names_);
}

SpaceLimit SpaceLimit::common_with(const SpaceLimit& other) const {
  if (!names_) return other;
  if (!other.names_) return *this;
  SpaceLimit common;
  std::ranges::set_intersection(*names_, *other.names_, std::back_inserter(common.names_.emplace()));
  return common;
}

std::string SpaceLimit::to_text() const {
  if (!names_) return "all spaces";
  if (names_->empty()) return "no space";
  const std::vector<std::string_view> shown(
      names_->begin(), names_->begin() + static_cast<std::ptrdiff_t>(std::min(names_->size(), kNamesShownMax)));
  std::string text = (names_->size() == 1 ? "the space " : "the spaces ") + join(shown, ", ");
  if (shown.size() < names_->size()) text += " and " + std::to_string(names_->size() - shown.size()) + " more";
  return text;
}

void append_names(JsonWriter& writer, const SpaceLimit& limit) {
  if (!limit.is_limited()) {
    writer.null();
    return;
  }
  writer.begin_array();
  for (const std::string& name : limit.names()) writer.string(name);
  writer.end_array();
}

Result<SpaceName> parse_space_name(AccountNumber account, std::string_view name) {
  if (!name.starts_with('@')) {
    CHECK_OK(check_space_name(name));
    return SpaceName{account, std::string(name)};
  }
  const std::size_t slash = name.find('/');
  const std::string_view digits = name.substr(1, slash == std::string_view::npos ? name.size() : slash - 1);
  const auto number = parse_integer(digits);
  // Only in the one spelling that we give it, for names are compared.
  if (slash == std::string_view::npos || !number || *number <= 0 || std::to_string(*number) != digits) {
    return fail(ErrorCode::invalid_argument,
                "'" + to_valid_utf8(name) + "' is not the name of a shared space, which is like @12/notes");
  }
  const std::string_view own = name.substr(slash + 1);
  CHECK_OK(check_space_name(own));
  return SpaceName{{*number}, std::string(own)};
}

std::string name_for(AccountNumber account, const SpaceName& space) {
  if (space.account == account) return space.name;
  return '@' + std::to_string(space.account.value) + '/' + space.name;
}

std::unexpected<Error> space_not_allowed(const SpaceLimit& limit, std::string_view name) {
  return fail(ErrorCode::space_not_allowed, "this key is only for " + limit.to_text() +
                                                (name.empty() ? std::string("; this route needs a key for all spaces")
                                                              : ", not for '" + to_valid_utf8(name) + "'"));
}

}  // namespace syncline
