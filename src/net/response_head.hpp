// The text of a response's head.
#pragma once

#include "http/message.hpp"

namespace syncline::net {

enum class Framing { none, length, chunked, until_close };

struct HeadOptions {
  Framing framing = Framing::length;
  std::size_t body_bytes = 0;
  bool keep_alive = true;
  bool gzipped = false;
  bool varies_by_encoding = false;
  std::string_view request_id;
};

[[nodiscard]] std::string make_head(const http::Response& response, const HeadOptions& options);

}  // namespace syncline::net
