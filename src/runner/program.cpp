#include "runner/program.hpp"

#include <cstdlib>
#include <map>

namespace syncline::runner {

Result<> check_arguments(const std::vector<std::string>& argv) {
  std::size_t all = 0;
  for (const std::string& argument : argv) {
    if (argument.size() >= kArgumentBytesMax) {
      return fail(ErrorCode::too_large, "an argument has " + std::to_string(argument.size()) +
                                            " bytes; a program can get at most " +
                                            std::to_string(kArgumentBytesMax - 1));
    }
    all += argument.size() + 1;
  }
  if (all < kArgumentsBytesMax) return {};
  return fail(ErrorCode::too_large, "the arguments have " + std::to_string(all) + " bytes; a program can get at most " +
                                        std::to_string(kArgumentsBytesMax));
}

std::vector<std::pair<std::string, std::string>> make_environment(const Policy& policy) {
  std::map<std::string, std::string> variables = {
      {"PATH", "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"},
      {"HOME", "/tmp"},
      {"LANG", "C.UTF-8"},
      {"TERM", "dumb"}};
  for (const std::string& name : policy.passed_environment) {
    if (const char* value = std::getenv(name.c_str())) variables[name] = value;
  }
  for (const auto& [name, value] : policy.set_environment) variables[name] = value;
  return {variables.begin(), variables.end()};
}

}  // namespace syncline::runner
