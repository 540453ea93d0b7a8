#include "api/console/assets.hpp"

#include <array>
#include <charconv>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <optional>
#include <vector>

#include "base/text.hpp"

extern "C" {
// console/pack.S
extern const char syncline_console_pack[];
extern const char syncline_console_pack_end[];
}

namespace syncline::console {
namespace {

constexpr std::string_view kMagic = "syncline-pack 1\n";

struct FileType {
  std::string_view extension;
  std::string_view content_type;
};
constexpr auto kTypes = std::to_array<FileType>({
    {".html", "text/html; charset=utf-8"},
    {".js", "text/javascript; charset=utf-8"},
    {".css", "text/css; charset=utf-8"},
    {".svg", "image/svg+xml"},
    {".json", "application/json"},
});

std::string_view content_type_of(std::string_view path) {
  for (const FileType& type : kTypes) {
    if (path.ends_with(type.extension)) return type.content_type;
  }
  return "application/octet-stream";
}

std::optional<std::size_t> size_in(std::string_view text) {
  std::size_t size = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), size);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return size;
}

std::unexpected<Error> no_pack() { return fail(ErrorCode::invalid_document, "not a pack of console files"); }

/// Takes that many bytes from the front of `rest`; null for none.
std::shared_ptr<const std::string> take_bytes(std::string_view& rest, std::size_t count) {
  if (count == 0) return nullptr;
  auto bytes = std::make_shared<const std::string>(rest.substr(0, count));
  rest.remove_prefix(count);
  return bytes;
}

}  // namespace

std::string_view embedded_pack() {
  return {syncline_console_pack, static_cast<std::size_t>(syncline_console_pack_end - syncline_console_pack)};
}

Result<Assets> Assets::unpack(std::string_view pack) {
  if (!pack.starts_with(kMagic)) return no_pack();
  std::string_view rest = pack.substr(kMagic.size());
  std::vector<std::vector<std::string_view>> index;
  for (;;) {
    const std::size_t end = rest.find('\n');
    if (end == std::string_view::npos) return no_pack();
    const std::string_view line = rest.substr(0, end);
    rest.remove_prefix(end + 1);
    if (line.empty()) break;
    index.push_back(split(line, '\t'));
    if (index.back().size() != 5) return no_pack();
  }
  Assets assets;
  for (const auto& fields : index) {
    const auto plain = size_in(fields[2]);
    const auto gzip = size_in(fields[3]);
    const auto brotli = size_in(fields[4]);
    if (!plain || !gzip || !brotli) return no_pack();
    // One after the other, so that no sum of sizes can overflow.
    if (*plain > rest.size() || *gzip > rest.size() - *plain || *brotli > rest.size() - *plain - *gzip) {
      return no_pack();
    }
    auto asset = std::make_shared<Asset>();
    asset->content_type = content_type_of(fields[0]);
    asset->hash = fields[1];
    asset->plain = take_bytes(rest, *plain);
    if (!asset->plain) asset->plain = std::make_shared<const std::string>();
    asset->gzip = take_bytes(rest, *gzip);
    asset->brotli = take_bytes(rest, *brotli);
    assets.packed_.emplace(fields[0], std::move(asset));
  }
  if (!rest.empty()) return no_pack();
  return assets;
}

Result<Assets> Assets::in_directory(const std::string& path) {
  std::error_code ignored;
  if (!std::filesystem::is_regular_file(path + "/index.html", ignored)) {
    return fail(ErrorCode::not_found, "there is no console in " + path + ": it has no index.html");
  }
  Assets assets;
  assets.directory_ = path;
  return assets;
}

std::shared_ptr<const Asset> Assets::find(std::string_view path) const {
  if (!directory_.empty()) return read(path);
  const auto found = packed_.find(path);
  return found == packed_.end() ? nullptr : found->second;
}

std::shared_ptr<const Asset> Assets::read(std::string_view path) const {
  for (const std::string_view part : split(path, '/')) {
    if (part.empty() || part.starts_with('.') || part.find('\0') != std::string_view::npos) return nullptr;
  }
  const std::filesystem::path file = std::filesystem::path(directory_) / path;
  std::error_code ignored;
  if (!std::filesystem::is_regular_file(file, ignored)) return nullptr;
  std::ifstream in(file, std::ios::binary);
  if (!in) return nullptr;
  auto asset = std::make_shared<Asset>();
  asset->content_type = content_type_of(path);
  asset->plain =
      std::make_shared<const std::string>(std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>());
  return asset;
}

}  // namespace syncline::console
