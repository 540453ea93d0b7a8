#include "api/kaisho/dialect.hpp"

#include <array>

#include "api/kaisho/exchange.hpp"
#include "base/bytes.hpp"
#include "base/limits.hpp"
#include "service/principal.hpp"

namespace syncline::kaisho {
namespace {

using replica::HubAccount;
using replica::Inquiry;

constexpr std::int64_t kWipeMs = 60'000;

constexpr auto kLimits = std::to_array<std::string_view>(
    {"it stores only time tracking (entries, inbox, tasks, notes, projects); everything else stays on this device",
     "customers and contracts stay on this device", "changes of other devices arrive with the next poll, not at once",
     "it does not say which of two versions it kept: edits of one record on two devices between two polls may differ "
     "until the next edit"});

std::string raw_or_null(const JsonObject& object, std::string_view name) {
  const auto value = object.find(name);
  return value ? std::string(value->raw()) : "null";
}

class CloudDialect final : public replica::Dialect {
 public:
  [[nodiscard]] std::string_view name() const override { return "kaisho"; }
  [[nodiscard]] std::string_view title() const override { return "Kaisho's"; }
  [[nodiscard]] bool carries_space(std::string_view space) const override { return space == kSpace; }
  [[nodiscard]] std::span<const std::string_view> limits() const override { return kLimits; }
  [[nodiscard]] std::unique_ptr<replica::Exchange> make_exchange(replica::LocalSpace& local,
                                                                 const replica::Limits&) const override {
    return std::make_unique<CloudExchange>(local);
  }
  [[nodiscard]] Result<std::optional<HubAccount>> recognise(const Inquiry& inquiry) const override;
  [[nodiscard]] bool is_spoken_by_native_hubs() const override { return true; }
  [[nodiscard]] Result<> complete(const Inquiry& inquiry, HubAccount& account) const override;
};

Result<std::optional<HubAccount>> CloudDialect::recognise(const Inquiry& inquiry) const {
  TRY(const auto stats, inquiry.find_object("/sync/stats"));
  if (!stats) return std::nullopt;
  HubAccount account;
  account.dialect = this;
  // By the name that people know, whatever generation of names the service uses.
  const auto plan = parse_plan(stats->text_of("plan"));
  account.plan = plan ? std::string(to_text(*plan)) : stats->text_of("plan");
  account.email = stats->text_of("email");
  // Whoever has no address is known by the key.
  account.name = account.email.empty() ? "key " + to_hex(as_text(sha256(inquiry.key))).substr(0, 16) : account.email;
  if (const auto count = stats->integer_of("entry_count")) account.entry_count = *count;
  account.may_sync = replica::plan_includes_sync(account.plan);
  account.last_change_at = raw_or_null(*stats, "last_change_at");
  account.active_timer_id = raw_or_null(*stats, "active_timer_id");
  if (plan && (*plan == Plan::pro || *plan == Plan::team)) account.models = hosted_models();
  account.wipe = http::ClientRequest{http::Method::del, "/sync/entries", "", {}, kWipeMs};
  return account;
}

Result<> CloudDialect::complete(const Inquiry& inquiry, HubAccount& account) const {
  if (account.may_sync) return {};
  // Some of these services know plans and do not ask for one.
  TRY(const auto active, inquiry.ask(http::Method::get, "/sync/active", limits::kAnswerBytesDocument));
  account.may_sync = active.status == 200;
  return {};
}

}  // namespace

const replica::Dialect& dialect() {
  static const CloudDialect instance;
  return instance;
}

replica::HostedModels hosted_models() { return {.advisor = "kaisho:advisor", .cron = "kaisho:cron"}; }

}  // namespace syncline::kaisho
