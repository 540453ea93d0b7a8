#include "node/hub_probe.hpp"

namespace syncline::node {
namespace {

using replica::HubAccount;

/// The account of a hub that speaks its dialect, to be used by the best one that the hub has.
Result<HubAccount> choose_dialect(const replica::Inquiry& inquiry, HubAccount account) {
  if (account.dialect->is_spoken_by_native_hubs()) {
    const auto native = replica::native_dialect().recognise(inquiry);
    if (!native) {
      // A moment ago the key counted: a hub that says otherwise now is in trouble, like any that fails here.
      Error error = native.error();
      if (error.code == ErrorCode::unauthorized) error = {ErrorCode::unavailable, error.text};
      return std::unexpected(std::move(error));
    }
    if (*native) {
      account.dialect = (*native)->dialect;
      if (account.may_sync && !(*native)->plan.empty()) account.plan = (*native)->plan;
      account.has_ai = (*native)->has_ai;
      if (account.has_ai == false) account.models.reset();
      account.missing_scopes = (*native)->missing_scopes;
      return account;
    }
  }
  CHECK_OK(account.dialect->complete(inquiry, account));
  return account;
}

}  // namespace

std::unexpected<Error> HubProbe::no_hub() const {
  std::string apis(replica::native_dialect().title());
  for (const replica::Dialect* dialect : dialects_) apis.append(", ").append(dialect->title());
  return fail(ErrorCode::not_found, "no hub at this URL: it has none of these APIs: " + apis);
}

Result<HubAccount> HubProbe::ask(const HubAddress& hub, const std::stop_token& stop) const {
  TRY(const http::ClientFactory clients, reach_(hub));
  const auto client = clients();
  const replica::Inquiry inquiry{*client, hub.key, clock_, stop};
  bool may_be_native = true;
  for (const replica::Dialect* dialect : dialects_) {
    TRY(auto account, dialect->recognise(inquiry));
    if (account) return choose_dialect(inquiry, *std::move(account));
    if (dialect->is_spoken_by_native_hubs()) may_be_native = false;
  }
  if (!may_be_native) return no_hub();
  TRY(auto account, replica::native_dialect().recognise(inquiry));
  if (!account) return no_hub();
  return *std::move(account);
}

}  // namespace syncline::node
