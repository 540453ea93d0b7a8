#include "app/hub_access.hpp"

#include <cstdio>
#include <cstdlib>
#include <fstream>

#include "app/ca_file.hpp"
#include "app/output.hpp"
#include "base/limits.hpp"
#include "base/text.hpp"
#include "net/curl_client.hpp"

namespace syncline::app {

namespace {

std::string or_environment(const std::string& value, const char* variable) {
  const char* set = std::getenv(variable);
  return value.empty() && set != nullptr ? set : value;
}

}  // namespace

std::string url_of(const HubOptions& options) { return or_environment(options.url, "SYNCLINE_HUB"); }

std::string key_file_of(const HubOptions& options) { return or_environment(options.key_file, "SYNCLINE_KEY_FILE"); }

Result<std::string> key_of(const HubOptions& options) {
  if (!options.key.empty()) return options.key;
  if (options.key_file.empty()) {
    std::string key = or_environment("", "SYNCLINE_KEY");
    if (!key.empty()) return key;
  }
  const std::string file = key_file_of(options);
  if (file.empty()) {
    return fail(ErrorCode::invalid_argument, "no key given; use --key-file FILE or set SYNCLINE_KEY");
  }
  std::ifstream stream(file);
  std::string key;
  if (!std::getline(stream, key)) {
    return fail(ErrorCode::not_found, "cannot read the key from the first line of " + file);
  }
  return std::string(trim(key));
}

void warn_of_plain_http(std::string_view url) {
  constexpr std::string_view kScheme = "http://";
  if (!url.starts_with(kScheme)) return;
  std::string_view host = url.substr(kScheme.size());
  host = host.substr(0, host.find('/'));
  host = host.starts_with('[') ? host.substr(0, host.find(']') + 1) : host.substr(0, host.find(':'));
  if (host == "localhost" || host == "[::1]" || host.starts_with("127.")) return;
  std::fprintf(stderr, "syncline: warning: http:// sends the key and all data to %s unencrypted; use https://\n",
               to_terminal_text(host).c_str());
}

Result<http::ClientFactory> reach_hub(const HubOptions& options) {
  const std::string url = url_of(options);
  if (url.empty()) return fail(ErrorCode::invalid_argument, "no hub given; use --hub URL or set SYNCLINE_HUB");
  TRY(const std::string key, key_of(options));
  TRY(net::Endpoint endpoint, net::make_endpoint(url, key));
  TRY(endpoint.ca_file, find_ca_file(options.ca_file));
  endpoint.ca_advice = kCaFileAdvice;
  warn_of_plain_http(url);
  return net::make_client_factory(std::move(endpoint));
}

std::string command_path(const std::string& id) { return "/command/" + percent_encode(id); }

Error error_of(const http::ClientResponse& response) {
  const std::string text = http::describe(response);
  switch (response.status) {
    case 400:
    case 413:
    case 422: return {ErrorCode::invalid_argument, text};
    case 401: return {ErrorCode::unauthorized, "the hub rejected this key: " + text};
    case 403: return {ErrorCode::forbidden, text};
    case 404: return {ErrorCode::not_found, text};
    case 409: return {ErrorCode::conflict, text};
    case 410: return {ErrorCode::cursor_expired, text};
    default: return {ErrorCode::unavailable, text};
  }
}

Result<std::string> ask_hub(http::Client& client, const http::ClientRequest& request, std::stop_token stop) {
  http::ClientRequest sent = request;
  sent.answer_bytes_max = limits::kAnswerBytesPage;
  TRY(http::ClientResponse response, client.send(sent, std::move(stop)));
  if (response.status / 100 != 2) return std::unexpected(error_of(response));
  return std::move(response.body);
}

}  // namespace syncline::app
