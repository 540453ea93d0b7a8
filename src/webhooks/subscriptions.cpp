#include "webhooks/subscriptions.hpp"

#include <algorithm>

#include "base/bytes.hpp"
#include "base/json_object.hpp"
#include "base/text.hpp"
#include "webhooks/signature.hpp"

namespace syncline::webhooks {
namespace {

constexpr std::string_view kCollection = "webhooks";
constexpr std::size_t kUrlBytesMax = 2048;
constexpr std::size_t kIdBytes = 8;

std::string doc_of(const Webhook& webhook) {
  std::string doc;
  JsonWriter(doc)
      .begin_object()
      .integer("account", webhook.account.value)
      .string("url", webhook.url)
      .string("events", join(webhook.events.names(), ","))
      .string("secret", webhook.secret)
      .string("previous_secret", webhook.previous_secret)
      .integer("previous_until", webhook.previous_until.micros)
      .boolean("enabled", webhook.enabled)
      .string("disabled_because", webhook.disabled_because)
      .integer("created_at", webhook.created_at.micros)
      .end_object();
  return doc;
}

Webhook webhook_from(std::string_view id, std::string_view doc, const EventTypes& known) {
  const JsonView json(doc);
  const JsonObject object{json};
  Webhook webhook;
  webhook.id = id;
  webhook.account = {object.integer_of("account").value_or(0)};
  webhook.url = json.text_of("url");
  const std::string events = json.text_of("events");
  webhook.events = known.named_in(split(events, ','));
  webhook.secret = json.text_of("secret");
  webhook.previous_secret = json.text_of("previous_secret");
  webhook.previous_until = {object.integer_of("previous_until").value_or(0)};
  const auto enabled = json.find("enabled");
  webhook.enabled = enabled && enabled->as_boolean().value_or(false);
  webhook.disabled_because = json.text_of("disabled_because");
  webhook.created_at = {object.integer_of("created_at").value_or(0)};
  return webhook;
}

/// Puts the record as it is: one process only writes these, and they need no merge. An empty document deletes.
Result<> put_doc(Txn& txn, std::string_view id, std::string doc) {
  TRY(const auto existing, txn.find(kCollection, id));
  Record record;
  record.collection = kCollection;
  record.id = id;
  record.updated_at = record.effective_at = txn.stamp();
  record.deleted = doc.empty();
  record.doc = std::move(doc);
  txn.put(std::move(record), existing ? &*existing : nullptr);
  return {};
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
  CHECK_OK(store_.read(system_space(), [&](Snapshot& snapshot) {
    return snapshot.scan(kCollection, "", [&](const RecordView& record) {
      if (!record.deleted) stored[std::string(record.id)] = webhook_from(record.id, record.doc, known_);
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

Result<Webhook> Subscriptions::store(const Webhook& before, const Alter& alter) {
  Webhook after;
  const auto written = write_and_wait(store_, system_space(), {}, [&](Txn& txn) {
    after = before;
    alter(after, txn.now());
    return put_doc(txn, after.id, doc_of(after));
  });
  if (!written) return std::unexpected(written.error());
  const MutexLock lock(mutex_);
  webhooks_[after.id] = after;
  index();
  return after;
}

Result<Webhook> Subscriptions::add(AccountNumber account, std::string_view url, const EventTypes& events,
                                   std::string_view secret, std::string_view once) {
  CHECK_OK(check_url(url));
  CHECK_OK(check_events(events));
  if (!secret.empty()) CHECK_OK(check_secret(secret));
  const MutexLock changing(changing_);
  const std::string id = "wh_" + to_hex(once.empty() ? random_bytes(kIdBytes) : std::string(once.substr(0, kIdBytes)));
  if (const auto made = find(account, id)) {
    const bool is_same = made->url == url && made->events.names() == events.names();
    if (is_same && (secret.empty() || made->secret == secret)) return made;
    return fail(ErrorCode::key_reused, "this Idempotency-Key was used for another webhook");
  }
  if (list(account).size() >= limits::kWebhooksMax) {
    return fail(ErrorCode::conflict,
                "an account can have at most " + std::to_string(limits::kWebhooksMax) + " webhooks; remove one first");
  }
  const Webhook webhook{.id = id,
                        .account = account,
                        .url = std::string(url),
                        .events = events,
                        .secret = secret.empty() ? make_secret() : std::string(secret),
                        .previous_secret = {},
                        .previous_until = {},
                        .disabled_because = {},
                        .created_at = {}};
  return store(webhook, [](Webhook& made, Timestamp now) { made.created_at = now; });
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

Result<Webhook> Subscriptions::find(std::optional<AccountNumber> account, std::string_view id) const {
  const SharedLock lock(mutex_);
  const auto found = webhooks_.find(id);
  if (found == webhooks_.end() || (account && found->second.account != *account)) {
    return fail(ErrorCode::not_found, "webhook '" + std::string(id) + "' not found");
  }
  return found->second;
}

Result<Webhook> Subscriptions::alter(std::optional<AccountNumber> account, std::string_view id, const Alter& alter) {
  const MutexLock changing(changing_);
  TRY(const Webhook webhook, find(account, id));
  return store(webhook, alter);
}

Result<Webhook> Subscriptions::change(std::optional<AccountNumber> account, std::string_view id,
                                      const WebhookChange& change) {
  if (change.url) CHECK_OK(check_url(*change.url));
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
  TRY(const Webhook webhook, find(account, id));
  const auto written =
      write_and_wait(store_, system_space(), {}, [&](Txn& txn) { return put_doc(txn, webhook.id, ""); });
  if (!written) return std::unexpected(written.error());
  const MutexLock lock(mutex_);
  webhooks_.erase(webhook.id);
  index();
  return {};
}

Result<> Subscriptions::forget(AccountNumber account) {
  for (const Webhook& webhook : list(account)) CHECK_OK(remove(account, webhook.id));
  return {};
}

}  // namespace syncline::webhooks
