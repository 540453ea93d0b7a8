#include "app/node_server.hpp"

#include <malloc.h>

#include <cstdio>
#include <filesystem>
#include <map>
#include <utility>

#include "api/local/face.hpp"
#include "app/ca_file.hpp"
#include "app/data_directory.hpp"
#include "app/faces.hpp"
#include "app/process.hpp"
#include "app/settings.hpp"
#include "base/log.hpp"
#include "base/text.hpp"
#include "net/curl_client.hpp"
#include "net/server.hpp"
#include "net/workers.hpp"

namespace syncline::app {
namespace {

/// Programs of this device that wait for a hub at the same time.
constexpr std::size_t kBlockingThreads = 4;

Result<net::ServerOptions> read_listen(const std::string& listen) {
  const std::size_t colon = listen.rfind(':');
  const auto port = parse_integer(listen.substr(colon == std::string::npos ? 0 : colon + 1));
  if (colon == std::string::npos || !port || *port < 0 || *port > 65535) {
    return fail(ErrorCode::invalid_argument,
                "--listen must be ADDRESS:PORT, like 127.0.0.1:8765, not '" + listen + "'");
  }
  net::ServerOptions options;
  options.host = listen.substr(0, colon);
  if (options.host.starts_with('[') && options.host.ends_with(']')) {
    options.host = options.host.substr(1, options.host.size() - 2);
  }
  if (options.host != "127.0.0.1" && options.host != "::1") {
    return fail(
        ErrorCode::invalid_argument,
        "a node needs no key, so it listens on loopback only; use 127.0.0.1 or [::1], not '" + options.host + "'");
  }
  options.port = static_cast<std::uint16_t>(*port);
  options.loops = 1;
  options.workers = 1;
  return options;
}

/// `ca_file`: for hubs with which no CA is named.
node::HubReacher reach_with(const std::string& ca_file) {
  return [ca_file](const node::HubAddress& hub) -> Result<http::ClientFactory> {
    TRY(net::Endpoint endpoint, net::make_endpoint(hub.url, hub.key));
    endpoint.compresses = true;
    endpoint.ca_file = hub.ca_file.empty() ? ca_file : hub.ca_file;
    endpoint.ca_advice = kCaFileAdvice;
    return net::make_client_factory(std::move(endpoint));
  };
}

/// An origin as browsers write it: scheme, host and perhaps a port. Anything else would never match.
bool is_origin(std::string_view text) {
  const std::size_t scheme = text.find("://");
  if (scheme == std::string_view::npos || scheme == 0) return false;
  const std::string_view host = text.substr(scheme + 3);
  return !host.empty() && host.find_first_of("/?#*@ ") == std::string_view::npos;
}

Result<Settings> read_node_settings(const std::string& data, const std::map<std::string, std::string>& flags) {
  const std::string beside_data = data + "/node.yaml";
  const std::string file = std::filesystem::exists(beside_data) ? beside_data : "";
  return Settings::load(flags, file, node_settings());
}

Result<NodeServer::Visitors> read_visitors(const Settings& read) {
  NodeServer::Visitors visitors{read.list("local.origins"), read.boolean("local.any_user")};
  for (const std::string& origin : visitors.origins) {
    if (is_origin(origin)) continue;
    return fail(ErrorCode::invalid_argument,
                "local.origins: '" + origin + "' is not an origin like http://localhost:5173");
  }
  return visitors;
}

std::string url_path(const std::string& data) { return data + "/node.url"; }

}  // namespace

Result<std::string> node_ca_file(const std::string& data) {
  TRY(const Settings settings, read_node_settings(data, {}));
  return find_ca_file(settings.text("tls.ca_file"));
}

std::string node_url_in(const std::string& data) {
  const auto text = node::read_file(url_path(data));
  return text ? std::string(trim(*text)) : "";
}

struct NodeServer::Parts {
  Parts(DataDirectory own, net::ServerOptions options, Visitors visitors, const std::string& ca_file)
      : directory(std::move(own)),
        faces(make_node_faces()),
        rules(make_rule_book(faces)),
        server(std::move(options)),
        blocking(kBlockingThreads),
        node(directory.path(), {.clock = clock,
                                .scheduler = server.scheduler(),
                                .reach_hub = reach_with(ca_file),
                                .dialects = list_dialects(faces),
                                .rules = rules,
                                .first_spaces = list_fixed_spaces(faces),
                                .searched = find_search_subject(faces),
                                .on_broken_store = stop_broken}),
        face(node, faces, blocking, SYNCLINE_VERSION, std::move(visitors.origins)) {
  }  // NOLINT(clang-analyzer-cplusplus.NewDeleteLeaks): it loses sight of the functions among the options

  DataDirectory directory;
  SystemClock clock;
  const std::vector<api::FaceModule> faces;
  const RuleBook rules;
  net::Server server;
  net::Workers blocking;
  node::Node node;
  local::Face face;
};

NodeServer::NodeServer(std::unique_ptr<Parts> parts) : parts_(std::move(parts)) {}

NodeServer::~NodeServer() { stop(); }

Result<std::unique_ptr<NodeServer>> NodeServer::start(const std::string& data, Options options) {
  TRY(net::ServerOptions listener, read_listen(options.listen));
  listener.own_user_only = !options.visitors.any_user;
  TRY(DataDirectory directory, DataDirectory::own(data, DataDirectory::Missing::create, DataDirectory::Of::node));
  std::unique_ptr<NodeServer> server(new NodeServer(std::make_unique<Parts>(
      std::move(directory), std::move(listener), std::move(options.visitors), options.ca_file)));
  Parts& parts = *server->parts_;
  CHECK_OK(parts.node.start());
  CHECK_OK(parts.server.start(parts.face));
  CHECK_OK(node::replace_file(url_path(parts.directory.path()), server->url() + '\n'));
  return server;
}

std::string NodeServer::url() const { return parts_->server.url(); }

void NodeServer::stop() {
  if (std::exchange(is_stopped_, true)) return;
  std::error_code error;
  std::filesystem::remove(url_path(parts_->directory.path()), error);
  for (const auto& profile : parts_->node.list()) profile->interrupt();
  parts_->server.drain();
  parts_->blocking.stop();
  parts_->node.stop();
}

Result<> run_node(const NodeSettings& settings) {
  ::mallopt(M_ARENA_MAX, 2);  // threads that mostly wait need no heaps of their own
  TRY(const LogLevel level, parse_log_level(settings.log_level));
  TRY(auto flags, read_assignments(settings.assignments));
  if (!settings.ca_file.empty()) flags["tls.ca_file"] = settings.ca_file;
  TRY(const Settings read, read_node_settings(settings.data, flags));
  NodeServer::Options options{.listen = settings.listen, .visitors = {}, .ca_file = {}};
  TRY(options.visitors, read_visitors(read));
  TRY(options.ca_file, find_ca_file(read.text("tls.ca_file")));
  const sigset_t signals = block_signals();
  set_log_level(level);
  TRY(const auto server, NodeServer::start(settings.data, std::move(options)));
  std::printf("syncline node ready at %s\n", server->url().c_str());
  std::fflush(stdout);
  notify_systemd("READY=1\nSTATUS=serving at " + server->url());
  for (int number = 0; sigwait(&signals, &number) != 0 || number == SIGHUP;) {
    // Settings are read again when they change; there is nothing else to reload.
  }
  notify_systemd("STOPPING=1");
  server->stop();
  flush_log();
  return {};
}

}  // namespace syncline::app
