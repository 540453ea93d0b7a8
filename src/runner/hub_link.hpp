// What a runner says to its hub and hears from it. Two kinds: the claiming routes of a syncline hub, and the published
// command API alone (GET /sync, PATCH /command/{id}) of any hub. docs/api/ has both.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <stop_token>

#include "http/client.hpp"
#include "runner/order.hpp"
#include "runner/supervision.hpp"

namespace syncline::runner {

struct RawOrder {
  std::string id;
  JsonObject fields;
};

/// Whether a command that runs is still wanted from us.
struct Standing {
  bool is_ours = true;
  bool cancel_requested = false;
};

enum class Receipt {
  accepted,
  superseded,  // the hub has given the command up or finished it otherwise
  refused,     // the hub does not take it, because it is too large
};

enum class Approval { granted, held, withdrawn };

/// What is to be approved: by which rule, what an approval for good would cover, and the fingerprint of the order.
struct Question {
  std::string rule;
  std::string pattern;
  std::string hash;
};

/// For one thread at a time. Errors: `unauthorized` when the hub says that the key counts no more, `invalid_argument`
/// when it is no hub of this kind, `unavailable` or `timed_out` for anything that passes: the hub cannot be reached or
/// asks to come later, or something else answered in its place. What a proxy says is never taken for the hub's word.
class HubLink {
 public:
  virtual ~HubLink() = default;

  /// Waits for an order, a minute or so. Nothing if none came or `stop` was requested.
  [[nodiscard]] virtual Result<std::optional<RawOrder>> next(std::stop_token stop) = 0;
  [[nodiscard]] virtual Result<Receipt> report(const std::string& id, const Outcome& outcome, std::stop_token stop) = 0;
  /// Says that the command still runs.
  [[nodiscard]] virtual Result<Standing> renew(const std::string& id, std::stop_token stop) = 0;
  /// Returns when the command is not wanted any more, or after `seconds`.
  [[nodiscard]] virtual Result<Standing> watch(const std::string& id, std::int64_t seconds, std::stop_token stop) = 0;
  [[nodiscard]] virtual Result<> send_output(const std::string& id, Stream stream, std::string_view text,
                                             std::stop_token stop) = 0;
  /// Hands the command back until somebody has approved it, unless that pattern is approved for good, or the
  /// command is not wanted any more. `conflict` if this hub cannot ask anybody.
  [[nodiscard]] virtual Result<Approval> ask(const std::string& id, const Question& question, std::stop_token stop) = 0;
};

using LinkFactory = std::function<std::unique_ptr<HubLink>()>;

[[nodiscard]] LinkFactory make_claiming_links(http::ClientFactory clients);
/// All links of one factory share the orders that one of them has found.
[[nodiscard]] LinkFactory make_published_links(http::ClientFactory clients, std::int64_t poll_ms);

}  // namespace syncline::runner
