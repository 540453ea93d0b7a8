// Writes the vectors: `vectors FOLDER`. The unit tests compare the files of clients/vectors with what would be written.
#include <cstdio>
#include <fstream>

#include "base/log.hpp"
#include "vectors/vector_file.hpp"

int main(int count, char** arguments) {
  if (count != 2) {
    std::fputs("usage: vectors FOLDER\n", stderr);
    return 2;
  }
  syncline::set_log_level(syncline::LogLevel::off);  // of the faults that walks make
  bool is_complete = true;
  for (const auto& file : syncline::vectors::make_all_vectors()) {
    for (const std::string& missing : file.missing()) std::fprintf(stderr, "%s\n", missing.c_str());
    is_complete = is_complete && file.missing().empty();
    const std::string path = std::string(arguments[1]) + '/' + file.name();
    const std::string text = file.to_text();
    std::ofstream out(path, std::ios::binary);
    out << text;
    out.close();
    if (!out) {
      std::fprintf(stderr, "cannot write %s\n", path.c_str());
      return 1;
    }
    std::printf("%s: %zu bytes\n", path.c_str(), text.size());
  }
  return is_complete ? 0 : 1;
}
