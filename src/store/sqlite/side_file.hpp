// A database beside the store's, in a file of its own, opened or made when it is first needed; what it has can be read
// again from elsewhere. One thread at a time.
#pragma once

#include "store/sqlite/connection.hpp"

namespace syncline::sqlite {

class SideFile {
 public:
  struct Form {
    std::int64_t application_id;  // tells our files of this kind from every other database
    std::int64_t format;          // a file of another one is made anew
    const char* pragmas;
    const char* tables;
  };

  /// ":memory:" keeps it in memory.
  SideFile(std::string path, const Form& form) : path_(std::move(path)), form_(form) {}

  /// wrong_store for a file of another program.
  [[nodiscard]] Result<> open();
  /// After open().
  [[nodiscard]] Connection& connection() { return *connection_; }
  [[nodiscard]] bool is_open() const { return connection_.has_value(); }
  [[nodiscard]] const std::string& path() const { return path_; }

 private:
  [[nodiscard]] Result<> prepare(Connection& on, bool& is_of_other_format);

  const std::string path_;
  const Form form_;
  std::optional<Connection> connection_;
};

}  // namespace syncline::sqlite
