// Routes about the process itself: alive, ready, metrics, the description of the API.
#pragma once

#include "api/face.hpp"
#include "api/operations/documents.hpp"
#include "api/operations/metrics.hpp"
#include "api/router.hpp"

namespace syncline::operations {

/// Who may read the figures, where no key is asked for.
enum class MetricsFor : std::uint8_t {
  everybody,
  this_machine,  // programs of this machine that speak to it by its address
};

struct Facts {
  std::string version;
  /// Why nobody should rely on the hub at this moment; nothing if it reads and takes writes.
  std::function<std::optional<std::string>()> not_ready;
  std::function<StoreStatus()> store_status;
  /// What is not as it should be although the hub serves; empty if nothing is. Null: never anything.
  std::function<std::string()> in_doubt;
  MetricsFor metrics_for = MetricsFor::everybody;
  /// Null where accounts have none.
  const Quotas* quotas = nullptr;
  /// Null where nobody makes any.
  const BackupWatch* backups = nullptr;
};

/// Open to everybody, but for the figures, which need a key with the scope admin. Not a module: it speaks of the
/// process that has all the faces, this one too.
class Face final : public api::Face {
 public:
  /// `router` has the table that /docs and /openapi describe.
  Face(const api::Router& router, Metrics& metrics, Facts facts)
      : router_(router), metrics_(metrics), facts_(std::move(facts)), documents_(router, facts_.version) {}

  [[nodiscard]] std::vector<api::Route> make_routes() override;
  /// /metrics alone, without a key, for a listener that the operator has set up for it.
  [[nodiscard]] std::vector<api::Route> make_metrics_routes();

 private:
  void get_front_page(const api::CallPtr& call);
  void get_docs(const api::CallPtr& call);
  void get_docs_of_face(const api::CallPtr& call);
  void get_open_api(const api::CallPtr& call);
  void get_open_api_of_face(const api::CallPtr& call);
  void get_health(const api::CallPtr& call);
  void get_ready(const api::CallPtr& call);
  void get_metrics(const api::CallPtr& call);
  void get_open_metrics(const api::CallPtr& call);
  void respond_metrics(const api::CallPtr& call);
  void get_problem(const api::CallPtr& call);
  [[nodiscard]] Error no_such_face() const;

  const api::Router& router_;
  Metrics& metrics_;
  const Facts facts_;
  Documents documents_;
};

}  // namespace syncline::operations
