#include "app/admin_shares.hpp"

#include "core/record.hpp"

namespace syncline::app {
namespace {

void append_share(JsonWriter& writer, const Shares::Share& share) {
  writer.begin_object()
      .string("space", share.space.name)
      .string("owner", share.owner)
      .string("guest", share.guest)
      .string("rights", to_text(share.rights))
      .string("guest_name", name_for(share.guest_number, share.space))
      .string("created_at", format_time(share.created_at))
      .end_object();
}

/// The space of the request, of the owner that it names. Without one: of the only account that has such a space.
Result<SpaceName> space_in(CoreServices& core, const JsonObject& request) {
  const std::string name = request.text_of("space");
  CHECK_OK(check_space_name(name));
  if (request.find("owner")) {
    TRY(const Account owner, core.access.get_account(request.text_of("owner")));
    return SpaceName{owner.number, name};
  }
  TRY(const auto accounts, core.access.accounts());
  std::optional<SpaceName> found;
  for (const Account& account : accounts) {
    TRY(const auto infos, core.spaces.list(account.number));
    for (const SpaceInfo& info : infos) {
      if (info.name.name != name) continue;
      if (found) {
        return fail(ErrorCode::invalid_argument,
                    "several accounts have a space '" + name + "'; say with --owner whose is meant");
      }
      found = info.name;
    }
  }
  if (found) return *found;
  return fail(ErrorCode::not_found, "no account has a space '" + name +
                                        "'; to share it before its first record, name " + "the account with --owner");
}

}  // namespace

Result<std::string> space_share(CoreServices& core, const JsonObject& request) {
  TRY(const Access::Use rights, parse_use(request.text_of("rights")));
  TRY(const SpaceName space, space_in(core, request));
  TRY(const Shares::Share share, core.shares.put(space, request.text_of("guest"), {.rights = rights}));
  std::string out;
  JsonWriter writer(out);
  append_share(writer, share);
  return out;
}

Result<std::string> space_unshare(CoreServices& core, const JsonObject& request) {
  TRY(const SpaceName space, space_in(core, request));
  CHECK_OK(core.shares.remove(space, request.text_of("guest"), nullptr));
  std::string out;
  JsonWriter(out)
      .begin_object()
      .string("space", space.name)
      .string("guest", request.text_of("guest"))
      .boolean("shared", false)
      .end_object();
  return out;
}

Result<std::string> space_shares(CoreServices& core, const JsonObject& request) {
  const bool is_any = !request.find("space");
  TRY(const auto accounts, core.access.accounts());
  std::string wanted_owner;
  if (request.find("owner")) {
    TRY(const Account owner, core.access.get_account(request.text_of("owner")));
    wanted_owner = owner.email;
  }
  std::string out;
  JsonWriter writer(out);
  writer.begin_object().name("shares").begin_array();
  for (const Account& account : accounts) {
    if (!wanted_owner.empty() && account.email != wanted_owner) continue;
    TRY(const auto shares, core.shares.given_by(account.number));
    for (const Shares::Share& share : shares) {
      if (is_any || share.space.name == request.text_of("space")) append_share(writer, share);
    }
  }
  writer.end_array().end_object();
  return out;
}

}  // namespace syncline::app
