#include "service/short_code.hpp"

#include "base/bytes.hpp"

namespace syncline {
namespace {

/// Crockford's base 32: no letter looks like a digit.
constexpr std::string_view kDigits = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
constexpr std::size_t kCodeDigits = 8;

}  // namespace

std::string make_short_code() {
  std::string code;
  for (const char byte : random_bytes(kCodeDigits)) code += kDigits[static_cast<unsigned char>(byte) % kDigits.size()];
  return code;
}

std::string group_short_code(std::string_view code) {
  const std::size_t half = code.size() / 2;
  return std::string(code.substr(0, half)) + '-' + std::string(code.substr(half));
}

std::string read_short_code(std::string_view typed) {
  std::string code;
  for (const char c : typed.substr(0, 4 * kCodeDigits)) {
    const char upper = c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
    if (upper == '-' || upper == ' ') continue;
    code += upper == 'O' ? '0' : upper == 'I' || upper == 'L' ? '1' : upper;
  }
  return code;
}

}  // namespace syncline
