// A hub as a program of ours reaches it over the network: its URL and key, requests, and what its answers mean.
#pragma once

#include <stop_token>
#include <string>
#include <string_view>

#include "base/result.hpp"
#include "http/client.hpp"

namespace syncline::app {

/// How a program reaches a hub from the command line: --hub, --key, --key-file, --ca-file, each also from the
/// environment.
struct HubOptions {
  std::string url;
  std::string key;
  std::string key_file;
  std::string ca_file;  // --ca-file; see find_ca_file()
};

/// From the option or the environment.
[[nodiscard]] std::string url_of(const HubOptions& options);
/// The key itself, or from its file or the environment. invalid_argument if there is none.
[[nodiscard]] Result<std::string> key_of(const HubOptions& options);
/// Empty if the key does not come from a file.
[[nodiscard]] std::string key_file_of(const HubOptions& options);
/// The key may stand in a file instead. invalid_argument if URL or key are missing or malformed; fails like
/// find_ca_file().
[[nodiscard]] Result<http::ClientFactory> reach_hub(const HubOptions& options);

/// Says on standard error that http:// to another machine hides nothing.
void warn_of_plain_http(std::string_view url);

/// "/command/ID" for any id.
[[nodiscard]] std::string command_path(const std::string& id);

/// Sends a request and returns the body of an answer of the 200s. Others become errors: unauthorized, not_found,
/// conflict, invalid_argument, cursor_expired (to be read from the beginning), unavailable, with the hub's own words.
[[nodiscard]] Result<std::string> ask_hub(http::Client& client, const http::ClientRequest& request,
                                          std::stop_token stop = {});
[[nodiscard]] Error error_of(const http::ClientResponse& response);

}  // namespace syncline::app
