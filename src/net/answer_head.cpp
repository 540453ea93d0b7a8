#include "net/answer_head.hpp"

#include "base/limits.hpp"
#include "base/text.hpp"

namespace syncline::net {

bool AnswerHead::take(std::string_view line) {
  bytes_ += line.size();
  if (bytes_ > limits::kAnswerHeadBytesMax) {
    fault_ = Error{ErrorCode::answer_too_large,
                   "the answer's headers are larger than " + std::to_string(limits::kAnswerHeadBytesMax) + " bytes"};
    return false;
  }
  const std::size_t colon = line.find(':');
  if (colon == std::string_view::npos) return true;
  const std::string_view name = line.substr(0, colon);
  const std::string_view value = trim(line.substr(colon + 1));
  const bool is_content = decodes_ && equal_ignoring_case(name, "Content-Encoding");
  if (!is_content && !equal_ignoring_case(name, "Transfer-Encoding")) return true;
  if (equal_ignoring_case(value, "identity")) return true;
  const std::string_view expected = is_content ? "gzip" : "chunked";
  const bool is_second = is_content && ++codings_ > 1;
  if (equal_ignoring_case(value, expected) && !is_second) return true;
  fault_ = Error{ErrorCode::unavailable, "the answer is encoded in a way that was not asked for"};
  return false;
}

}  // namespace syncline::net
