#include "runner/hub_link.hpp"

#include <algorithm>
#include <deque>
#include <set>

#include "base/mutex.hpp"
#include "base/stop.hpp"
#include "base/text.hpp"

namespace syncline::runner {
namespace {

constexpr std::int64_t kClaimWaitSeconds = 50;
constexpr std::int64_t kSlackMs = 20'000;           // on top of what the hub was asked to wait
constexpr std::int64_t kReportTimeoutMs = 120'000;  // results can be large, and links slow
constexpr std::size_t kTakenMax = 100'000;

/// The meaning of a status that is not what was hoped for.
std::unexpected<Error> error_of(const http::ClientResponse& response) {
  const std::string text = http::describe(response);
  if (response.status == 401 || response.status == 403) return fail(ErrorCode::unauthorized, text);
  if (response.status == 429 || response.status >= 500) return fail(ErrorCode::unavailable, text);
  return fail(ErrorCode::invalid_argument, text);
}

std::string path_of(const std::string& id) { return "/command/" + percent_encode(id); }

std::string make_report(const Outcome& outcome) {
  std::string body;
  JsonWriter writer(body);
  writer.begin_object().string("status", to_text(outcome.status));
  if (!outcome.result.empty()) writer.raw("result", outcome.result);
  if (!outcome.error.empty()) writer.string("error", outcome.error);
  writer.end_object();
  return body;
}

/// What both kinds of hub understand.
class CommandRoutes : public HubLink {
 public:
  explicit CommandRoutes(std::unique_ptr<http::Client> client) : client_(std::move(client)) {}

  Result<Receipt> report(const std::string& id, const Outcome& outcome, std::stop_token stop) override {
    TRY(const auto response,
        client_->send({http::Method::patch, path_of(id), make_report(outcome), {}, kReportTimeoutMs}, std::move(stop)));
    switch (response.status) {
      case 200: return Receipt::accepted;
      case 404:
      case 409: return Receipt::superseded;
      case 400:
      case 413:
      case 422: return Receipt::refused;
      default: return error_of(response);
    }
  }

 protected:
  Result<Standing> ask_standing(const http::ClientRequest& request, std::stop_token stop) {
    TRY(const auto response, client_->send(request, std::move(stop)));
    if (response.status == 404 || response.status == 409) return Standing{.is_ours = false};
    if (response.status != 200) return error_of(response);
    TRY(const JsonObject command, http::parse_object(response.body));
    return Standing{command.text_of("status") == to_text(CommandStatus::processing),
                    command.find("cancelRequested").has_value()};
  }

  const std::unique_ptr<http::Client> client_;
};

class ClaimingLink final : public CommandRoutes {
 public:
  using CommandRoutes::CommandRoutes;

  Result<std::optional<RawOrder>> next(std::stop_token stop) override {
    http::ClientRequest request{http::Method::post, "/command/claim?wait=" + std::to_string(kClaimWaitSeconds), "", {}};
    request.timeout_ms = kClaimWaitSeconds * 1000 + kSlackMs;
    TRY(const auto response, client_->send(request, std::move(stop)));
    if (response.status == 204) return std::nullopt;
    if (response.status == 404 || response.status == 405) {
      return fail(ErrorCode::invalid_argument,
                  "this hub does not support claims (POST /command/claim); use --published-api");
    }
    if (response.status != 200) return error_of(response);
    TRY(JsonObject command, http::parse_object(response.body));
    std::string id = command.text_of("commandId");
    if (id.empty()) return fail(ErrorCode::unavailable, "the hub's answer has no commandId");
    return RawOrder{std::move(id), std::move(command)};
  }

  Result<Standing> renew(const std::string& id, std::stop_token stop) override {
    return ask_standing({http::Method::patch, path_of(id), R"({"status":"processing"})", {}}, std::move(stop));
  }

  Result<Standing> watch(const std::string& id, std::int64_t seconds, std::stop_token stop) override {
    http::ClientRequest request{http::Method::get, path_of(id) + "?wait=" + std::to_string(seconds), "", {}};
    request.timeout_ms = seconds * 1000 + kSlackMs;
    return ask_standing(request, std::move(stop));
  }

  Result<> send_output(const std::string& id, Stream stream, std::string_view text, std::stop_token stop) override {
    std::string body;
    JsonWriter(body)
        .begin_object()
        .string("stream", stream == Stream::out ? "stdout" : "stderr")
        .string("data", text)
        .end_object();
    TRY(const auto response, client_->send({http::Method::post, path_of(id) + "/output", body, {}}, std::move(stop)));
    return response.status == 204 ? Result<>{} : error_of(response);
  }

  Result<Approval> ask(const std::string& id, std::string_view rule, std::string_view pattern,
                       std::stop_token stop) override {
    std::string body;
    JsonWriter(body).begin_object().string("rule", rule).string("pattern", pattern).end_object();
    TRY(const auto response,
        client_->send({http::Method::post, path_of(id) + "/approval/request", body, {}}, std::move(stop)));
    if (response.status == 409) return Approval::withdrawn;
    if (response.status == 404) return fail(ErrorCode::conflict, "this hub does not support approvals");
    if (response.status != 200) return error_of(response);
    TRY(const JsonObject answer, http::parse_object(response.body));
    const std::string state = answer.text_of("state");
    return state == "approved" ? Approval::granted : state == "requested" ? Approval::held : Approval::withdrawn;
  }
};

/// What the links of a hub with the published API share: the orders that a poll has found and nobody has taken.
struct FoundOrders {
  Mutex mutex;
  StoppableCondVar changed;
  std::deque<std::string> waiting GUARDED_BY(mutex);
  std::set<std::string> taken GUARDED_BY(mutex);
  std::chrono::steady_clock::time_point next_poll GUARDED_BY(mutex);
};

class PublishedLink final : public CommandRoutes {
 public:
  PublishedLink(std::unique_ptr<http::Client> client, std::shared_ptr<FoundOrders> found, std::int64_t poll_ms)
      : CommandRoutes(std::move(client)), found_(std::move(found)), poll_ms_(poll_ms) {}

  Result<std::optional<RawOrder>> next(std::stop_token stop) override {
    MutexLock lock(found_->mutex);
    while (found_->waiting.empty() && !stop.stop_requested()) {
      const auto now = std::chrono::steady_clock::now();
      if (now >= found_->next_poll) {
        found_->next_poll = now + std::chrono::milliseconds(poll_ms_);
        CHECK_OK(poll(stop));
        found_->changed.notify_all();
      } else {
        found_->changed.wait_until(found_->mutex, stop, found_->next_poll);
      }
    }
    if (found_->waiting.empty()) return std::nullopt;
    const std::string id = found_->waiting.front();
    found_->waiting.pop_front();
    lock.unlock();
    auto taken = take(id, stop);
    if (!taken || !*taken) forget(id);
    return taken;
  }

  // The published API knows no renewal: any request shows the hub that the runner lives.
  Result<Standing> renew(const std::string& id, std::stop_token stop) override {
    return ask_standing({http::Method::get, path_of(id), "", {}}, std::move(stop));
  }

  Result<Standing> watch(const std::string& id, std::int64_t seconds, std::stop_token stop) override {
    wait_unless_stopped(stop, std::chrono::milliseconds(std::min(poll_ms_, seconds * 1000)));
    return ask_standing({http::Method::get, path_of(id), "", {}}, std::move(stop));
  }

  Result<> send_output(const std::string&, Stream, std::string_view, std::stop_token) override { return {}; }

  Result<Approval> ask(const std::string&, std::string_view, std::string_view, std::stop_token) override {
    return fail(ErrorCode::conflict, "the published API does not support approvals");
  }

 private:
  /// Makes all pending commands that nobody has taken wait.
  Result<> poll(const std::stop_token& stop) REQUIRES(found_->mutex) {
    TRY(const auto response, client_->send({http::Method::get, "/sync", "", {}}, stop));
    if (response.status != 200) return error_of(response);
    TRY(const JsonObject state, http::parse_object(response.body));
    const auto commands = state.find("commands");
    if (!commands || !commands->is_object()) return {};
    std::vector<std::pair<std::int64_t, std::string>> pending;
    commands->for_each_member([&](std::string_view id, JsonView value) {
      if (!value.is_object()) return;
      const JsonObject command(value);
      if (command.text_of("status") == "pending") pending.emplace_back(command.integer_of("createdAt").value_or(0), id);
    });
    std::ranges::sort(pending);
    for (auto& [at, id] : pending) {
      if (!found_->taken.contains(id)) found_->waiting.push_back(std::move(id));
    }
    if (found_->taken.size() > kTakenMax) found_->taken.clear();
    found_->taken.insert(found_->waiting.begin(), found_->waiting.end());
    return {};
  }

  /// Nothing if somebody else was quicker.
  Result<std::optional<RawOrder>> take(const std::string& id, const std::stop_token& stop) {
    TRY(const auto response, client_->send({http::Method::patch, path_of(id), R"({"status":"processing"})", {}}, stop));
    if (response.status == 409 || response.status == 404) return std::nullopt;
    if (response.status != 200) return error_of(response);
    TRY(JsonObject command, http::parse_object(response.body));
    return RawOrder{id, std::move(command)};
  }

  /// The next poll may find it again.
  void forget(const std::string& id) EXCLUDES(found_->mutex) {
    const MutexLock lock(found_->mutex);
    found_->taken.erase(id);
  }

  const std::shared_ptr<FoundOrders> found_;
  const std::int64_t poll_ms_;
};

}  // namespace

LinkFactory make_claiming_links(http::ClientFactory clients) {
  return [clients = std::move(clients)] { return std::make_unique<ClaimingLink>(clients()); };
}

LinkFactory make_published_links(http::ClientFactory clients, std::int64_t poll_ms) {
  return [clients = std::move(clients), poll_ms, found = std::make_shared<FoundOrders>()] {
    return std::make_unique<PublishedLink>(clients(), found, poll_ms);
  };
}

}  // namespace syncline::runner
