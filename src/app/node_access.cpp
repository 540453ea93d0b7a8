#include "app/node_access.hpp"

#include "base/limits.hpp"
#include "net/curl_client.hpp"

namespace syncline::app {
namespace {

/// A sync of a large store may take long; the node itself gives up before.
constexpr std::int64_t kAnswerMs = 330'000;
constexpr std::int64_t kAliveMs = 5000;

}  // namespace

Result<std::unique_ptr<NodeClient>> NodeClient::open(const NodeOptions& options, OutputForm form) {
  std::unique_ptr<NodeClient> node(new NodeClient());
  node->profile_ = options.profile;
  // The node of this device asks for no key, and no proxy stands between.
  const auto connect = [&](const std::string& url) {
    node->reach(net::make_client_factory({.url = url, .token = "", .allows_address = {}, .is_direct = true}));
  };
  // What node.url says counts only while somebody owns the directory: it may be left over.
  const bool is_new = !has_store(options.data, DataDirectory::Of::node);
  if (is_new && options.missing == DataDirectory::Missing::refuse) {
    return fail(ErrorCode::not_found, missing_data_text(options.data, DataDirectory::Of::node));
  }
  NodeServer::Options server;
  TRY(server.ca_file, node_ca_file(options.data));
  auto own = NodeServer::start(options.data, std::move(server));
  if (own) {
    if (is_new) {
      print_note("created new, empty data of this device in " + options.data + "; if it has some already, check --data",
                 form);
    }
    node->own_ = *std::move(own);
    connect(node->own_->url());
    return node;
  }
  const std::string url = node_url_in(options.data);
  if (own.error().code != ErrorCode::locked || url.empty()) return std::unexpected(own.error());
  connect(url);
  const auto alive = node->client_->send({http::Method::get, "/health", "", {}, kAliveMs});
  if (alive && alive->status == 200) return node;
  return fail(ErrorCode::locked, "the node that owns " + options.data + " does not answer at " + url + "; restart it");
}

Result<std::unique_ptr<NodeClient>> NodeClient::open_hub(const HubOptions& hub) {
  std::unique_ptr<NodeClient> node(new NodeClient());
  TRY(http::ClientFactory clients, reach_hub(hub));
  node->reach(std::move(clients));
  return node;
}

void NodeClient::reach(http::ClientFactory clients) {
  clients_ = std::move(clients);
  client_ = clients_();
}

http::ClientRequest NodeClient::make_request(http::Method method, const std::string& target, const std::string& body,
                                             std::int64_t timeout_ms) const {
  http::ClientRequest request{method, target, body, {}, timeout_ms, limits::kAnswerBytesPage};
  if (!profile_.empty()) request.headers.push_back({"X-Syncline-Profile", profile_});
  return request;
}

Result<http::ClientResponse> NodeClient::send(http::Method method, const std::string& target, const std::string& body) {
  return client_->send(make_request(method, target, body, kAnswerMs));
}

Result<http::ClientResponse> NodeClient::stream(const std::string& target, std::int64_t silence_ms,
                                                const std::function<void(std::string_view)>& take,
                                                std::stop_token stop) {
  http::ClientRequest request = make_request(http::Method::get, target, "", silence_ms);
  request.headers.push_back({"Accept", "text/event-stream"});
  return clients_()->stream(request, take, std::move(stop));
}

Result<std::string> NodeClient::ask(http::Method method, const std::string& target, const std::string& body) {
  TRY(auto response, send(method, target, body));
  if (response.status / 100 != 2) {
    Error error = error_of(response);
    const auto problem = parse_json_object(response.body, 16);
    if (problem && !problem->text_of("detail").empty()) error.text = problem->text_of("detail");
    return std::unexpected(error);
  }
  return std::move(response.body);
}

}  // namespace syncline::app
