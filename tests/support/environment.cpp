#include "support/environment.hpp"

#include <gtest/gtest.h>

#include <filesystem>

#include "base/bytes.hpp"
#include "base/log.hpp"

namespace syncline::test {
namespace {

class CryptoEnvironment final : public testing::Environment {
 public:
  void SetUp() override {
    ASSERT_TRUE(initialise_crypto());
    set_log_level(LogLevel::off);
  }
};

const testing::Environment* const kEnvironment = testing::AddGlobalTestEnvironment(new CryptoEnvironment);

}  // namespace

TemporaryDirectory::TemporaryDirectory(Place place) {
  const std::filesystem::path memory = "/dev/shm";
  const bool in_memory = place == Place::memory && std::filesystem::is_directory(memory);
  const auto parent = in_memory ? memory : std::filesystem::temp_directory_path();
  path_ = (parent / ("syncline-" + to_hex(random_bytes(8)))).string();
  std::filesystem::create_directories(path_);
}

TemporaryDirectory::~TemporaryDirectory() {
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}

}  // namespace syncline::test
