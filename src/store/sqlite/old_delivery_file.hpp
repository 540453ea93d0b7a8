// webhooks.db: where stores kept what was on its way to webhooks before the directory had a table for it. Only read, to
// be moved from there, and removed. One thread at a time.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "store/directory_rows.hpp"
#include "store/sqlite/connection.hpp"

namespace syncline {

class OldDeliveryFile {
 public:
  /// Nothing if there is no such file. wrong_store for a file of another program, newer_store for another format.
  [[nodiscard]] static Result<std::optional<OldDeliveryFile>> open(const std::string& path);

  /// Deliveries with numbers above `after`, by number, at most `count_max`. The file does not say whose they are:
  /// `account` is 0.
  [[nodiscard]] Result<std::vector<DeliveryRow>> read(std::int64_t after, std::size_t count_max);

  /// The file must not be open.
  [[nodiscard]] static Result<> remove(const std::string& path);

 private:
  explicit OldDeliveryFile(sqlite::Connection connection, bool has_tables)
      : connection_(std::move(connection)), has_tables_(has_tables) {}

  sqlite::Connection connection_;
  bool has_tables_;  // a file that was just made when the process ended has none
};

}  // namespace syncline
