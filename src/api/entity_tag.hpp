// Entity tags (RFC 9110, 8.8.3) in the headers of conditional requests.
#pragma once

#include <string_view>

#include "base/text.hpp"

namespace syncline::api {

/// True when one of the entity tags of an If-Match or If-None-Match is `etag`, which has its quotes. "*" fits any.
[[nodiscard]] inline bool lists_etag(std::string_view header, std::string_view etag) {
  for (const std::string_view part : split(header, ',')) {
    std::string_view tag = trim(part);
    if (tag == "*") return true;
    if (tag.starts_with("W/")) tag.remove_prefix(2);
    if (tag == etag) return true;
  }
  return false;
}

}  // namespace syncline::api
