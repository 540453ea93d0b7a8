#include "runner/execution.hpp"

#include <fcntl.h>

#include <algorithm>

#include "runner/aws_arguments.hpp"
#include "runner/file_kinds.hpp"
#include "runner/program_kinds.hpp"

namespace syncline::runner {
namespace {

std::int64_t timeout_ms_of(const Policy& policy, const Order& order) {
  const std::int64_t wanted = order.fields.integer_of("timeoutMs").value_or(policy.limits.seconds * 1000);
  return std::clamp<std::int64_t>(wanted, 1, policy.limits.seconds_max * 1000);
}

/// Where the program starts: the order's workingDir or the first root.
Result<Place> working_place(const Roots& roots, const Order& order) {
  const std::string wanted = order.text("workingDir");
  TRY(Place place, roots.locate(wanted.empty() ? "." : wanted, ""));
  // Seen here for a clear error; the program goes there inside the sandbox.
  TRY([[maybe_unused]] const FileDescriptor directory, Roots::open_at(place, O_PATH | O_DIRECTORY));
  return place;
}

class ProgramRun {
 public:
  ProgramRun(const Workplace& workplace, const Order& order, const StopSwitch& stop, ProgramObserver& observer)
      : workplace_(workplace), order_(order), stop_(stop), observer_(observer) {}

  Result<ProgramEnd> run(std::vector<std::string> argv, std::string script = {}) {
    CHECK_OK(check_arguments(argv));
    TRY(const Place place, working_place(workplace_.roots, order_));
    const Program program{.argv = std::move(argv),
                          .working_dir = place,
                          .network = workplace_.policy.has_network(order_.type),
                          .script = std::move(script)};
    return run_program(*workplace_.launcher, program, workplace_.policy, workplace_.roots,
                       timeout_ms_of(workplace_.policy, order_), stop_, observer_);
  }

 private:
  const Workplace& workplace_;
  const Order& order_;
  const StopSwitch& stop_;
  ProgramObserver& observer_;
};

Outcome run_for_output(ProgramRun& runner, Result<std::vector<std::string>> argv, OutputStyle style,
                       std::string script = {}) {
  if (!argv) return failed(argv.error().text);
  const auto end = runner.run(*std::move(argv), std::move(script));
  if (!end) return failed(end.error().text);
  std::string result = make_output_result(*end, style);
  Outcome outcome = end->reason.empty() ? completed(std::move(result)) : failed(end->reason, std::move(result));
  outcome.exit_code = end->exit_code;
  return outcome;
}

Outcome search(const Workplace& workplace, ProgramRun& runner, const Order& order) {
  auto argv = make_search_argv(workplace.roots, order);
  if (!argv) return failed(argv.error().text);
  const auto end = runner.run(*std::move(argv));
  if (!end) return failed(end.error().text);
  if (!end->reason.empty()) return failed(end->reason);
  return make_search_outcome(*end, search_limit(order));
}

/// Takes what the shell shall do out of its argv if it is too long for an argument.
std::string take_long_script(std::vector<std::string>& argv) {
  if (argv.size() < 2 || argv[argv.size() - 2] != "-c" || argv.back().size() < kArgumentBytesMax) return {};
  std::string script = std::move(argv.back());
  argv.resize(argv.size() - 2);
  return script;
}

Outcome run_shell(ProgramRun& runner, const Order& order, const Decision& decision) {
  auto argv = make_bash_argv(order, decision);
  if (!argv) return failed(argv.error().text);
  // The words of a pattern are a program's arguments: nobody but a shell reads those from elsewhere.
  std::string script = decision.words.empty() ? take_long_script(*argv) : "";
  return run_for_output(runner, std::move(argv), OutputStyle::plain, std::move(script));
}

}  // namespace

Outcome execute(const Workplace& workplace, const Order& order, const Decision& decision, const StopSwitch& stop,
                ProgramObserver& observer) {
  ProgramRun runner(workplace, order, stop, observer);
  switch (order.type) {
    case CommandType::execute_bash: return run_shell(runner, order, decision);
    case CommandType::aws_operation:
      return run_for_output(runner, make_aws_argv(workplace.policy, workplace.roots, order), OutputStyle::with_json);
    case CommandType::code_search: return search(workplace, runner, order);
    case CommandType::read_file:
      return read_file(workplace.roots, order, static_cast<std::size_t>(workplace.policy.limits.file_mib) << 20U);
    case CommandType::write_file: return write_file(workplace.roots, order);
    case CommandType::list_directory: return list_directory(workplace.roots, order);
  }
  return failed("unknown command type");
}

}  // namespace syncline::runner
