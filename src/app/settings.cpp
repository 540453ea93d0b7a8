#include "app/settings.hpp"

#include <yaml-cpp/yaml.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>

#include "base/text.hpp"

namespace syncline::app {
namespace {

const SettingInfo* find_info(std::string_view key) {
  for (const auto* known : {&all_settings(), &node_settings()}) {
    const auto found = std::ranges::find(*known, key, &SettingInfo::key);
    if (found != known->end()) return &*found;
  }
  return nullptr;
}

bool is_boolean(std::string_view text) { return text == "true" || text == "false"; }

}  // namespace

std::string environment_name(std::string_view key) {
  std::string name = "SYNCLINE_";
  for (const char c : key) name += c == '.' ? '_' : c >= 'a' && c <= 'z' ? static_cast<char>(c - 32) : c;
  return name;
}

const std::vector<SettingInfo>& all_settings() {
  static const std::vector<SettingInfo> kSettings = {
      {"listen", SettingKind::text, "127.0.0.1:8080", "address and port to listen on; port 0 picks a free one"},
      {"hub.public_url", SettingKind::text, "",
       "where people reach the hub, like https://hub.example.org; links that the hub prints begin with it"},
      {"console.insecure", SettingKind::boolean, "false",
       "let browsers sign in by plain http from other machines; everybody on the way can read the cookie"},
      {"console.dir", SettingKind::text, "",
       "directory with the files of the web console; empty: those that are part of the program"},
      {"rate_limit", SettingKind::integer, "0", "requests per minute and key; 0: no limit"},
      {"plans.enforce", SettingKind::boolean, "false", "reject sync requests of accounts with the free plan"},
      {"accounts.signup", SettingKind::boolean, "false", "let anyone create an account with POST /auth/signup"},
      {"accounts.signup_plan", SettingKind::text, "free", "plan of accounts created by signup or oidc.create_accounts"},
      {"ai.url", SettingKind::text, "", "base URL of an OpenAI-compatible upstream, like https://api.example.org/v1"},
      {"ai.key_file", SettingKind::text, "", "file with the upstream's key; or SYNCLINE_AI_KEY in the environment"},
      {"ai.model", SettingKind::text, "", "default upstream model"},
      {"ai.model_advisor", SettingKind::text, "", "upstream model for kaisho:advisor; ai.model if empty"},
      {"ai.model_cron", SettingKind::text, "", "upstream model for kaisho:cron; ai.model if empty"},
      {"ai.model_embeddings", SettingKind::text, "", "upstream model for /v1/embeddings; if empty, one of the others"},
      {"ai.limit_parameter", SettingKind::text, "auto",
       "the upstream's name for the token limit: max_tokens, max_completion_tokens, or auto (tries both, per model)"},
      {"ai.timeout_seconds", SettingKind::integer, "120",
       "seconds to wait for an answer, or for the next chunk of a stream"},
      {"ai.requests_at_once", SettingKind::integer, "8", "concurrent AI requests; each uses a thread"},
      {"ai.cap", SettingKind::integer, "200000", "AI tokens per month and account"},
      {"ai.plan_caps", SettingKind::list, "", "caps per plan that override ai.cap, like pro=1000000,team=5000000"},
      {"oidc.issuer", SettingKind::text, "",
       "OpenID Connect provider with which people sign in, like https://id.example.org; exactly as it writes itself"},
      {"oidc.name", SettingKind::text, "single sign-on", "what people call the provider"},
      {"oidc.client_id", SettingKind::text, "", "the hub's client id at the provider"},
      {"oidc.client_secret_file", SettingKind::text, "",
       "file with the client's secret; or SYNCLINE_OIDC_CLIENT_SECRET in the environment; none for a public client"},
      {"oidc.allowed_domains", SettingKind::list, "",
       "domains of the e-mail addresses that may sign in with the provider; empty or *: all"},
      {"oidc.create_accounts", SettingKind::boolean, "false",
       "make an account at the first sign-in with the provider, on the plan accounts.signup_plan"},
      {"oidc.link_accounts", SettingKind::boolean, "false",
       "link the provider's word for an e-mail address with an account that has the same address"},
      {"backup.every_hours", SettingKind::integer, "0",
       "hours between the backups that a scheduler of yours makes; if one fails to come, the hub alerts; 0: off"},
      {"backup.tolerance_hours", SettingKind::integer, "2", "hours that such a backup may be late"},
      {"webhooks.allow", SettingKind::list, "", "private networks that webhooks may reach, like 10.1.0.0/16"},
      {"webhooks.timeout_seconds", SettingKind::integer, "20", "seconds to wait for a receiver's answer"},
      {"webhooks.retry_seconds", SettingKind::list, "5,300,1800,7200,18000,36000,50400,72000,86400",
       "seconds before each retry; if the last one fails, the hub disables the webhook"},
      {"webhooks.threads", SettingKind::integer, "8", "concurrent deliveries; each uses a thread"},
      {"cors.origins", SettingKind::list, "", "origins of web pages that may call the hub; * allows all"},
      {"tls.certificate", SettingKind::text, "", "PEM file with the certificate chain; SIGHUP reloads it"},
      {"tls.key", SettingKind::text, "", "PEM file with the private key"},
      {"tls.ca_file", SettingKind::text, "",
       "PEM file with a CA certificate that the hub's own requests trust besides the system's: webhooks, AI, sign-in"},
      {"log.level", SettingKind::text, "info", "debug, info (one line per request), warning, error or off"},
      {"connections.max", SettingKind::integer, "20000", "maximum number of connections; the hub closes any beyond it"},
      {"limits.connections_per_address", SettingKind::integer, "256",
       "maximum number of connections from one address, or one IPv6 /64; does not apply to trusted proxies; 0: no "
       "limit"},
      {"quota.bytes", SettingKind::list, "free=100000000,companion=1000000000",
       "maximum bytes of an account's live records, per plan; no limit for a plan with 0 or without an entry"},
      {"quota.records", SettingKind::list, "", "maximum number of an account's live records, per plan"},
      {"quota.requests_per_minute", SettingKind::list, "free=600,companion=6000",
       "maximum requests of an account, per plan"},
      {"metrics.listen", SettingKind::text, "",
       "address and port of a separate listener that serves /metrics without a key; empty: off"},
      {"proxy.trusted", SettingKind::list, "",
       "networks of reverse proxies that may name the client's address, like 127.0.0.1"},
      {"proxy.header", SettingKind::text, "X-Forwarded-For",
       "header in which trusted proxies name the client: X-Forwarded-For or Forwarded"},
      {"threads.loops", SettingKind::integer, "2", "threads that serve connections"},
      {"threads.workers", SettingKind::integer, "2", "threads for large requests"},
      {"threads.passwords", SettingKind::integer, "1", "threads that hash passwords; each uses a core and 64 MiB"},
      {"store.bytes_max", SettingKind::integer, "0", "maximum size of the store's file in bytes; 0: no limit"},
      {"clock.strict", SettingKind::boolean, "false",
       "exit with code 17 instead of serving if the clock is in doubt at start"},
      {"history.days", SettingKind::integer, "30", "days to keep replaced versions; less than 7 counts as 7"},
      {"tombstones.days", SettingKind::integer, "180",
       "days to keep deletions in the feed; a device offline for longer pulls everything again"},
      {"audit.days", SettingKind::integer, "400", "days to keep the audit log"},
      {"commands.keep_days", SettingKind::integer, "30", "days to keep finished commands"},
      {"commands.ttl_seconds", SettingKind::integer, "900",
       "seconds that a command may wait for a runner before it fails; 0: no limit"},
      {"commands.claim_lease_seconds", SettingKind::integer, "60",
       "lease of a claim by POST /command/claim, in seconds"},
      {"commands.patch_lease_seconds", SettingKind::integer, "900",
       "lease of a claim by PATCH /command/{id}, in seconds"},
  };
  return kSettings;
}

const std::vector<SettingInfo>& node_settings() {
  static const std::vector<SettingInfo> kSettings = {
      {"local.origins", SettingKind::list, "",
       "origins of web pages that may use the node besides its own, like http://localhost:5173"},
      {"local.any_user", SettingKind::boolean, "false", "serve other users of the machine and sandboxed programs, too"},
      {"tls.ca_file", SettingKind::text, "", "PEM file with a CA certificate of hubs, to trust besides the system's"},
  };
  return kSettings;
}

Result<std::map<std::string, std::string>> read_assignments(const std::vector<std::string>& assignments) {
  std::map<std::string, std::string> values;
  for (const std::string& assignment : assignments) {
    const std::size_t equals = assignment.find('=');
    if (equals == std::string::npos) {
      return fail(ErrorCode::invalid_argument, "--set needs KEY=VALUE, not '" + assignment + "'");
    }
    values[assignment.substr(0, equals)] = assignment.substr(equals + 1);
  }
  return values;
}

std::string setup_file_in(const std::string& data) { return data + "/setup.yaml"; }

std::string find_settings_file(const std::string& data) {
  std::string file = data + "/hub.yaml";
  std::error_code ignored;
  return std::filesystem::exists(file, ignored) ? file : std::string();
}

Result<Settings> Settings::load_beside(const std::string& data) {
  return load({}, find_settings_file(data), all_settings(), setup_file_in(data));
}

Settings Settings::defaults(const std::vector<SettingInfo>& known) {
  Settings settings;
  for (const SettingInfo& info : known) {
    settings.values_[std::string(info.key)] = {std::string(info.default_value), "default"};
  }
  return settings;
}

Result<Settings> Settings::load(const std::map<std::string, std::string>& flags, const std::string& file,
                                const std::vector<SettingInfo>& known, const std::string& setup_file) {
  Settings settings = defaults(known);
  std::error_code ignored;
  if (!setup_file.empty() && std::filesystem::exists(setup_file, ignored)) CHECK_OK(settings.load_file(setup_file));
  if (!file.empty()) CHECK_OK(settings.load_file(file));
  for (const SettingInfo& info : known) {
    const std::string name = environment_name(info.key);
    if (const char* value = std::getenv(name.c_str())) {
      CHECK_OK(settings.set(std::string(info.key), value, "environment " + name));
    }
  }
  for (const auto& [key, value] : flags) CHECK_OK(settings.set(key, value, "flag"));
  return settings;
}

Result<> Settings::set(const std::string& key, std::string value, std::string origin) {
  const SettingInfo* info = find_info(key);
  const auto refuse = [&](const std::string& what) {
    return fail(ErrorCode::invalid_argument, "setting '" + key + "' (" + origin + ") " + what);
  };
  if (info == nullptr || !values_.contains(key)) {
    const bool is_hubs = values_.contains("listen");
    return refuse(is_hubs ? "is unknown; 'syncline config show' lists all settings"
                          : "is unknown; a node has local.origins, local.any_user and tls.ca_file");
  }
  if (info->kind == SettingKind::integer) {
    const auto number = parse_integer(value);
    if (!number || *number < 0) return refuse("must be a whole number of at least 0, not '" + value + "'");
  }
  if (info->kind == SettingKind::boolean && !is_boolean(value)) {
    return refuse("must be true or false, not '" + value + "'");
  }
  values_[key] = {std::move(value), std::move(origin)};
  return {};
}

Result<> Settings::load_file(const std::string& file) {
  try {
    const YAML::Node root = YAML::LoadFile(file);
    if (root.IsNull()) return {};
    if (!root.IsMap()) {
      return fail(ErrorCode::invalid_argument, file + ": expected a map of settings, like listen: 127.0.0.1:8080");
    }
    std::vector<std::pair<std::string, YAML::Node>> open = {{"", root}};
    while (!open.empty()) {
      const auto [prefix, node] = open.back();
      open.pop_back();
      const std::string origin = "file " + file + ":" + std::to_string(node.Mark().line + 1);
      if (node.IsMap()) {
        for (const auto& member : node) {
          open.emplace_back(prefix + (prefix.empty() ? "" : ".") + member.first.as<std::string>(), member.second);
        }
      } else if (node.IsSequence()) {
        std::string joined;
        for (const auto& element : node) joined += (joined.empty() ? "" : ",") + element.as<std::string>();
        CHECK_OK(set(prefix, joined, origin));
      } else {
        CHECK_OK(set(prefix, node.IsNull() ? "" : node.as<std::string>(), origin));
      }
    }
    return {};
  } catch (const YAML::BadFile&) {
    return fail(ErrorCode::invalid_argument, "cannot read the settings file " + file);
  } catch (const YAML::Exception& exception) {
    return fail(ErrorCode::invalid_argument, file + ": " + exception.what());
  }
}

std::string Settings::to_json() const {
  std::string out;
  JsonWriter writer(out);
  writer.begin_object().name("settings").begin_object();
  for (const auto& [key, value] : values_) {
    writer.name(key).begin_object().string("value", value.text).string("origin", value.origin).end_object();
  }
  writer.end_object().end_object();
  return out;
}

std::optional<Settings> Settings::from_json(JsonView json) {
  const auto listed = json.find("settings");
  if (!listed || !listed->is_object()) return std::nullopt;
  Settings settings = defaults();
  listed->for_each_member([&](std::string_view key, JsonView value) {
    const auto found = settings.values_.find(std::string(key));
    if (found != settings.values_.end()) found->second = {value.text_of("value"), value.text_of("origin")};
  });
  return settings;
}

const std::string& Settings::text(std::string_view key) const { return values_.at(std::string(key)).text; }

std::unexpected<Error> Settings::wrong(std::string_view key, std::string_view what) const {
  return fail(ErrorCode::invalid_argument,
              "setting '" + std::string(key) + "' (" + values_.at(std::string(key)).origin + ") " + std::string(what));
}

std::int64_t Settings::integer(std::string_view key) const { return parse_integer(text(key)).value_or(0); }

bool Settings::boolean(std::string_view key) const { return text(key) == "true"; }

std::vector<std::string> Settings::list(std::string_view key) const {
  std::vector<std::string> items;
  if (text(key).empty()) return items;
  for (const std::string_view part : split(text(key), ',')) items.emplace_back(trim(part));
  return items;
}

}  // namespace syncline::app
