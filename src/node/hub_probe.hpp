// Finds out what a hub speaks and whom its key belongs to. Never changes, so it is safe from any thread; it blocks
// until the hub has answered.
//
// The dialects that a node is given are tried in their order. The first that recognises the hub says who the account
// is. Hubs of /v1 speak some of them too: after one of those, GET /v1/me decides whether the hub is used natively.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "replica/dialect.hpp"

namespace syncline::node {

/// A hub, the key for it, and how it is trusted.
struct HubAddress {
  std::string url;
  std::string key;
  std::string ca_file;  // PEM file with a CA to trust besides the system's; empty for none
};

/// Makes clients for a hub; invalid_argument for a URL that is none.
using HubReacher = std::function<Result<http::ClientFactory>(const HubAddress& hub)>;

class HubProbe {
 public:
  /// The clock and the dialects outlive the probe.
  HubProbe(HubReacher reach, const Clock& clock, std::vector<const replica::Dialect*> dialects)
      : reach_(std::move(reach)), clock_(clock), dialects_(std::move(dialects)) {}

  /// unauthorized for a key that does not count, forbidden for one that lacks scopes; not_found if what answers is no
  /// hub; unavailable or timed_out if nothing answers, or a hub in trouble.
  [[nodiscard]] Result<replica::HubAccount> ask(const HubAddress& hub, const std::stop_token& stop) const;

 private:
  [[nodiscard]] std::unexpected<Error> no_hub() const;

  const HubReacher reach_;
  const Clock& clock_;
  const std::vector<const replica::Dialect*> dialects_;
};

}  // namespace syncline::node
