#include "app/ca_file.hpp"

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>

namespace syncline::app {

Result<> check_ca_file(const std::string& file) {
  if (file.empty()) return {};
  std::ifstream stream(file);
  if (!stream) {
    return fail(ErrorCode::not_found, "cannot read the CA file " + file + ": " + std::strerror(errno));
  }
  for (std::string line; std::getline(stream, line);) {
    const bool is_certificate =
        line.starts_with("-----BEGIN CERTIFICATE-----") || line.starts_with("-----BEGIN TRUSTED CERTIFICATE-----");
    if (is_certificate) return {};
  }
  return fail(ErrorCode::invalid_argument,
              "the CA file " + file + " has no certificate in PEM form (a line -----BEGIN CERTIFICATE-----)");
}

Result<std::string> find_ca_file(const std::string& option) {
  std::string file = option;
  if (const char* set = std::getenv("SYNCLINE_TLS_CA_FILE"); file.empty() && set != nullptr) file = set;
  if (file.empty()) return file;
  CHECK_OK(check_ca_file(file));
  return std::filesystem::absolute(file).lexically_normal().string();
}

}  // namespace syncline::app
