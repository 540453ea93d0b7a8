// Any bytes as JSON: explain_json must agree with simdjson about what is JSON, and whatever it accepts must be safe to
// walk, to bring into canonical form and to compare.
#include <simdjson.h>

#include <cstdint>
#include <cstdlib>

#include "base/json.hpp"

using namespace syncline;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  constexpr int kDepthMax = 72;
  const std::string text(reinterpret_cast<const char*>(data), size);
  const JsonFault fault = explain_json(text, kDepthMax).fault;
  simdjson::dom::parser parser;
  const bool accepted = parser.parse(simdjson::padded_string(text)).error() == simdjson::SUCCESS;
  // simdjson takes no integer beyond 64 bits.
  int run = 0;
  bool has_long_integer = false;
  for (const char c : text) {
    run = c >= '0' && c <= '9' ? run + 1 : 0;
    has_long_integer = has_long_integer || run >= 19;
  }
  const bool may_differ = fault == JsonFault::unsupported_value || fault == JsonFault::too_deep || has_long_integer;
  if (!may_differ && accepted != (fault == JsonFault::none)) std::abort();
  if (fault == JsonFault::none) {
    const JsonView view(text);
    if (!same_json(view, view) || view.depth() > kDepthMax) std::abort();
    (void)canonical_json(view);
  }
  return 0;
}
