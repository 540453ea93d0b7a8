// Whole-file operations on a store: checking, copying, bringing a copy back.
#pragma once

#include "store/sqlite/sqlite_store.hpp"

namespace syncline::sqlite {

/// Problems of an open database, one text each: file structure, numbering, links between tables.
[[nodiscard]] Result<std::vector<std::string>> find_problems(Connection& connection);

}  // namespace syncline::sqlite
