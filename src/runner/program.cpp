#include "runner/program.hpp"

#include <cstdlib>
#include <map>

namespace syncline::runner {

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
