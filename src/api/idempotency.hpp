// Idempotency-Key: a repeated request is answered from its receipt instead of being done again. The receipt commits
// together with the change it stands for.
#pragma once

#include "api/call.hpp"
#include "store/store.hpp"

namespace syncline::api {

class Idempotency {
 public:
  /// From the request's header; inactive if there is none. Fails for a key that is empty or too long.
  [[nodiscard]] static Result<Idempotency> of(Call& call);

  /// Names what find() looks up.
  void declare(Reads& reads) const;
  /// In the transaction, before anything else: the stored answer of the same request. key_reused if the key came with
  /// another request before.
  [[nodiscard]] Result<std::optional<Receipt>> find(Txn& txn) const;
  /// In the transaction, at the end.
  void keep(Txn& txn, int status, const std::string& body) const;
  [[nodiscard]] bool is_active() const { return !key_.empty(); }
  /// 32 bytes that are the same for the same key on the same route, of one API key; empty if inactive.
  [[nodiscard]] const std::string& name() const { return key_; }
  /// 32 bytes that are the same for the same body; empty if inactive.
  [[nodiscard]] const std::string& fingerprint() const { return fingerprint_; }

 private:
  std::string key_;
  std::string fingerprint_;
};

/// The answer that a receipt stands for.
[[nodiscard]] http::Response replay(Receipt receipt);

}  // namespace syncline::api
