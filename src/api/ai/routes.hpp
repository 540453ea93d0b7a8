// The AI gateway: chat completions, responses and embeddings of an OpenAI-compatible upstream, metered per account and
// month. The upstream's key is known to the client factory alone.
#pragma once

#include <map>

#include "api/ai/completion.hpp"
#include "api/ai/limit_names.hpp"
#include "api/face.hpp"
#include "base/mutex.hpp"
#include "http/client.hpp"

namespace syncline::ai {

struct Upstream {
  http::ClientFactory connect;
  Models models;
  std::int64_t timeout_ms = 120'000;     // for a whole answer; for a stream, between two pieces
  std::size_t requests_at_once_max = 8;  // each has a thread
  std::string limit_parameter;           // the only name of the limit; empty: found out for each model
};

/// Tokens a month.
struct Caps {
  std::int64_t standard = 200'000;
  std::map<Plan, std::int64_t> by_plan;
};

/// Makes so many threads. Their end waits for the work that they were given.
using MakeThreads = std::function<std::unique_ptr<Executor>(std::size_t count)>;

/// Errors of /ai are Kaisho's, whose clients it is published for; those of /v1 are OpenAI's. A completion changes the
/// account's usage of the month, and nothing else.
class Face final : public api::Face {
 public:
  /// Without an upstream every completion is refused with 503.
  Face(const api::FaceParts& parts, const MakeThreads& make_threads, std::optional<Upstream> upstream, Caps caps);

  [[nodiscard]] std::vector<api::Route> make_routes() override;
  /// Ends the requests under way.
  void stop() override;

 private:
  struct Job;
  using JobPtr = std::shared_ptr<Job>;

  void get_usage(const api::CallPtr& call);
  void list_models(const api::CallPtr& call);
  void complete(const api::CallPtr& call) { ask(call, read_kaisho_request); }
  void complete_open_ai(const api::CallPtr& call) { ask(call, read_open_ai_request); }
  void respond(const api::CallPtr& call) { ask(call, read_responses_request); }
  void embed(const api::CallPtr& call) { ask(call, read_embeddings_request); }

  using Read = std::function<Result<Completion>(JsonView body, const Models& models)>;
  void ask(const api::CallPtr& call, const Read& read);

  [[nodiscard]] std::int64_t cap_of(const Principal& principal) const;
  void begin(const api::CallPtr& call, const Result<Completion>& read);
  /// Takes a place; false when there is none, or the account has as many as one may have: others shall find one.
  [[nodiscard]] bool enter(AccountNumber account);
  void leave(AccountNumber account);
  /// False once the hub is stopping.
  [[nodiscard]] bool post(const JobPtr& job);
  void run(const JobPtr& job);
  using Send = std::function<Result<http::ClientResponse>(const http::ClientRequest&)>;
  /// Sends the request, and once more where the upstream knows the limit by another name.
  [[nodiscard]] Result<http::ClientResponse> exchange(Job& job, const Send& send);
  void run_whole(const JobPtr& job);
  void run_stream(const JobPtr& job);
  void fail_over_cap(const api::CallPtr& call);
  void settle(const Job& job, const Tokens& used);
  void give_up(const JobPtr& job, const Result<http::ClientResponse>& answer);

  [[nodiscard]] std::unique_ptr<http::Client> take_client();
  void give_back(std::unique_ptr<http::Client> client);

  Access& access_;
  const std::optional<Upstream> upstream_;
  const Caps caps_;
  Meter meter_;
  LimitNames limit_names_;
  Mutex places_mutex_;
  std::size_t taken_all_ GUARDED_BY(places_mutex_) = 0;
  std::map<AccountNumber, std::size_t> taken_ GUARDED_BY(places_mutex_);
  std::stop_source stop_;
  Mutex clients_mutex_;
  std::vector<std::unique_ptr<http::Client>> clients_ GUARDED_BY(clients_mutex_);
  Mutex threads_mutex_;
  std::unique_ptr<Executor> threads_ GUARDED_BY(threads_mutex_);  // each runs a request; end before the rest does
};

[[nodiscard]] api::FaceModule make_module(MakeThreads make_threads, std::optional<Upstream> upstream, Caps caps);

}  // namespace syncline::ai
