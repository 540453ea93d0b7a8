// Opens a store for a person to read the error: it names the file.
#pragma once

#include "store/sqlite/sqlite_store.hpp"

namespace syncline {

/// SqliteStore::open(), with the path in the text of an error.
[[nodiscard]] inline Result<std::unique_ptr<SqliteStore>> open_store_file(const std::string& path, const Clock& clock,
                                                                          SqliteStore::Options options) {
  auto store = SqliteStore::open(path, clock, std::move(options));
  if (store || store.error().text.contains(path)) return store;
  return fail(store.error().code, path + ": " + store.error().text);
}

}  // namespace syncline
