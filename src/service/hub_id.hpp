// The id of a hub: eight hexadecimal digits that its store keeps from the first start on. They tell hubs apart that
// browsers reach under one host name. No secret.
#pragma once

#include <string>

#include "store/directory.hpp"

namespace syncline {

/// Makes the id at the first start. If the disk is full then, it is good until the hub stops. Waits for the disk.
[[nodiscard]] Result<std::string> load_hub_id(Directory& directory);

}  // namespace syncline
