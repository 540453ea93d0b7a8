// A JSON value as a literal of a programming language, broken into lines where it is long.
#pragma once

#include <string>

#include "base/json.hpp"

namespace syncline::operations {

enum class LiteralOf : std::uint8_t { json, python };

/// `indent`: of the line that the literal begins on, in spaces.
void append_literal(std::string& out, JsonView value, LiteralOf language, std::size_t indent = 0);

}  // namespace syncline::operations
