// One operation of a push, as clients send it.
#pragma once

#include <deque>

#include "base/json.hpp"
#include "core/record.hpp"
#include "wire/kernle_tables.hpp"

namespace syncline::kernle {

struct Operation {
  /// As sent, for the answer: clients look up their queue by it. Empty where it was no string.
  std::string_view table_as_sent;
  std::string_view id;
  std::string_view verb;
  /// What to do, with views into the request and into the texts of read_operation()...
  Op op;
  /// ... or why not.
  std::optional<Error> refusal;
};

/// Reads an operation of a checked body. `texts` keeps what had to be unescaped. `has_doubtful_values`: somewhere in
/// the body is a value that cannot be stored; the operation is then looked at alone.
[[nodiscard]] Operation read_operation(JsonView json, std::deque<std::string>& texts, bool has_doubtful_values);

}  // namespace syncline::kernle
