#include "app/oidc_settings.hpp"

#include <algorithm>

#include "app/ca_file.hpp"
#include "app/secrets.hpp"
#include "base/text.hpp"
#include "net/curl_client.hpp"

namespace syncline::app {
namespace {

/// Empty: all.
Result<std::vector<std::string>> read_domains(const Settings& settings) {
  std::vector<std::string> domains;
  for (const std::string& domain : settings.list("oidc.allowed_domains")) domains.push_back(lower_case(domain));
  const bool allows_all = domains == std::vector<std::string>{"*"};
  if (domains.empty() && settings.boolean("oidc.create_accounts")) {
    return fail(ErrorCode::invalid_argument,
                "oidc.create_accounts is set, but oidc.allowed_domains is not: name the domains whose people get an "
                "account, or * if everybody does whom the provider knows");
  }
  if (allows_all) return std::vector<std::string>{};
  for (const std::string& domain : domains) {
    const bool is_good = !domain.empty() && std::ranges::none_of(domain, [](char c) {
      return c == '@' || c == '*' || c == ' ' || c == '/';
    });
    if (!is_good) {
      return fail(ErrorCode::invalid_argument,
                  "oidc.allowed_domains must be a list of domains like example.org, or *, not '" + domain + "'");
    }
  }
  return domains;
}

Result<oidc::ProviderOptions> read_provider(const Settings& settings) {
  oidc::ProviderOptions provider;
  provider.issuer = settings.text("oidc.issuer");
  if (const auto good = oidc::check_provider_url(provider.issuer); !good || provider.issuer.contains('?')) {
    return fail(ErrorCode::invalid_argument, good ? "oidc.issuer: '" + provider.issuer + "' must not have a query"
                                                  : "oidc.issuer: " + good.error().text);
  }
  provider.client_id = settings.text("oidc.client_id");
  if (provider.client_id.empty()) {
    return fail(ErrorCode::invalid_argument, "oidc.issuer is set, but oidc.client_id is not; set both");
  }
  TRY(const auto secret, find_secret({.file = settings.text("oidc.client_secret_file"),
                                      .environment = "SYNCLINE_OIDC_CLIENT_SECRET",
                                      .credential = "oidc-client-secret"}));
  provider.client_secret = secret.value_or("");
  provider.connect = [ca_file = settings.text("tls.ca_file")](const std::string& url) {
    // A provider on this machine is never reached through a proxy.
    return net::make_client_factory({.url = url,
                                     .token = {},
                                     .allows_address = {},
                                     .is_direct = oidc::is_on_this_machine(url),
                                     .ca_file = ca_file,
                                     .ca_advice = kCaSettingAdvice})();
  };
  return provider;
}

}  // namespace

Result<std::optional<oidc::Setup>> read_oidc_settings(const Settings& settings) {
  if (settings.text("oidc.issuer").empty()) return std::nullopt;
  oidc::Setup setup;
  TRY(setup.provider, read_provider(settings));
  TRY(setup.policy.domains, read_domains(settings));
  TRY(setup.policy.plan, parse_plan(settings.text("accounts.signup_plan")));
  setup.policy.provider = settings.text("oidc.name");
  if (setup.policy.provider.empty()) return fail(ErrorCode::invalid_argument, "oidc.name must not be empty");
  setup.policy.creates_accounts = settings.boolean("oidc.create_accounts");
  setup.policy.links_accounts = settings.boolean("oidc.link_accounts");
  return setup;
}

}  // namespace syncline::app
