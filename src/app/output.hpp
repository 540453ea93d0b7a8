// What the command line says: JSON as it is, or the same for people.
#pragma once

#include <string>

#include "base/json.hpp"

namespace syncline::app {

enum class OutputForm { text, json };

/// One document on standard output. As text: a list as a table, anything else as "name: value" lines.
void print_result(const std::string& json, OutputForm form);
/// On standard error; with json as a problem body.
void print_error(const Error& error, OutputForm form);

}  // namespace syncline::app
