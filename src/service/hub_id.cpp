#include "service/hub_id.hpp"

#include "base/bytes.hpp"
#include "base/log.hpp"

namespace syncline {
namespace {

constexpr std::string_view kHubIdMark = "hub_id";

/// Never 0, which stands for none.
std::int64_t make_number() {
  std::int64_t number = 0;
  for (const char byte : random_bytes(4)) number = number * 256 + static_cast<unsigned char>(byte);
  return number == 0 ? 1 : number;
}

std::string to_digits(std::int64_t number) {
  std::string bytes;
  for (unsigned shift = 32; shift > 0;) {
    shift -= 8;
    bytes += static_cast<char>(static_cast<std::uint64_t>(number) >> shift);
  }
  return to_hex(bytes);
}

}  // namespace

Result<std::string> load_hub_id(Directory& directory) {
  std::int64_t known = 0;
  CHECK_OK(directory.read([&](DirectoryView& view) -> Result<> {
    TRY(known, view.find_mark(kHubIdMark));
    return {};
  }));
  if (known != 0) return to_digits(known);
  const std::int64_t made = make_number();
  const auto kept = directory.write([&](DirectoryTxn& txn) -> Result<> { return txn.put_mark(kHubIdMark, made); });
  if (!kept) log(LogLevel::warning, "hub_id_not_kept", {{"error", kept.error().text}});
  return to_digits(made);
}

}  // namespace syncline
