// What RFC 9112 asks of a request beyond what the parser refuses. A request that two programs on its way can read in
// two ways is refused: its body may be a second request to one of them. Pure; for RequestReader.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/result.hpp"

namespace syncline::net {

/// The fields of a head that decide where the request ends and whom it is for.
struct RequestShape {
  bool is_http_1_0 = false;
  int hosts = 0;  // fields of that name
  std::string_view host;
  int transfer_encodings = 0;
  std::string_view transfer_encoding;
  std::string_view target;
};

/// invalid_argument with what is wrong.
[[nodiscard]] Result<> check_shape(const RequestShape& shape);

/// True if a line of a head, or of a part of it, continues the one before.
[[nodiscard]] bool has_folded_line(std::string_view head);

/// "http://host/path?query", as a client sends it to a proxy.
struct AbsoluteTarget {
  std::string_view host;
  std::string path;  // and query
};
/// Nothing for a target of another form.
[[nodiscard]] std::optional<AbsoluteTarget> parse_absolute_target(std::string_view target);

}  // namespace syncline::net
