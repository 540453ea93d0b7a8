#include "api/kernle/dialect.hpp"

#include <array>

#include "api/kernle/exchange.hpp"
#include "wire/kernle_tables.hpp"

namespace syncline::kernle {
namespace {

using replica::HubAccount;
using replica::Inquiry;

/// A session that lasts no longer is not asked for anew before it ends.
constexpr std::int64_t kRenewedMin = 120 * kMicrosPerSecond;

constexpr auto kLimits = std::to_array<std::string_view>(
    {"it stores only the memory of agents (spaces kernle/<agent>); everything else stays on this device",
     "changes of other devices arrive with the next poll, not at once",
     "the published backend keeps one agent per key: use a key and a profile for each agent",
     "it keeps what was pushed last: this device merges before it pushes, other programs may put an older version over "
     "a newer one until this device pulls",
     "deletions by other devices arrive only if it delivers them"});

class BackendDialect final : public replica::Dialect {
 public:
  [[nodiscard]] std::string_view name() const override { return "kernle"; }
  [[nodiscard]] std::string_view title() const override { return "Kernle's"; }
  [[nodiscard]] bool carries_space(std::string_view space) const override { return agent_of(space).has_value(); }
  [[nodiscard]] std::span<const std::string_view> limits() const override { return kLimits; }
  [[nodiscard]] std::unique_ptr<replica::Exchange> make_exchange(replica::LocalSpace& local,
                                                                 const replica::Limits&) const override {
    return std::make_unique<BackendExchange>(local);
  }
  /// Whoever has a key gets a session for it.
  [[nodiscard]] Result<std::optional<HubAccount>> recognise(const Inquiry& inquiry) const override;
  /// To ask who it is means to make a session.
  [[nodiscard]] bool asking_leaves_traces() const override { return true; }
};

Result<std::optional<HubAccount>> BackendDialect::recognise(const Inquiry& inquiry) const {
  TRY(const auto login, inquiry.ask(http::Method::post, "/auth/login"));
  if (login.status == 401 || login.status == 403) {
    return fail(ErrorCode::unauthorized, http::describe(login));
  }
  if (login.status == 404 || login.status == 405) return std::nullopt;
  if (login.status != 200) return fail(ErrorCode::unavailable, http::describe(login));
  TRY(const JsonObject object, http::parse_object(login.body));
  HubAccount account;
  account.dialect = this;
  account.may_sync = true;
  account.name = object.text_of("user_id");
  account.session = object.text_of("token");
  if (account.name.empty() || account.session.empty()) {
    return fail(ErrorCode::unavailable, "the hub's answer to a login names no user or gives no token");
  }
  if (const auto expires = parse_iso_or_utc_time(object.text_of("token_expires"))) {
    // A clock that says it is over already is wrong: then the service says when it is.
    const Timestamp now = inquiry.clock.now();
    const std::int64_t lasts = expires->micros - now.micros;
    if (lasts > kRenewedMin) account.renew_at = now.plus_micros(lasts / 2);
  }
  return account;
}

}  // namespace

const replica::Dialect& dialect() {
  static const BackendDialect instance;
  return instance;
}

}  // namespace syncline::kernle
