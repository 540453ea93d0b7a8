// Records of the system space whose content has been moved into tables: they are deleted. Waits for the disk.
#pragma once

#include <span>

#include "store/store.hpp"

namespace syncline {

/// Deletes all records of these collections, some thousand in each write. After an error some may be left; the next
/// call goes on.
[[nodiscard]] Result<> delete_moved_records(Store& store, std::span<const std::string_view> collections);

}  // namespace syncline
