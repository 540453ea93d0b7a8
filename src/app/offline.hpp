// Runs an administration command wherever the data is: in the hub that owns the directory, or here if nobody does.
#pragma once

#include "app/data_directory.hpp"
#include "base/json_object.hpp"

namespace syncline::app {

/// The command's answer. Waits up to 5 s for an owner that is just starting or stopping.
[[nodiscard]] Result<std::string> run_anywhere(const std::string& data, const JsonObject& request,
                                               DataDirectory::Missing missing);

}  // namespace syncline::app
