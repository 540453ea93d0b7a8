#include "app/secrets.hpp"

#include <cstdlib>
#include <fstream>

#include "base/text.hpp"

namespace syncline::app {
namespace {

Result<std::string> read_secret_file(const std::string& file) {
  std::ifstream stream(file);
  std::string line;
  if (!std::getline(stream, line)) {
    return fail(ErrorCode::not_found, "cannot read a secret from the first line of " + file);
  }
  return std::string(trim(line));
}

}  // namespace

Result<std::optional<std::string>> find_secret(const SecretSource& source) {
  if (!source.file.empty()) return read_secret_file(source.file);
  if (const char* value = std::getenv(source.environment); value != nullptr && *value != '\0') return value;
  if (const char* directory = std::getenv("CREDENTIALS_DIRECTORY")) {
    const std::string file = std::string(directory) + '/' + source.credential;
    if (std::ifstream(file)) return read_secret_file(file);
  }
  return std::nullopt;
}

}  // namespace syncline::app
