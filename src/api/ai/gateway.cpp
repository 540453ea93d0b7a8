// Requests on their way to the upstream and back, each on a thread of the face, so that a slow upstream holds no
// network thread.
//
// Scopes are in routes.cpp. Errors: 400 for a request that neither the hub nor the upstream accepts, 403 for a plan
// without AI, 404 for an unknown model, 429 once the month's tokens are used up, 502 if the upstream fails, 503 without
// an upstream or a free slot, 504 if it does not answer in time. Changes the account's usage of the month, and nothing
// else.
#include "api/ai/errors.hpp"
#include "api/ai/reply_stream.hpp"
#include "api/ai/routes.hpp"
#include "api/ai/stream_events.hpp"
#include "base/limits.hpp"
#include "base/log.hpp"
#include "base/text.hpp"
#include "http/event_stream_reader.hpp"

namespace syncline::ai {
namespace {

constexpr std::int64_t kRetrySeconds = 5;
/// What an answer that never came, or not whole, is charged at most: nobody knows how far the upstream had got.
constexpr std::int64_t kTimedOutTokensMax = 4096;
/// A long text, or some pictures. Each request under way may hold so much.
constexpr std::size_t kAnswerBytesMax = 32UL << 20U;
/// 2,048 vectors of 3,072 numbers in base64, or 1,000 in decimal digits.
constexpr std::size_t kEmbeddingsBytesMax = 64UL << 20U;
constexpr std::string_view kCutBy = "X-Cut-By";

api::Problem problem(int status, http::ProblemCode code, std::string detail) {
  api::Problem made;
  made.status = status;
  made.code = code;
  made.title = http::reason_of(status);
  made.detail = std::move(detail);
  return made;
}

/// What the upstream's failure means for our client. Its own words only where they are about the request.
api::Problem upstream_problem(const Result<http::ClientResponse>& answer, Form form) {
  if (!answer) {
    if (answer.error().code == ErrorCode::timed_out) {
      return problem(504, "upstream_timeout", "the AI upstream did not answer in time");
    }
    if (answer.error().code == ErrorCode::answer_too_large) {
      return problem(502, "upstream_answer_too_large", "the AI upstream's answer is too large; ask for less at once");
    }
    return problem(502, "upstream_unreachable", "the AI upstream cannot be reached");
  }
  if (answer->status == 429) {
    api::Problem busy = problem(503, "upstream_busy", "the AI upstream accepts no more requests at the moment");
    busy.retry_after_s = kRetrySeconds;
    return busy;
  }
  if (answer->status == 401 || answer->status == 403) {
    return problem(502, "upstream_refused", "the AI upstream rejects this hub's key");
  }
  if (answer->status >= 400 && answer->status < 500) {
    const auto body = parse_json_object(answer->body, limits::kBodyDepthMax);
    const auto error = body ? body->find("error") : std::nullopt;
    const auto message = error && error->is_object() ? error->find("message") : error;
    std::string words = message ? message->as_string().value_or("") : "";
    words = std::string(cut_utf8(words, limits::kErrorTextBytesMax));
    if (answer->status == 404 && form != Form::kaisho) {
      return problem(404, "upstream_not_found", "the AI upstream does not have the route or the model: " + words);
    }
    return problem(400, "upstream_rejected", "the AI upstream rejects the request: " + words);
  }
  return problem(502, "upstream_failed", "the AI upstream failed with status " + std::to_string(answer->status));
}

}  // namespace

/// One completion under way.
struct Face::Job {
  Face& face;
  api::CallPtr call;
  Completion completion;
  Reservation reservation;

  Job(Face& of, api::CallPtr with, Completion what) : face(of), call(std::move(with)), completion(std::move(what)) {}
  Job(const Job&) = delete;
  Job& operator=(const Job&) = delete;
  ~Job() { leave(); }

  /// Frees its place: before the answer goes out, or the client's next request could find it taken.
  void leave() {
    if (!std::exchange(left_, true)) face.leave(account());
  }

  [[nodiscard]] AccountNumber account() const { return call->principal().account; }
  [[nodiscard]] http::ClientRequest request() const {
    return {.method = http::Method::post,
            .target = std::string(completion.target()),
            .body = completion.to_text(reservation.tokens),
            .headers = {{"X-Request-Id", std::string(call->head().request_id)}},
            .timeout_ms = face.upstream_->timeout_ms,
            .answer_bytes_max = answer_bytes_max()};
  }
  [[nodiscard]] std::size_t answer_bytes_max() const {
    return completion.form == Form::embeddings ? kEmbeddingsBytesMax : kAnswerBytesMax;
  }
  [[nodiscard]] std::string_view cut_by() const { return completion.cut_by(reservation.tokens); }
  [[nodiscard]] bool sends_limit() const { return completion.limit_within(reservation.tokens).has_value(); }

 private:
  bool left_ = false;
};

std::int64_t Face::cap_of(const Principal& principal) const {
  if (principal.ai_cap) return *principal.ai_cap;
  const auto found = caps_.by_plan.find(principal.plan);
  return found == caps_.by_plan.end() ? caps_.standard : found->second;
}

void Face::get_usage(const api::CallPtr& call) {
  TRY_CALL(call, const Usage usage, meter_.usage(call->principal().account));
  call->respond_json(200, usage_json(usage, cap_of(call->principal())));
}

void Face::list_models(const api::CallPtr& call) {
  std::string out;
  JsonWriter writer(out);
  writer.begin_object().string("object", "list").name("data").begin_array();
  for (const std::string& name : upstream_ ? upstream_->models.names() : std::vector<std::string>{}) {
    writer.begin_object()
        .string("id", name)
        .string("object", "model")
        .integer("created", 0)
        .string("owned_by", "syncline")
        .end_object();
  }
  writer.end_array().end_object();
  call->respond_json(200, std::move(out));
}

void Face::ask(const api::CallPtr& call, const Read& read) {
  if (!upstream_) return begin(call, Completion{});
  TRY_CALL(call, const JsonView body, call->json_object());
  begin(call, read(body, upstream_->models));
}

void Face::begin(const api::CallPtr& call, const Result<Completion>& read) {
  if (!access_.may_use_ai(call->principal())) {
    api::Problem refused = problem(403, "plan_too_small", "the plan does not include the AI face");
    refused.text_members.emplace_back("current_plan", access_.shown_plan(call->principal()));
    return call->fail(refused);
  }
  if (!upstream_) return call->fail(problem(503, "no_upstream", "this hub has no AI upstream: set ai.url"));
  if (!read) return call->fail(read.error());
  if (!enter(call->principal().account) || !post(std::make_shared<Job>(*this, call, *read))) {
    api::Problem busy = problem(503, "busy", "too many AI requests at once");
    busy.retry_after_s = kRetrySeconds;
    return call->fail(busy);
  }
}

bool Face::post(const JobPtr& job) {
  const MutexLock lock(threads_mutex_);
  if (!threads_ || stop_.stop_requested()) return false;
  threads_->post([this, job] { run(job); });
  return true;
}

void Face::stop() {
  stop_.request_stop();
  std::unique_ptr<Executor> ending;
  {
    const MutexLock lock(threads_mutex_);
    ending = std::move(threads_);
  }
  ending.reset();  // waits for the requests under way
}

bool Face::enter(AccountNumber account) {
  const std::size_t all = upstream_->requests_at_once_max;
  const std::size_t of_one_max = std::max<std::size_t>(1, all - std::max<std::size_t>(1, all / 4));
  const MutexLock lock(places_mutex_);
  const auto own = taken_.find(account);
  if (taken_all_ >= all || (own != taken_.end() && own->second >= of_one_max)) return false;
  taken_[account] += 1;
  taken_all_ += 1;
  return true;
}

void Face::leave(AccountNumber account) {
  const MutexLock lock(places_mutex_);
  taken_all_ -= 1;
  if (--taken_[account] == 0) taken_.erase(account);
}

void Face::run(const JobPtr& job) {
  const api::CallPtr& call = job->call;
  TRY_CALL(call, const auto reservation,
           meter_.reserve(job->account(), job->completion.estimate, cap_of(call->principal())));
  if (!reservation) return fail_over_cap(call);
  job->reservation = *reservation;
  job->completion.streams ? run_stream(job) : run_whole(job);
}

void Face::fail_over_cap(const api::CallPtr& call) {
  const std::int64_t cap = cap_of(call->principal());
  TRY_CALL(call, const Usage usage, meter_.usage(call->principal().account));
  api::Problem over = problem(429, "insufficient_quota", "the month's AI tokens are used up");
  over.json_members = {{"usage", usage_json(usage, cap)}, {"cap", std::to_string(cap)}};
  call->fail(over);
}

void Face::settle(const Job& job, const Tokens& used) {
  const auto settled = meter_.settle(job.account(), job.reservation, used);
  if (!settled) log(LogLevel::warning, "ai_usage_not_settled", {{"error", settled.error().text}});
}

void Face::give_up(const JobPtr& job, const Result<http::ClientResponse>& answer) {
  // What the upstream refused cost nothing; what it did not finish in time, or answered too much to, it has worked on.
  const bool may_have_cost =
      !answer && (answer.error().code == ErrorCode::timed_out || answer.error().code == ErrorCode::answer_too_large);
  if (may_have_cost) {
    const Tokens& reserved = job->reservation.tokens;
    settle(*job, {reserved.input, std::min(reserved.output, kTimedOutTokensMax)});
  } else if (const auto released = meter_.release(job->account(), job->reservation); !released) {
    log(LogLevel::warning, "ai_usage_not_settled", {{"error", released.error().text}});
  }
  job->leave();
  log(LogLevel::warning, "ai_upstream_failed",
      {{"status", std::int64_t{answer ? answer->status : 0}}, {"error", answer ? "" : answer.error().text}});
  job->call->fail(upstream_problem(answer, job->completion.form));
}

Result<http::ClientResponse> Face::exchange(Job& job, const Send& send) {
  Completion& completion = job.completion;
  const std::string model = completion.body.text_of("model");
  completion.limit_name = limit_names_.name_for(model, completion.limit_name);
  auto answer = send(job.request());
  const auto other = job.sends_limit() ? limit_names_.other_name(answer, completion.limit_name) : std::nullopt;
  if (!other) return answer;
  completion.limit_name = *other;
  answer = send(job.request());
  if (answer && answer->status == 200) limit_names_.remember(model, *other);
  return answer;
}

void Face::run_whole(const JobPtr& job) {
  auto client = take_client();
  auto answer =
      exchange(*job, [&](const http::ClientRequest& request) { return client->send(request, stop_.get_token()); });
  give_back(std::move(client));
  if (!answer || answer->status != 200) return give_up(job, answer);
  if (!is_json_object(answer->body)) {
    settle(*job, {job->reservation.tokens.input, estimate_tokens(answer->body.size())});
    return job->call->fail(problem(502, "upstream_failed", "the AI upstream's answer is not JSON"));
  }
  const JsonView body(answer->body);
  const Tokens used =
      find_usage(body).value_or(Tokens{job->reservation.tokens.input, estimate_tokens(output_bytes(body))});
  settle(*job, used);
  job->leave();
  const bool cut = is_cut(body);
  std::string text;
  if (job->completion.form == Form::kaisho) {
    auto translated = kaisho_answer(body, used, job->cut_by());
    if (!translated) return job->call->fail(problem(502, "upstream_failed", "the AI upstream's answer has no choice"));
    text = *std::move(translated);
  } else if (cut) {
    JsonObject explained{body};
    explained.set_text("cut_by", job->cut_by());
    text = explained.to_text();
  } else {
    return job->call->respond_json(200, std::move(answer->body));
  }
  http::Response response = http::make_text(200, "application/json", std::move(text));
  if (cut) response.headers.push_back({kCutBy, std::string(job->cut_by())});
  job->call->respond(std::move(response));
}

void Face::run_stream(const JobPtr& job) {
  const auto reply = std::make_shared<ReplyStream>();
  bool responded = false;
  std::stop_source enough;
  StreamEvents events(job->completion, job->cut_by());
  http::EventStreamReader reader([&](const std::string& name, std::string data) {
    std::string text = events.translate(name, std::move(data));
    if (!text.empty()) (void)reply->write(std::move(text));
    if (events.finished()) enough.request_stop();  // an upstream may keep the connection open
  });
  const auto take = [&](std::string_view piece) {
    if (!std::exchange(responded, true)) {
      http::Response response;
      response.content_type = "text/event-stream";
      response.headers = {{"Cache-Control", "no-store"}, {"X-Accel-Buffering", "no"}};
      response.body = ReplyStream::make_source(reply);
      job->call->respond(std::move(response));
    }
    reader.add(piece);
  };
  const std::stop_callback on_hub(stop_.get_token(), [&] { reply->abandon(); });
  const std::stop_callback on_reader(reply->reader_gone(), [&] { enough.request_stop(); });
  auto client = take_client();
  const auto answer = exchange(
      *job, [&](const http::ClientRequest& request) { return client->stream(request, take, enough.get_token()); });
  give_back(std::move(client));
  if (!responded) return give_up(job, answer);

  settle(*job, events.used().value_or(Tokens{job->reservation.tokens.input, estimate_tokens(events.bytes())}));
  job->leave();
  if (reply->reader_gone().stop_requested()) return reply->cut();
  if (events.finished()) {
    (void)reply->write(events.ending());
  } else {
    const std::string text =
        answer ? "the AI upstream broke off" : upstream_problem(answer, job->completion.form).detail;
    (void)reply->write(events.failure(problem(502, "upstream_failed", text)));
  }
  reply->end();
}

std::unique_ptr<http::Client> Face::take_client() {
  {
    const MutexLock lock(clients_mutex_);
    if (!clients_.empty()) {
      auto client = std::move(clients_.back());
      clients_.pop_back();
      return client;
    }
  }
  return upstream_->connect();
}

void Face::give_back(std::unique_ptr<http::Client> client) {
  const MutexLock lock(clients_mutex_);
  clients_.push_back(std::move(client));
}

}  // namespace syncline::ai
