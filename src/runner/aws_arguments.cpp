#include "runner/aws_arguments.hpp"

#include <fcntl.h>
#include <sys/stat.h>

#include <algorithm>
#include <array>
#include <filesystem>

#include "base/text.hpp"
#include "runner/program.hpp"

namespace syncline::runner {
namespace {

constexpr std::string_view kRule = "commands.aws_operation (built in)";
constexpr std::size_t kPathBytesMax = 4096;

std::unexpected<Error> invalid(std::string text) { return fail(ErrorCode::invalid_argument, std::move(text)); }

std::unexpected<Error> refuse_parameter(std::string_view parameter, std::string_view why) {
  return invalid(refused_by(kRule, "parameter '" + std::string(parameter) + "' " + std::string(why)));
}

bool is_name(std::string_view text) {
  return !text.empty() && text.size() <= 100 && text.front() != '-' && std::ranges::all_of(text, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-';
  });
}

/// Options of the tool itself: they choose other credentials, other servers, or take away checks.
constexpr std::array<std::string_view, 16> kToolOptions = {"debug",
                                                           "endpoint-url",
                                                           "no-verify-ssl",
                                                           "no-sign-request",
                                                           "profile",
                                                           "ca-bundle",
                                                           "query",
                                                           "color",
                                                           "version",
                                                           "cli-read-timeout",
                                                           "cli-connect-timeout",
                                                           "cli-binary-format",
                                                           "output",
                                                           "no-cli-pager",
                                                           "cli-auto-prompt",
                                                           "no-cli-auto-prompt"};

/// The tool takes the beginning of an option's name for the option.
bool is_tool_option(std::string_view option) {
  return std::ranges::any_of(kToolOptions, [&](std::string_view known) { return known.starts_with(option); });
}

/// Not services: they print the credentials that the tool has been given, or change its settings.
constexpr std::array<std::string_view, 5> kToolCommands = {"configure", "history", "login", "logout", "cli-dev"};

/// The tool takes the content of a file, or of a page, for a value that begins like this.
constexpr std::array<std::string_view, 5> kReplacedPrefixes = {"file://", "fileb://", "http://", "https://", "@"};

bool has_replaced_prefix(std::string_view text) {
  const std::string start = lower_case(trim(text).substr(0, 16));
  return std::ranges::any_of(kReplacedPrefixes, [&](std::string_view prefix) { return start.starts_with(prefix); });
}

/// The tool's short form of structures has it within, too: "Key@=file://PATH".
bool has_replaced_member(std::string_view text) {
  for (std::size_t at = text.find("@="); at != std::string_view::npos; at = text.find("@=", at + 1)) {
    if (has_replaced_prefix(text.substr(at + 2))) return true;
  }
  return false;
}

bool is_replaced(JsonView value) {
  bool replaced = false;
  if (value.is_string()) {
    const std::string text = value.as_string().value_or("");
    replaced = has_replaced_prefix(text) || has_replaced_member(text);
  } else if (value.is_array()) {
    value.for_each_element([&](JsonView element) { replaced = replaced || is_replaced(element); });
  } else if (value.is_object()) {
    value.for_each_member([&](std::string_view, JsonView member) { replaced = replaced || is_replaced(member); });
  }
  return replaced;
}

/// The address of a queue is its name, and the tool leaves it alone.
bool is_queue_address(std::string_view service, std::string_view option, JsonView value) {
  const std::string text = value.as_string().value_or("");
  return service == "sqs" && option == "queue-url" && (text.starts_with("https://") || text.starts_with("http://"));
}

/// Where a value names a file to send (`--body`), the tool expands ~ and variables in it.
bool is_expanded(std::string_view text, const Policy& policy) {
  const bool has_slash = text.find('/') != std::string_view::npos;
  if (has_slash && (text.starts_with('~') || text.find('$') != std::string_view::npos)) return true;
  return std::ranges::any_of(make_environment(policy), [&](const auto& variable) {
    return text.find('$' + variable.first) != std::string_view::npos ||
           text.find("${" + variable.first + '}') != std::string_view::npos;
  });
}

/// True if the tool, taking the value for the path of a file, would read one that no command may read. Most values are
/// no paths, and which are one is known to the tool alone. What a path leads to may change until the tool reads it, but
/// only by commands that are programs, and those have the tool's environment anyway.
bool names_foreign_file(const std::string& text, const Roots& roots, const Order& order) {
  // `deploy push` sends a whole directory. Elsewhere "/" and "/dev" are names of other things.
  const bool sends_directories = order.text("service") == "deploy";
  if (text.empty() || text.size() > kPathBytesMax) return false;
  if (const auto place = roots.locate(text, order.text("workingDir"))) {
    const auto found = Roots::open_at(*place, O_PATH);
    return !found && found.error().code == ErrorCode::forbidden;
  }
  // Numbers of processes are others in the sandbox than here.
  const std::string normal = std::filesystem::path(text).lexically_normal().string() + '/';
  if (normal.starts_with("/proc/")) return true;
  struct stat status{};
  return ::stat(text.c_str(), &status) == 0 && (sends_directories || !S_ISDIR(status.st_mode));
}

/// Makes the arguments of one order.
class AwsArguments {
 public:
  AwsArguments(const Policy& policy, const Roots& roots, const Order& order)
      : policy_(policy), roots_(roots), order_(order), service_(order.text("service")) {}

  Result<std::vector<std::string>> make() {
    const std::string operation = order_.text("operation");
    if (!is_name(service_)) return invalid("field 'service' is not a valid service name");
    if (!is_name(operation)) return invalid("field 'operation' is not a valid operation name");
    if (std::ranges::find(kToolCommands, lower_case(service_)) != kToolCommands.end()) {
      return invalid(refused_by(kRule, "'" + service_ + "' is a command of the tool, not a service"));
    }
    std::vector<std::string> argv = {"aws", "--output", "json", "--no-cli-pager"};
    if (!policy_.aws.endpoint.empty()) argv.push_back("--endpoint-url=" + policy_.aws.endpoint);
    if (!policy_.aws.region.empty()) argv.push_back("--region=" + policy_.aws.region);
    argv.insert(argv.end(), {service_, operation});
    const JsonObject parameters(*order_.fields.find("parameters"));
    for (const JsonObject::Member& member : parameters.members()) {
      TRY(std::string argument, make_option(member.name, JsonView(member.value)));
      if (argument.find('\0') != std::string::npos) return invalid("field '" + member.name + "' contains a NUL byte");
      argv.push_back(std::move(argument));
    }
    return argv;
  }

 private:
  [[nodiscard]] Result<std::string> make_option(const std::string& parameter, JsonView value) const {
    const bool is_off = value.kind() == JsonKind::boolean && !value.as_boolean().value_or(false);
    const std::string option = (is_off ? "no-" : "") + to_option_name(parameter);
    if (!is_name(option)) return invalid("parameter '" + parameter + "' is not a valid option name");
    if (is_tool_option(option)) return refuse_parameter(parameter, "is an option of the tool, not of the operation");
    CHECK_OK(check_value(parameter, option, value));
    switch (value.kind()) {
      case JsonKind::boolean: return "--" + option;
      case JsonKind::string: return "--" + option + '=' + value.as_string().value_or("");
      case JsonKind::null: return invalid("parameter '" + parameter + "' is null");
      default: return "--" + option + '=' + std::string(value.raw());
    }
  }

  [[nodiscard]] Result<> check_value(const std::string& parameter, std::string_view option, JsonView value) const {
    if (is_queue_address(service_, option, value)) return {};
    if (is_replaced(value)) {
      return refuse_parameter(parameter, "has a value that the tool would replace by the content of a file or a page");
    }
    const std::string text = value.as_string().value_or("");
    if (is_expanded(text, policy_)) {
      return refuse_parameter(parameter, "has a value in which the tool would expand a variable");
    }
    if (names_foreign_file(text, roots_, order_)) return refuse_parameter(parameter, "names a file outside all roots");
    // It becomes a part of the name of the host that gets the requests.
    if (std::string_view("region").starts_with(option) && !is_name(text)) {
      return refuse_parameter(parameter, "is not the name of a region");
    }
    return {};
  }

  const Policy& policy_;
  const Roots& roots_;
  const Order& order_;
  const std::string service_;
};

}  // namespace

Result<std::vector<std::string>> make_aws_argv(const Policy& policy, const Roots& roots, const Order& order) {
  return AwsArguments(policy, roots, order).make();
}

}  // namespace syncline::runner
