#include "app/webhook_settings.hpp"

#include "base/text.hpp"
#include "net/curl_client.hpp"
#include "webhooks/address_guard.hpp"

namespace syncline::app {

Result<webhooks::Sender::Options> read_webhook_settings(const Settings& settings) {
  webhooks::Sender::Options options;
  for (const std::string& pause : settings.list("webhooks.retry_seconds")) {
    const auto seconds = parse_integer(pause);
    if (!seconds || *seconds < 0) {
      return fail(ErrorCode::invalid_argument,
                  "webhooks.retry_seconds must be a comma-separated list of seconds, not '" + pause + "'");
    }
    options.retry_s.push_back(*seconds);
  }
  options.timeout_ms = std::max<std::int64_t>(1, settings.integer("webhooks.timeout_seconds")) * 1000;
  options.threads = static_cast<std::size_t>(std::max<std::int64_t>(1, settings.integer("webhooks.threads")));
  TRY(const auto guard, webhooks::AddressGuard::make(settings.list("webhooks.allow")));
  options.connect = [guard, ca_file = settings.text("tls.ca_file")](const std::string& url) {
    return net::make_client_factory({.url = url,
                                     .token = {},
                                     .allows_address = [guard](std::string_view at) { return guard.allows(at); },
                                     .ca_file = ca_file})();
  };
  return options;
}

}  // namespace syncline::app
