// The format is that of https://sqlite.org/fileformat2.html#walformat, all numbers big-endian but for the words that
// the checksums are made of:
//
//   header   magic (4), format (4), page size (4), checkpoint number (4), salt (8), checksum of all that (8)
//   frame    page number (4), pages of the database if it ends a commit, else 0 (4), salt (8), checksum (8); the page
//
// A frame's checksum continues that of the frame before, over the first 8 bytes of its head and its page.
#include "store/sqlite/log_scan.hpp"

#include <array>
#include <bit>
#include <cstring>
#include <fstream>
#include <string_view>
#include <vector>

namespace syncline::sqlite {
namespace {

constexpr std::size_t kLogHeaderBytes = 32;
constexpr std::size_t kFrameHeadBytes = 24;
constexpr std::uint32_t kMagic = 0x377F0682;  // the last bit: the words of checksums are big-endian
constexpr std::size_t kPageSizeAt = 16;       // in a database
constexpr std::uint32_t kPageBytesMin = 512;
constexpr std::uint32_t kPageBytesMax = 65'536;

std::uint32_t big_endian(const char* at) {
  std::uint32_t value = 0;
  std::memcpy(&value, at, sizeof value);
  return std::endian::native == std::endian::big ? value : std::byteswap(value);
}

struct Checksum {
  std::uint32_t first = 0;
  std::uint32_t second = 0;
  friend bool operator==(const Checksum&, const Checksum&) = default;

  void add(std::string_view bytes, bool words_are_big_endian) {
    const bool swaps = words_are_big_endian != (std::endian::native == std::endian::big);
    for (std::size_t i = 0; i + 8 <= bytes.size(); i += 8) {
      std::array<std::uint32_t, 2> words{};
      std::memcpy(words.data(), bytes.data() + i, 8);
      first += (swaps ? std::byteswap(words[0]) : words[0]) + second;
      second += (swaps ? std::byteswap(words[1]) : words[1]) + first;
    }
  }
  static Checksum stored_at(const char* at) { return {big_endian(at), big_endian(at + 4)}; }
};

bool is_page_size(std::uint32_t bytes) {
  return bytes >= kPageBytesMin && bytes <= kPageBytesMax && std::has_single_bit(bytes);
}

std::uint32_t page_size_of(const std::string& database) {
  std::ifstream file(database, std::ios::binary);
  std::array<char, kPageSizeAt + 2> head{};
  file.read(head.data(), static_cast<std::streamsize>(head.size()));
  const auto byte = [&](std::size_t at) { return static_cast<std::uint32_t>(static_cast<unsigned char>(head[at])); };
  const std::uint32_t size = byte(kPageSizeAt) << 8U | byte(kPageSizeAt + 1);
  return size == 1 ? kPageBytesMax : size;
}

}  // namespace

LogScan scan_log(const std::string& database) {
  LogScan scan;
  std::ifstream log(database + "-wal", std::ios::binary);
  std::array<char, kLogHeaderBytes> header{};
  if (!log.read(header.data(), static_cast<std::streamsize>(header.size()))) return scan;
  const std::uint32_t magic = big_endian(header.data());
  const bool big_words = (magic & 1U) != 0;
  Checksum running;
  running.add({header.data(), kLogHeaderBytes - sizeof(Checksum)}, big_words);
  Checksum before = Checksum::stored_at(header.data() + kLogHeaderBytes - sizeof(Checksum));
  const bool header_is_good = (magic & ~1U) == kMagic && running == before;
  std::string salt(header.data() + 16, 8);
  std::uint32_t page_bytes = big_endian(header.data() + 8);
  if (!header_is_good) {
    page_bytes = page_size_of(database);
    salt.clear();
  }
  if (!is_page_size(page_bytes)) return scan;

  bool is_past_damage = !header_is_good;
  std::vector<char> frame(kFrameHeadBytes + page_bytes);
  while (log.read(frame.data(), static_cast<std::streamsize>(frame.size()))) {
    const std::string_view bytes(frame.data(), frame.size());
    if (salt.empty()) salt = bytes.substr(8, 8);  // of the first frame: the header cannot be believed
    const Checksum stored = Checksum::stored_at(bytes.data() + 16);
    Checksum made = before;
    made.add(bytes.substr(0, 8), big_words);
    made.add(bytes.substr(kFrameHeadBytes), big_words);
    const bool is_whole = bytes.substr(8, 8) == salt && made == stored;
    const bool ends_commit = big_endian(bytes.data() + 4) != 0;
    is_past_damage = is_past_damage || !is_whole;
    if (!is_past_damage) scan.good_frames += 1;
    if (is_past_damage && is_whole && ends_commit) scan.commits_past_damage += 1;
    before = stored;
  }
  return scan;
}

}  // namespace syncline::sqlite
