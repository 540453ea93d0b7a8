// Certificates and keys for TLS. The OpenSSL context behind one may be shared between threads once it is made.
#pragma once

#include <memory>

#include "base/result.hpp"
#include "net/asio_forward.hpp"
#include "net/server.hpp"

namespace syncline::net {

/// A context with the files' certificate and key, TLS 1.2 and up.
[[nodiscard]] Result<std::shared_ptr<asio::ssl::context>> make_tls_context(const TlsFiles& files);

}  // namespace syncline::net
