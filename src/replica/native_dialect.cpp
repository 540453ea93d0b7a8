#include "replica/dialect.hpp"
#include "replica/native_exchange.hpp"

namespace syncline::replica {
namespace {

class NativeDialect final : public Dialect {
 public:
  [[nodiscard]] std::string_view name() const override { return "native"; }
  [[nodiscard]] std::string_view title() const override { return "/v1"; }
  [[nodiscard]] bool carries_space(std::string_view) const override { return true; }
  [[nodiscard]] bool hub_merges() const override { return true; }
  [[nodiscard]] bool has_live_link() const override { return true; }
  [[nodiscard]] std::unique_ptr<Exchange> make_exchange(LocalSpace& local, const Limits& limits) const override {
    return std::make_unique<NativeExchange>(local, limits);
  }
  [[nodiscard]] Result<std::optional<HubAccount>> recognise(const Inquiry& inquiry) const override;
};

/// Of read and write, those that the key has not; empty if the hub does not list its scopes.
std::string missing_scopes_in(const JsonObject& me) {
  const auto key = me.find("key");
  const auto scopes = key ? key->find_set("scopes") : std::nullopt;
  if (!scopes || !scopes->is_array()) return {};
  std::string missing;
  for (const std::string_view needed : {"read", "write"}) {
    bool has_it = false;
    scopes->for_each_element([&](JsonView scope) { has_it = has_it || scope.as_string() == needed; });
    if (!has_it) missing.append(missing.empty() ? "" : " and ").append(needed);
  }
  return missing;
}

Result<std::optional<HubAccount>> NativeDialect::recognise(const Inquiry& inquiry) const {
  TRY(const auto me, inquiry.find_object("/v1/me"));
  if (!me) return std::nullopt;
  HubAccount account;
  account.dialect = this;
  account.name = account.email = me->text_of("account");
  account.plan = me->text_of("plan");
  account.may_sync = plan_includes_sync(account.plan);
  if (const auto ai = me->find("ai")) account.has_ai = ai->as_boolean();
  account.missing_scopes = missing_scopes_in(*me);
  return account;
}

}  // namespace

const Dialect& native_dialect() {
  static const NativeDialect instance;
  return instance;
}

}  // namespace syncline::replica
