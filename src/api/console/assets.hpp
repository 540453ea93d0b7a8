// The files of the web console: those that were built into the program, or a directory while somebody works on them.
// Immutable once made, and safe from any thread.
//
// A pack, as web/pack.mjs writes it:
//
//   "syncline-pack 1\n"
//   for each file, sorted by path: "PATH\tHASH\tBYTES\tGZIP_BYTES\tBROTLI_BYTES\n"; 0 bytes of a form: not packed so
//   "\n"
//   for each file, in the same order: its bytes, then gzip, then brotli
#pragma once

#include <map>
#include <memory>
#include <string>
#include <string_view>

#include "base/result.hpp"

namespace syncline::console {

struct Asset {
  std::string_view content_type;
  std::string hash;  // of the content; empty for a file of a directory
  std::shared_ptr<const std::string> plain;
  std::shared_ptr<const std::string> gzip;    // null: not packed so
  std::shared_ptr<const std::string> brotli;  // null: not packed so
};

class Assets {
 public:
  /// Nothing: the program was built without a console.
  Assets() = default;
  /// `invalid_document` for anything that is no pack. Copies what it keeps.
  [[nodiscard]] static Result<Assets> unpack(std::string_view pack);
  /// Reads each file when it is asked for, so that a new build shows at once. `not_found` without an index.html there.
  [[nodiscard]] static Result<Assets> in_directory(const std::string& path);

  /// The file of that path below the root, like "a/main-1a2b3c4d.js"; null if there is none.
  [[nodiscard]] std::shared_ptr<const Asset> find(std::string_view path) const;
  [[nodiscard]] bool is_empty() const { return packed_.empty() && directory_.empty(); }

 private:
  [[nodiscard]] std::shared_ptr<const Asset> read(std::string_view path) const;

  std::map<std::string, std::shared_ptr<const Asset>, std::less<>> packed_;
  std::string directory_;
};

/// The pack that was built into the program: one without files if it was built without a console.
[[nodiscard]] std::string_view embedded_pack();

}  // namespace syncline::console
