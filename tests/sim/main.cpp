// ./dev sim [SEED] [--runs N] [--first SEED] [--jobs N] [--deep] [--twice] [--strict]: many runs, or one with its whole
// log. Deep: on SQLite, and beside the same on memory. Twice, strict: as Proof says, and beside the same without.
#include <cstdio>
#include <fstream>
#include <thread>

#include "base/bytes.hpp"
#include "base/log.hpp"
#include "base/mutex.hpp"
#include "base/text.hpp"
#include "sim/simulation.hpp"

namespace {

using syncline::sim::Disks;
using syncline::sim::Outcome;
using syncline::sim::Proof;
using syncline::sim::Simulation;

constexpr std::int64_t kTwiceEach = 100;  // one run in so many is made twice and must be the same

struct Options {
  std::optional<std::int64_t> seed;
  std::int64_t first = 1;
  std::int64_t runs = 1000;
  std::int64_t jobs = 1;
  std::string seeds_file;
  bool deep = false;
  Proof proof;

  [[nodiscard]] std::string flags() const {
    return std::string(deep ? " --deep" : "") + (proof.twice ? " --twice" : "") + (proof.strict ? " --strict" : "");
  }
};

std::optional<Options> parse(int count, char** arguments) {
  Options options;
  for (int i = 1; i < count; ++i) {
    const std::string_view argument = arguments[i];
    if (argument == "--seeds" && i + 1 < count) {
      options.seeds_file = arguments[++i];
      continue;
    }
    bool* flag = argument == "--deep"     ? &options.deep
                 : argument == "--twice"  ? &options.proof.twice
                 : argument == "--strict" ? &options.proof.strict
                                          : nullptr;
    if (flag != nullptr) {
      *flag = true;
      continue;
    }
    std::int64_t* into = argument == "--runs"    ? &options.runs
                         : argument == "--first" ? &options.first
                         : argument == "--jobs"  ? &options.jobs
                                                 : nullptr;
    if (into != nullptr && i + 1 >= count) return std::nullopt;
    const auto number = syncline::parse_integer(into == nullptr ? argument : arguments[++i]);
    if (!number || *number < 0) return std::nullopt;
    if (into == nullptr) {
      options.seed = number;
    } else {
      *into = *number;
    }
  }
  return options;
}

struct Totals {
  std::int64_t runs = 0;
  std::int64_t failures = 0;
  std::int64_t writes = 0;
  std::int64_t requests = 0;
};

Outcome simulate(std::int64_t seed, bool deep, Proof proof, bool keeps_log = false) {
  const Disks::Kind kind = deep ? Disks::Kind::sqlite : Disks::Kind::memory;
  return Simulation(static_cast<std::uint64_t>(seed), kind, proof, keeps_log).run();
}

std::string run_once(std::int64_t seed, const Options& options, Totals& totals) {
  const Outcome outcome = simulate(seed, options.deep, options.proof);
  ++totals.runs;
  totals.writes += outcome.writes;
  totals.requests += outcome.requests;
  std::string fault = outcome.fault;
  if (fault.empty() && (options.deep || options.proof.any() || seed % kTwiceEach == 0)) {
    const Outcome again = simulate(seed, false, {});
    if (again.hash != outcome.hash) {
      fault = options.proof.any() ? "writes that run twice gave another run"
              : options.deep      ? "SQLite and memory gave two runs"
                                  : "the same seed gave another run";
    }
  }
  if (fault.empty()) return "";
  ++totals.failures;
  return "seed " + std::to_string(seed) + ": " + fault + "\n  (" + outcome.plan + ")\n  ./dev sim " +
         std::to_string(seed) + options.flags() + '\n';
}

int replay(std::int64_t seed, const Options& options) {
  const Outcome outcome = simulate(seed, options.deep, options.proof, true);
  for (const std::string& line : outcome.log) std::printf("%s\n", line.c_str());
  std::printf("%s\n%s\n", outcome.plan.c_str(), outcome.fault.empty() ? "no fault" : outcome.fault.c_str());
  return outcome.fault.empty() ? 0 : 1;
}

std::vector<std::int64_t> seeds_of(const Options& options) {
  std::vector<std::int64_t> seeds;
  std::ifstream file(options.seeds_file);
  for (std::string line; std::getline(file, line);) {
    const std::string_view text = syncline::trim(std::string_view(line).substr(0, line.find('#')));
    if (const auto seed = syncline::parse_integer(text)) seeds.push_back(*seed);
  }
  for (std::int64_t i = 0; i < options.runs; ++i) seeds.push_back(options.first + i);
  return seeds;
}

}  // namespace

int main(int count, char** arguments) {
  if (!syncline::initialise_crypto()) return 1;
  syncline::set_log_level(syncline::LogLevel::off);  // a failing run prints its own
  const auto options = parse(count, arguments);
  if (!options) {
    std::fprintf(
        stderr,
        "usage: sim [SEED] [--runs N] [--first SEED] [--seeds FILE] [--jobs N] [--deep] [--twice] [--strict]\n");
    return 2;
  }
  if (options->seed) return replay(*options->seed, *options);
  const std::vector<std::int64_t> seeds = seeds_of(*options);
  std::vector<Totals> totals(static_cast<std::size_t>(std::max<std::int64_t>(1, options->jobs)));
  std::vector<std::thread> threads;
  threads.reserve(totals.size());
  syncline::Mutex output;
  for (std::size_t job = 0; job < totals.size(); ++job) {
    threads.emplace_back([&, job] {
      for (std::size_t i = job; i < seeds.size(); i += totals.size()) {
        const std::string fault = run_once(seeds[i], *options, totals[job]);
        if (fault.empty()) continue;
        const syncline::MutexLock lock(output);
        std::fputs(fault.c_str(), stdout);
        std::fflush(stdout);
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  Totals all;
  for (const Totals& some : totals) {
    all.runs += some.runs;
    all.failures += some.failures;
    all.writes += some.writes;
    all.requests += some.requests;
  }
  std::printf("%lld runs, %lld writes, %lld requests\n%lld passed, %lld failed\n", static_cast<long long>(all.runs),
              static_cast<long long>(all.writes), static_cast<long long>(all.requests),
              static_cast<long long>(all.runs - all.failures), static_cast<long long>(all.failures));
  return all.failures == 0 ? 0 : 1;
}
