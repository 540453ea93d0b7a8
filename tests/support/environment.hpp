// What tests need of the world: a directory of their own that goes away with them, and the crypto library.
#pragma once

#include <cstdint>
#include <string>

namespace syncline::test {

class TemporaryDirectory {
 public:
  /// In memory syncs cost nothing: for tests that make thousands of them.
  enum class Place : std::uint8_t { disk, memory };
  explicit TemporaryDirectory(Place place = Place::disk);
  TemporaryDirectory(const TemporaryDirectory&) = delete;
  TemporaryDirectory& operator=(const TemporaryDirectory&) = delete;
  ~TemporaryDirectory();
  [[nodiscard]] const std::string& path() const { return path_; }

 private:
  std::string path_;
};

}  // namespace syncline::test
