// Which spaces a key reaches: the one place where a name becomes a space for somebody.
#include "service/access.hpp"
#include "service/access_records.hpp"

namespace syncline {

using namespace access;

Result<SpaceName> Access::reach(const Principal& principal, std::string_view name, Use use) {
  TRY(SpaceName space, parse_space_name(principal.account, name));
  CHECK_OK(check_limit(principal.spaces, principal.account, space));
  if (space.account == principal.account) return space;
  CHECK_OK(directory_.read([&](DirectoryView& view) { return check_shared(view, principal.account, space, use); }));
  return space;
}

Result<> Access::check_still(const Principal& principal, const Hold& hold) {
  if (is_ended(principal)) return invalid_token();
  return directory_.read([&](DirectoryView& view) -> Result<> {
    TRY(const Rights rights, rights_of(view, principal, clock_.now()));
    if (!hold.any_of.empty() && !rights.scopes.has_any(hold.any_of)) {
      return fail(ErrorCode::forbidden, "the key now lacks the scope " + join_scopes(hold.any_of, " or "));
    }
    for (const SpaceName& space : hold.spaces) {
      CHECK_OK(check_limit(rights.spaces, principal.account, space));
      if (space.account != principal.account) CHECK_OK(check_shared(view, principal.account, space, hold.use));
    }
    return {};
  });
}

Result<Plan> Access::plan_of(AccountNumber number) {
  Plan plan = Plan::free;
  CHECK_OK(directory_.read([&](DirectoryView& view) -> Result<> {
    TRY(const auto row, view.find_account(number));
    if (row) plan = account_from(*row).plan;
    return {};
  }));
  return plan;
}

}  // namespace syncline
