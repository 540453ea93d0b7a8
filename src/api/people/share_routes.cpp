// /v1/spaces/{space}/shares: with whom an account shares its spaces.
//
// Scope keys, for the account that has the space. Errors: 400 for wrong rights, 403 for a space of another account or
// rights that the asking key lacks, 404 for an unknown account or share, 409 for too many shares. PUT and DELETE change
// who may use the space, also on open connections.
#include <algorithm>

#include "api/people/routes.hpp"

namespace syncline::people {
namespace {

void append_share(JsonWriter& writer, const Shares::Share& share) {
  writer.begin_object()
      .integer("account", share.guest_number.value)
      .string("email", share.guest)
      .string("rights", to_text(share.rights))
      .string("created_at", format_time(share.created_at))
      .end_object();
}

/// Guests do not learn of each other.
Result<> check_is_owner(const api::Call& call) {
  if (!call.is_guest()) return {};
  return fail(ErrorCode::forbidden, "only the account that has a space can share it");
}

}  // namespace

void Face::list_shares(const api::CallPtr& call) {
  CHECK_CALL(call, check_is_owner(*call));
  TRY_CALL(call, const auto shares, shares_.given_by(call->space().account));
  std::string out;
  JsonWriter writer(out);
  writer.begin_object().name("shares").begin_array();
  for (const Shares::Share& share : shares) {
    if (share.space == call->space()) append_share(writer, share);
  }
  writer.end_array().end_object();
  call->respond_json(200, std::move(out));
}

void Face::put_share(const api::CallPtr& call) {
  CHECK_CALL(call, check_is_owner(*call));
  TRY_CALL(call, const JsonView body, call->json_object());
  TRY_CALL(call, const std::string text, text_in(body, "rights"));
  TRY_CALL(call, const Access::Use rights, parse_use(text));
  TRY_CALL(call, const Shares::Share share,
           shares_.put(call->space(), call->param("guest"), {.sharer = &call->principal(), .rights = rights}));
  std::string out;
  JsonWriter writer(out);
  append_share(writer, share);
  call->respond_json(200, std::move(out));
}

void Face::remove_share(const api::CallPtr& call) {
  CHECK_CALL(call, check_is_owner(*call));
  CHECK_CALL(call, shares_.remove(call->space(), call->param("guest"), &call->principal()));
  call->respond_empty();
}

void Face::add_share_routes(Routes& routes) {
  routes.get("/v1/spaces/{space}/shares", Scope::keys, "List who may use a space", &Face::list_shares)
      .in_space_of_path()
      .answers(200, "the accounts that the space is shared with", "SpaceShares")
      .answers(403, "a space of another account, or one that the key is not for");
  routes.put("/v1/spaces/{space}/shares/{guest}", Scope::keys, "Share a space", &Face::put_share)
      .in_space_of_path()
      .described(
          "guest: the address of an account, or the number of one that has this share already; it reaches the space as "
          "@<number of the owner>/<space>. "
          "Repeating it changes the rights, at once. The asking key needs the scopes that it gives.")
      .body("rights: read or write", "NewSpaceShare")
      .answers(200, "the share", "SpaceShare")
      .answers(400, "not rights, or the account itself")
      .answers(403, "a space of another account, or rights that the asking key lacks")
      .answers(404, "unknown account")
      .answers(409, "too many shares");
  routes.del("/v1/spaces/{space}/shares/{guest}", Scope::keys, "Stop sharing a space", &Face::remove_share)
      .in_space_of_path()
      .described("Takes effect at once, on open connections too.")
      .answers(204, "not shared any more")
      .answers(403, "a space of another account, or one that the key is not for")
      .answers(404, "unknown account, or not shared with it");
}

}  // namespace syncline::people
