// An authenticator in software: makes keys and signs, as browsers and security keys do, and lies where a test wants it.
#pragma once

#include <memory>
#include <string>

#include "base/public_key.hpp"

struct evp_pkey_st;

namespace syncline::test {

/// What a browser and its authenticator say. Each member can be made wrong.
struct Ceremony {
  std::string type = "webauthn.get";
  std::string challenge;  // bytes
  std::string origin = "https://hub.example.org";
  std::string cross_origin = "false";  // JSON; empty: left out
  std::string rp_id = "hub.example.org";
  unsigned flags = 0x05;  // somebody was there, and was verified
  std::uint32_t counter = 0;
  std::string credential;  // of a registration: the id in the authenticator data
};

[[nodiscard]] std::string client_data_of(const Ceremony& ceremony);
[[nodiscard]] std::string authenticator_data_of(const Ceremony& ceremony);

class Authenticator {
 public:
  explicit Authenticator(SignatureKind kind = SignatureKind::es256);
  /// A key of any algorithm of OpenSSL: "P-384", "RSA1024".
  explicit Authenticator(const std::string& algorithm);
  Authenticator(Authenticator&&) noexcept;
  ~Authenticator();

  [[nodiscard]] std::string public_key() const;
  [[nodiscard]] std::string sign(const std::string& message) const;
  /// Over both parts, as an assertion has it.
  [[nodiscard]] std::string sign(const std::string& authenticator_data, const std::string& client_data) const;

  /// What toJSON() makes of the answer to navigator.credentials.create() and get().
  [[nodiscard]] std::string registration_json(Ceremony ceremony, SignatureKind kind) const;
  [[nodiscard]] std::string assertion_json(const Ceremony& ceremony) const;

 private:
  struct Free {
    void operator()(evp_pkey_st* key) const;
  };
  std::unique_ptr<evp_pkey_st, Free> key_;
};

}  // namespace syncline::test
