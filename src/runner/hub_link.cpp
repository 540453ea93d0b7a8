#include "runner/hub_link.hpp"

#include <algorithm>
#include <deque>
#include <set>

#include "base/limits.hpp"
#include "base/mutex.hpp"
#include "base/stop.hpp"
#include "base/text.hpp"

namespace syncline::runner {
namespace {

constexpr std::int64_t kClaimWaitSeconds = 50;
constexpr std::int64_t kSlackMs = 20'000;           // on top of what the hub was asked to wait
constexpr std::int64_t kReportTimeoutMs = 120'000;  // results can be large, and links slow
constexpr std::size_t kTakenMax = 100'000;
// A hub is not trusted with this machine's memory.
constexpr std::size_t kCommandBytesMax = limits::kAnswerBytesDocument;  // the hub adds little to a command
constexpr std::size_t kStateBytesMax = limits::kAnswerBytesPage;        // of the published API: all that a space has

/// Whose errors are believed. A proxy on the way, a gateway that starts or a page that asks for a login have words of
/// their own for a hub that they do not reach, with the same statuses.
enum class Believed : std::uint8_t {
  our_hubs,        // a problem document of a hub of ours
  published_hubs,  // or the object with an "error" that the published API answers
};

bool is_from_hub(const http::ClientResponse& response, Believed believed) {
  const auto body = parse_json_object(response.body, limits::kBodyDepthMax);
  if (!body) return false;
  const auto error = body->find("error");
  if (believed == Believed::published_hubs && error && error->is_string()) return true;
  return body->text_of("type") == "/problems/" + body->text_of("code") && body->integer_of("status") == response.status;
}

/// The meaning of a status that is not what was hoped for.
std::unexpected<Error> error_of(const http::ClientResponse& response, Believed believed) {
  const std::string text = http::describe(response);
  // A redirection is no answer either: nobody follows one with a key.
  if (response.status < 400 || response.status == 429 || response.status >= 500) {
    return fail(ErrorCode::unavailable, text);
  }
  if (!is_from_hub(response, believed)) return fail(ErrorCode::unavailable, text + ", which is not a hub's answer");
  if (response.status == 401 || response.status == 403) return fail(ErrorCode::unauthorized, text);
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
  CommandRoutes(std::unique_ptr<http::Client> client, Believed believed)
      : client_(std::move(client)), believed_(believed) {}

  Result<Receipt> report(const std::string& id, const Outcome& outcome, std::stop_token stop) override {
    TRY(const auto response,
        send({http::Method::patch, path_of(id), make_report(outcome), {}, kReportTimeoutMs, kCommandBytesMax},
             std::move(stop)));
    if (response.status == 200) {
      TRY([[maybe_unused]] const JsonObject command, http::parse_object(response.body));
      return Receipt::accepted;
    }
    if (has_ended(response)) return Receipt::superseded;
    // Whoever on the way takes nothing so large does not take it at the next try either.
    const bool is_too_large = response.status == 413;
    const bool is_refused = (response.status == 400 || response.status == 422) && is_from_hub(response, believed_);
    if (is_too_large || is_refused) return Receipt::refused;
    return error_of(response, believed_);
  }

 protected:
  Result<http::ClientResponse> send(http::ClientRequest request, std::stop_token stop) {
    request.must_be_json = true;
    auto response = client_->send(request, std::move(stop));
    if (!response || !is_understood(*response)) client_->renew_connection();
    return response;
  }

  Result<Standing> ask_standing(http::ClientRequest request, std::stop_token stop) {
    request.answer_bytes_max = kCommandBytesMax;
    TRY(const auto response, send(std::move(request), std::move(stop)));
    if (has_ended(response)) return Standing{.is_ours = false};
    if (response.status != 200) return error_of(response, believed_);
    TRY(const JsonObject command, http::parse_object(response.body));
    return Standing{command.text_of("status") == to_text(CommandStatus::processing),
                    command.find("cancelRequested").has_value()};
  }

  /// The hub says that the command is not there any more, or not for us.
  [[nodiscard]] bool has_ended(const http::ClientResponse& response) const {
    return (response.status == 404 || response.status == 409) && is_from_hub(response, believed_);
  }

  const std::unique_ptr<http::Client> client_;
  const Believed believed_;

 private:
  [[nodiscard]] bool is_understood(const http::ClientResponse& response) const {
    if (response.status / 100 != 2) return is_from_hub(response, believed_);
    return response.status == 204 || response.body.starts_with('{');
  }
};

class ClaimingLink final : public CommandRoutes {
 public:
  explicit ClaimingLink(std::unique_ptr<http::Client> client) : CommandRoutes(std::move(client), Believed::our_hubs) {}

  Result<std::optional<RawOrder>> next(std::stop_token stop) override {
    // Nothing is waited for before the hub has said that it accepts the key.
    const std::int64_t seconds = is_accepted_ ? kClaimWaitSeconds : 0;
    http::ClientRequest request{http::Method::post, "/command/claim?wait=" + std::to_string(seconds), "", {}};
    request.timeout_ms = seconds * 1000 + kSlackMs;
    request.answer_bytes_max = kCommandBytesMax;
    TRY(const auto response, send(std::move(request), std::move(stop)));
    is_accepted_ = response.status == 200 || response.status == 204;
    if (response.status == 204) return std::nullopt;
    const bool has_no_such_route = response.status == 404 || response.status == 405;
    if (has_no_such_route && is_from_hub(response, Believed::published_hubs)) {
      return fail(ErrorCode::invalid_argument,
                  "this hub does not support claims (POST /command/claim); use --published-api");
    }
    if (response.status != 200) return error_of(response, believed_);
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
    return ask_standing(std::move(request), std::move(stop));
  }

  Result<> send_output(const std::string& id, Stream stream, std::string_view text, std::stop_token stop) override {
    std::string body;
    JsonWriter(body)
        .begin_object()
        .string("stream", stream == Stream::out ? "stdout" : "stderr")
        .string("data", text)
        .end_object();
    TRY(const auto response, send({http::Method::post, path_of(id) + "/output", body, {}}, std::move(stop)));
    return response.status == 204 ? Result<>{} : error_of(response, believed_);
  }

  Result<Approval> ask(const std::string& id, const Question& question, std::stop_token stop) override {
    std::string body;
    JsonWriter(body)
        .begin_object()
        .string("rule", question.rule)
        .string("pattern", question.pattern)
        .string("hash", question.hash)
        .end_object();
    TRY(const auto response, send({http::Method::post, path_of(id) + "/approval/request", body, {}}, std::move(stop)));
    const bool is_from_our_hub = is_from_hub(response, believed_);
    if (response.status == 409 && is_from_our_hub) return Approval::withdrawn;
    if (response.status == 404 && is_from_our_hub) {
      return fail(ErrorCode::conflict, "this hub does not support approvals");
    }
    if (response.status != 200) return error_of(response, believed_);
    TRY(const JsonObject answer, http::parse_object(response.body));
    const std::string state = answer.text_of("state");
    return state == "approved" ? Approval::granted : state == "requested" ? Approval::held : Approval::withdrawn;
  }

 private:
  bool is_accepted_ = false;
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
      : CommandRoutes(std::move(client), Believed::published_hubs), found_(std::move(found)), poll_ms_(poll_ms) {}

  Result<std::optional<RawOrder>> next(std::stop_token stop) override {
    MutexLock lock(found_->mutex);
    while (found_->waiting.empty() && !stop.stop_requested()) {
      const auto now = std::chrono::steady_clock::now();
      if (now >= found_->next_poll) {
        found_->next_poll = now + std::chrono::milliseconds(poll_ms_);
        CHECK_OK(poll(stop));
        found_->changed.notify_all();
        if (found_->waiting.empty()) return std::nullopt;  // the hub has answered
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

  Result<Approval> ask(const std::string&, const Question&, std::stop_token) override {
    return fail(ErrorCode::conflict, "the published API does not support approvals");
  }

 private:
  /// Makes all pending commands that nobody has taken wait.
  Result<> poll(const std::stop_token& stop) REQUIRES(found_->mutex) {
    http::ClientRequest request{http::Method::get, "/sync", "", {}};
    request.answer_bytes_max = kStateBytesMax;
    TRY(const auto response, send(std::move(request), stop));
    if (response.status != 200) return error_of(response, believed_);
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
    http::ClientRequest request{http::Method::patch, path_of(id), R"({"status":"processing"})", {}};
    request.answer_bytes_max = kCommandBytesMax;
    TRY(const auto response, send(std::move(request), stop));
    if (has_ended(response)) return std::nullopt;
    if (response.status != 200) return error_of(response, believed_);
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
