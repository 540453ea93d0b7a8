// What aws_operation passes to the AWS command line tool. The tool holds credentials, and gives many values a meaning
// of its own: it reads files and pages, expands variables, and has commands that print what it holds. Whoever may
// submit an operation must get from it what the operation answers, and nothing else of this machine.
#pragma once

#include <string>
#include <vector>

#include "runner/order.hpp"
#include "runner/policy.hpp"
#include "runner/roots.hpp"

namespace syncline::runner {

/// `aws SERVICE OPERATION --name value ...`. Parameters become options: text as it is, numbers, true as the bare
/// option, false as --no-NAME, lists and objects as JSON. invalid_argument for names that are no names of options or
/// that are options of the tool itself, and for values that the tool would replace by something of this machine.
[[nodiscard]] Result<std::vector<std::string>> make_aws_argv(const Policy& policy, const Roots& roots,
                                                             const Order& order);

}  // namespace syncline::runner
