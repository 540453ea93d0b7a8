#include "app/server_options.hpp"

#include <algorithm>

#include "app/ca_file.hpp"
#include "base/text.hpp"

namespace syncline::app {
namespace {

Result<net::ServerOptions> parse_listen(const Settings& settings, const std::string& setting) {
  net::ServerOptions options;
  const std::string& listen = settings.text(setting);
  const std::size_t colon = listen.rfind(':');
  const auto port = parse_integer(listen.substr(colon == std::string::npos ? 0 : colon + 1));
  if (colon == std::string::npos || !port || *port < 0 || *port > 65535) {
    return fail(ErrorCode::invalid_argument,
                setting + " must be ADDRESS:PORT, like 127.0.0.1:8080, not '" + listen + "'");
  }
  options.host = listen.substr(0, colon);
  if (options.host.starts_with('[') && options.host.ends_with(']')) {
    options.host = options.host.substr(1, options.host.size() - 2);
  }
  options.port = static_cast<std::uint16_t>(*port);
  return options;
}

}  // namespace

Result<net::ServerOptions> read_server_options(const Settings& settings) {
  TRY(net::ServerOptions options, parse_listen(settings, "listen"));
  options.loops = static_cast<std::size_t>(std::max<std::int64_t>(1, settings.integer("threads.loops")));
  options.workers = static_cast<std::size_t>(std::max<std::int64_t>(1, settings.integer("threads.workers")));
  options.connections_max = static_cast<std::size_t>(settings.integer("connections.max"));
  options.connections_per_address_max = static_cast<std::size_t>(settings.integer("limits.connections_per_address"));
  TRY(options.proxies.proxies, IpNetworks::parse(settings.list("proxy.trusted"), "proxy.trusted"));
  const std::string& header = settings.text("proxy.header");
  options.proxies.by_forwarded = equal_ignoring_case(header, "Forwarded");
  if (!options.proxies.by_forwarded && !equal_ignoring_case(header, "X-Forwarded-For")) {
    return fail(ErrorCode::invalid_argument, "proxy.header must be X-Forwarded-For or Forwarded, not '" + header + "'");
  }
  const std::string& certificate = settings.text("tls.certificate");
  const std::string& key = settings.text("tls.key");
  if (certificate.empty() != key.empty()) {
    return fail(ErrorCode::invalid_argument, "TLS needs both tls.certificate and tls.key; set " +
                                                 std::string(key.empty() ? "tls.key" : "tls.certificate") + " too");
  }
  CHECK_OK(check_ca_file(settings.text("tls.ca_file")));
  if (!certificate.empty()) options.tls = net::TlsFiles{certificate, key};
  return options;
}

Result<std::optional<net::ServerOptions>> read_metrics_server_options(const Settings& settings) {
  if (settings.text("metrics.listen").empty()) return std::nullopt;
  TRY(net::ServerOptions options, parse_listen(settings, "metrics.listen"));
  options.loops = 1;
  options.workers = 1;
  options.connections_max = 64;
  return options;
}

}  // namespace syncline::app
