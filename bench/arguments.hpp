// The command line of a load program: pairs of a name and a value.
#pragma once

#include <cstdio>
#include <cstdlib>
#include <map>
#include <string>

namespace bench {

class Arguments {
 public:
  Arguments(int argc, char** argv) {
    for (int i = 1; i + 1 < argc; i += 2) given_[argv[i]] = argv[i + 1];
  }

  [[nodiscard]] std::string text(const char* name, const char* otherwise) const {
    const auto found = given_.find(name);
    return found == given_.end() ? otherwise : found->second;
  }
  [[nodiscard]] double number(const char* name, double otherwise) const {
    const auto found = given_.find(name);
    return found == given_.end() ? otherwise : std::strtod(found->second.c_str(), nullptr);
  }
  [[nodiscard]] long integer(const char* name, long otherwise) const {
    const auto found = given_.find(name);
    return found == given_.end() ? otherwise : std::strtol(found->second.c_str(), nullptr, 10);
  }

 private:
  std::map<std::string, std::string> given_;
};

}  // namespace bench
