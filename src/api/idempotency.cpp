#include "api/idempotency.hpp"

#include "base/bytes.hpp"

namespace syncline::api {

Result<Idempotency> Idempotency::of(Call& call) {
  Idempotency made;
  std::string_view key = call.header("Idempotency-Key");
  if (key.empty()) return made;
  if (key.size() >= 2 && key.front() == '"' && key.back() == '"') key = key.substr(1, key.size() - 2);
  if (key.empty() || key.size() > limits::kIdempotencyKeyBytesMax) {
    return fail(ErrorCode::invalid_argument, "Idempotency-Key must have 1 to 256 bytes");
  }
  std::string scope = std::to_string(call.principal().key.value) + ' ' + std::string(call.head().method_text) + ' ' +
                      std::string(call.path()) + ' ';
  made.key_ = as_text(sha256(scope.append(key)));
  made.fingerprint_ = as_text(sha256(call.body()));
  return made;
}

void Idempotency::declare(Reads& reads) const {
  if (is_active()) reads.receipts.push_back(key_);
}

Result<std::optional<Receipt>> Idempotency::find(Txn& txn) const {
  if (!is_active()) return std::nullopt;
  TRY(auto receipt, txn.find_receipt(key_));
  if (receipt && receipt->fingerprint != fingerprint_) {
    return fail(ErrorCode::key_reused, "this Idempotency-Key was used for another request");
  }
  return receipt;
}

void Idempotency::keep(Txn& txn, int status, const std::string& body) const {
  if (is_active()) txn.put_receipt(key_, {fingerprint_, status, body});
}

http::Response replay(Receipt receipt) {
  auto response = http::make_text(receipt.status, "application/json", std::move(receipt.body));
  response.headers.push_back({"Idempotent-Replayed", "true"});
  return response;
}

}  // namespace syncline::api
