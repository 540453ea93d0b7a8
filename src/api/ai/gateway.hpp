// The AI gateway: chat completions of an OpenAI-compatible upstream, metered per account and month. The upstream's key
// is known to the client factory alone.
#pragma once

#include <map>

#include "api/ai/completion.hpp"
#include "api/router.hpp"
#include "base/mutex.hpp"
#include "http/client.hpp"

namespace syncline::ai {

struct Upstream {
  http::ClientFactory connect;
  Models models;
  std::int64_t timeout_ms = 120'000;     // for a whole answer; for a stream, between two pieces
  std::size_t requests_at_once_max = 8;  // as many threads as `threads` has
};

/// Tokens a month.
struct Caps {
  std::int64_t standard = 200'000;
  std::map<Plan, std::int64_t> by_plan;
};

class Gateway {
 public:
  /// Without an upstream every completion is refused with 503. `threads` runs a request each; it is not used for
  /// anything else.
  Gateway(Spaces& spaces, Access& access, Executor& threads, std::optional<Upstream> upstream, Caps caps);

  [[nodiscard]] std::vector<api::Route> make_routes();
  /// Ends the requests under way: the hub is stopping.
  void stop() { stop_.request_stop(); }

 private:
  struct Job;
  using JobPtr = std::shared_ptr<Job>;

  void get_usage(const api::CallPtr& call);
  void list_models(const api::CallPtr& call);
  void complete(const api::CallPtr& call);
  void complete_open_ai(const api::CallPtr& call);

  [[nodiscard]] std::int64_t cap_of(const Principal& principal) const;
  void begin(const api::CallPtr& call, const Result<Completion>& read, bool for_kaisho);
  /// Takes a place; false when there is none, or the account has as many as one may have: others shall find one.
  [[nodiscard]] bool enter(AccountNumber account);
  void leave(AccountNumber account);
  void run(const JobPtr& job);
  void run_whole(const JobPtr& job);
  void run_stream(const JobPtr& job);
  void fail_over_cap(const api::CallPtr& call);
  void settle(const Job& job, const Tokens& used);
  void give_up(const JobPtr& job, const Result<http::ClientResponse>& answer);

  [[nodiscard]] std::unique_ptr<http::Client> take_client();
  void give_back(std::unique_ptr<http::Client> client);

  Access& access_;
  Executor& threads_;
  const std::optional<Upstream> upstream_;
  const Caps caps_;
  Meter meter_;
  Mutex places_mutex_;
  std::size_t taken_all_ GUARDED_BY(places_mutex_) = 0;
  std::map<AccountNumber, std::size_t> taken_ GUARDED_BY(places_mutex_);
  std::stop_source stop_;
  Mutex clients_mutex_;
  std::vector<std::unique_ptr<http::Client>> clients_ GUARDED_BY(clients_mutex_);
};

}  // namespace syncline::ai
