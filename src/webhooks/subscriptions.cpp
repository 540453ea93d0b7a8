#include "webhooks/subscriptions.hpp"

#include <arpa/inet.h>

#include <algorithm>

#include "base/bytes.hpp"
#include "base/json_object.hpp"
#include "base/text.hpp"
#include "webhooks/signature.hpp"

namespace syncline::webhooks {
namespace {

constexpr std::size_t kUrlBytesMax = 2048;
constexpr std::size_t kIdBytes = 8;

WebhookRow row_of(const Webhook& webhook) {
  WebhookRow row{.id = webhook.id, .account = webhook.account, .created_at = webhook.created_at, .doc = {}};
  JsonWriter(row.doc)
      .begin_object()
      .string("url", webhook.url)
      .string("events", join(webhook.events.names(), ","))
      .string("secret", webhook.secret)
      .string("previous_secret", webhook.previous_secret)
      .integer("previous_until", webhook.previous_until.micros)
      .boolean("enabled", webhook.enabled)
      .string("disabled_because", webhook.disabled_because)
      .end_object();
  return row;
}

Webhook webhook_from(const WebhookRow& row, const EventTypes& known) {
  const JsonView json(row.doc);
  Webhook webhook;
  webhook.id = row.id;
  webhook.account = row.account;
  webhook.url = json.text_of("url");
  const std::string events = json.text_of("events");
  webhook.events = known.named_in(split(events, ','));
  webhook.secret = json.text_of("secret");
  webhook.previous_secret = json.text_of("previous_secret");
  webhook.previous_until = {JsonObject{json}.integer_of("previous_until").value_or(0)};
  const auto enabled = json.find("enabled");
  webhook.enabled = enabled && enabled->as_boolean().value_or(false);
  webhook.disabled_because = json.text_of("disabled_because");
  webhook.created_at = row.created_at;
  return webhook;
}

std::unexpected<Error> webhook_not_found(std::string_view id) {
  return fail(ErrorCode::not_found, "webhook '" + std::string(id) + "' not found");
}

/// The host of a URL that check_url() has passed, without brackets and port.
std::string_view host_of(std::string_view url) {
  std::string_view host = url.substr(url.find("://") + 3);
  host = host.substr(0, host.find_first_of("/?#"));
  if (host.starts_with('[')) return host.substr(1, host.find(']') == std::string_view::npos ? 0 : host.find(']') - 1);
  host = host.substr(0, host.find(':'));
  return host.ends_with('.') ? host.substr(0, host.size() - 1) : host;
}

/// The addresses that a host stands for wherever it is asked, without a look at DNS. Empty for other names: what they
/// mean is seen when the hub connects.
std::vector<std::string> fixed_addresses(std::string_view host) {
  const std::string name = lower_case(host);
  if (name == "localhost" || name.ends_with(".localhost")) {
    return {*parse_ip_address("127.0.0.1"), *parse_ip_address("::1")};
  }
  if (auto address = parse_ip_address(name)) return {*std::move(address)};
  in_addr number{};  // "127.1", "0x7f.1", "2130706433"
  if (::inet_aton(name.c_str(), &number) == 0) return {};
  return {std::string(reinterpret_cast<const char*>(&number), sizeof number)};
}

Result<> check_events(const EventTypes& events) {
  if (!events.empty()) return {};
  return fail(ErrorCode::invalid_argument, "events must name at least one event");
}

}  // namespace

Result<> check_url(std::string_view url) {
  const auto refuse = [](std::string_view what) {
    return fail(ErrorCode::invalid_argument, "webhook_url " + std::string(what));
  };
  if (url.size() > kUrlBytesMax) return refuse("must be at most 2048 bytes");
  const std::size_t scheme_end = url.find("://");
  const std::string_view scheme = url.substr(0, scheme_end == std::string_view::npos ? 0 : scheme_end);
  if (scheme != "http" && scheme != "https") return refuse("must begin with http:// or https://");
  const bool printable = std::ranges::all_of(url, [](char c) { return c > ' ' && c < 0x7F; });
  if (!printable) return refuse("must not contain spaces or non-ASCII characters; percent-encode them");
  const std::string_view rest = url.substr(scheme_end + 3);
  const std::string_view host = rest.substr(0, rest.find_first_of("/?#"));
  if (host.empty() || host.front() == ':') return refuse("has no host");
  if (host.find('@') != std::string_view::npos) return refuse("must not contain a user name");
  if (rest.find('#') != std::string_view::npos) return refuse("must not contain a fragment");
  return {};
}

Result<> check_enabled(const Webhook& webhook) {
  if (webhook.enabled) return {};
  const std::string because = webhook.disabled_because.empty() ? "" : " (" + webhook.disabled_because + ")";
  return fail(ErrorCode::conflict, "webhook '" + webhook.id + "' is disabled" + because +
                                       ", so nothing is sent to it; enable it first, which sends what is queued");
}

Result<> Subscriptions::check_reachable(std::string_view url) const {
  const auto addresses = fixed_addresses(host_of(url));
  const bool is_open = !guard_ || addresses.empty() ||
                       std::ranges::any_of(addresses, [&](const std::string& of) { return guard_->allows(of); });
  if (is_open) return {};
  return fail(ErrorCode::invalid_argument, "webhook_url names the address '" + std::string(host_of(url)) +
                                               "', which is not public; the operator of the hub can allow its network "
                                               "with the setting webhooks.allow");
}

std::vector<std::string> Webhook::secrets(Timestamp now) const {
  std::vector<std::string> standing = {secret};
  if (!previous_secret.empty() && now < previous_until) standing.push_back(previous_secret);
  return standing;
}

Result<EventTypes> Subscriptions::parse_events(const std::vector<std::string>& names) const {
  for (const std::string& name : names) {
    if (known_.find(name)) continue;
    return fail(ErrorCode::invalid_argument, "unknown event '" + name + "'; known: " + join(known_.names(), ", "));
  }
  return known_.named_in({names.begin(), names.end()});
}

Result<> Subscriptions::load() {
  std::map<std::string, Webhook, std::less<>> stored;
  CHECK_OK(directory_.read([&](DirectoryView& view) {
    return view.webhooks(std::nullopt, [&](const WebhookRow& row) {
      stored[row.id] = webhook_from(row, known_);
      return true;
    });
  }));
  const MutexLock lock(mutex_);
  webhooks_ = std::move(stored);
  index();
  return {};
}

void Subscriptions::index() {
  wanted_.clear();
  for (const auto& [id, webhook] : webhooks_) {
    if (webhook.enabled) wanted_[webhook.account].add(webhook.events);
  }
  any_ = !wanted_.empty();
}

EventTypes Subscriptions::wanted(AccountNumber account) const {
  if (!any_) return {};
  const SharedLock lock(mutex_);
  const auto found = wanted_.find(account);
  return found == wanted_.end() ? EventTypes{} : found->second;
}

void Subscriptions::remember(const Webhook& webhook) {
  const MutexLock lock(mutex_);
  webhooks_[webhook.id] = webhook;
  index();
}

Result<Webhook> Subscriptions::add(AccountNumber account, std::string_view url, const EventTypes& events,
                                   std::string_view secret, std::string_view once) {
  CHECK_OK(check_url(url));
  CHECK_OK(check_reachable(url));
  CHECK_OK(check_events(events));
  if (!secret.empty()) CHECK_OK(check_secret(secret));
  const MutexLock changing(changing_);
  const std::string id = "wh_" + to_hex(once.empty() ? random_bytes(kIdBytes) : std::string(once.substr(0, kIdBytes)));
  if (const auto made = find_known(account, id)) {
    const bool is_same = made->url == url && made->events.names() == events.names();
    if (is_same && (secret.empty() || made->secret == secret)) return *made;
    return fail(ErrorCode::key_reused, "this Idempotency-Key was used for another webhook");
  }
  if (list(account).size() >= limits::kWebhooksMax) {
    return fail(ErrorCode::conflict,
                "an account can have at most " + std::to_string(limits::kWebhooksMax) + " webhooks; remove one first");
  }
  Webhook webhook{.id = id,
                  .account = account,
                  .url = std::string(url),
                  .events = events,
                  .secret = secret.empty() ? make_secret() : std::string(secret),
                  .previous_secret = {},
                  .previous_until = {},
                  .disabled_because = {},
                  .created_at = {}};
  CHECK_OK(directory_.write([&](DirectoryTxn& txn) -> Result<> {
    // It may have been erased since the request came.
    TRY(const auto owner, txn.find_account(account));
    if (!owner) return fail(ErrorCode::not_found, "the account of the webhook is gone");
    webhook.created_at = txn.now();
    return txn.put_webhook(row_of(webhook));
  }));
  remember(webhook);
  return webhook;
}

std::vector<Webhook> Subscriptions::list(std::optional<AccountNumber> account) const {
  std::vector<Webhook> found;
  const SharedLock lock(mutex_);
  for (const auto& [id, webhook] : webhooks_) {
    if (!account || webhook.account == *account) found.push_back(webhook);
  }
  std::ranges::sort(found, {}, &Webhook::created_at);
  return found;
}

std::optional<Webhook> Subscriptions::find_known(std::optional<AccountNumber> account, std::string_view id) const {
  const SharedLock lock(mutex_);
  const auto found = webhooks_.find(id);
  if (found == webhooks_.end() || (account && found->second.account != *account)) return std::nullopt;
  return found->second;
}

Result<Webhook> Subscriptions::find(std::optional<AccountNumber> account, std::string_view id) const {
  if (auto known = find_known(account, id)) return *std::move(known);
  // A row that cannot be believed is not in memory, and yet the webhook is there.
  CHECK_OK(directory_.read([&](DirectoryView& view) -> Result<> {
    TRY([[maybe_unused]] const auto row, view.find_webhook(id));
    return {};
  }));
  return webhook_not_found(id);
}

Result<Webhook> Subscriptions::alter(std::optional<AccountNumber> account, std::string_view id, const Alter& alter) {
  const MutexLock changing(changing_);
  TRY([[maybe_unused]] const Webhook known, find(account, id));
  Webhook after;
  CHECK_OK(directory_.write([&](DirectoryTxn& txn) -> Result<> {
    TRY(const auto row, txn.find_webhook(id));
    if (!row || (account && row->account != *account)) return webhook_not_found(id);
    after = webhook_from(*row, known_);
    alter(after, txn.now());
    return txn.put_webhook(row_of(after));
  }));
  remember(after);
  return after;
}

Result<Webhook> Subscriptions::change(std::optional<AccountNumber> account, std::string_view id,
                                      const WebhookChange& change) {
  if (change.url) {
    CHECK_OK(check_url(*change.url));
    CHECK_OK(check_reachable(*change.url));
  }
  if (change.events) CHECK_OK(check_events(*change.events));
  auto changed = alter(account, id, [&](Webhook& webhook, Timestamp) {
    webhook.url = change.url.value_or(webhook.url);
    webhook.events = change.events.value_or(webhook.events);
    webhook.enabled = change.enabled.value_or(webhook.enabled);
    if (webhook.enabled) webhook.disabled_because.clear();
  });
  wake_();  // what waited for it may go now
  return changed;
}

Result<Webhook> Subscriptions::rotate(std::optional<AccountNumber> account, std::string_view id) {
  return alter(account, id, [](Webhook& webhook, Timestamp now) {
    webhook.previous_secret = std::exchange(webhook.secret, make_secret());
    webhook.previous_until = now.plus_micros(limits::kSecretOverlapHours * 3600 * kMicrosPerSecond);
  });
}

Result<> Subscriptions::disable(std::string_view id, std::string_view because) {
  TRY([[maybe_unused]] const Webhook webhook, alter(std::nullopt, id, [&](Webhook& of, Timestamp) {
        of.enabled = false;
        of.disabled_because = because;
      }));
  return {};
}

Result<> Subscriptions::remove(std::optional<AccountNumber> account, std::string_view id) {
  const MutexLock changing(changing_);
  const auto webhook = find(account, id);
  // Nobody can tell whose a damaged one is: an operator may remove it.
  const bool is_operators = !account && !webhook && webhook.error().code == ErrorCode::damaged;
  if (!webhook && !is_operators) return std::unexpected(webhook.error());
  return remove_all({std::string(id)});
}

Result<> Subscriptions::forget(AccountNumber account) {
  const MutexLock changing(changing_);
  std::vector<std::string> ids;
  for (const Webhook& webhook : list(account)) ids.push_back(webhook.id);
  return ids.empty() ? Result<>{} : remove_all(ids);
}

Result<> Subscriptions::remove_all(const std::vector<std::string>& ids) {
  CHECK_OK(directory_.write([&](DirectoryTxn& txn) -> Result<> {
    for (const std::string& id : ids) CHECK_OK(txn.remove_webhook(id));
    return {};
  }));
  const MutexLock lock(mutex_);
  for (const std::string& id : ids) webhooks_.erase(id);
  index();
  return {};
}

}  // namespace syncline::webhooks
