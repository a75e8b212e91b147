#include "tools/simulation/simulate.hpp"

#include "tools/simulation/world.hpp"

#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstdlib>

namespace ebb::sim {

namespace {

/// For the handler of a broken invariant; a signal handler can be told in no other way.
trace* traced = nullptr;
std::uint64_t traced_seed = 0;

extern "C" void broken_invariant(int) {
  if (traced != nullptr) {
    traced->show_last();
    std::printf("seed %llu broke an invariant; again: ebb sim --seed %llu --verbose\n"
                "0 passed, 1 failed\n",
                static_cast<unsigned long long>(traced_seed),
                static_cast<unsigned long long>(traced_seed));
    std::fflush(stdout);
  }
  std::_Exit(1);
}

double seconds_since(std::chrono::steady_clock::time_point start) {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

} // namespace

int simulate(const sim_arguments& arguments) {
  std::signal(SIGABRT, broken_invariant);
  const auto start = std::chrono::steady_clock::now();
  virtual_actors actors;
  stream_shapes shapes;
  life_report sum;
  for (std::uint64_t i = 0; i < arguments.count; ++i) {
    const auto seed = arguments.seed + i;
    trace log(arguments.verbose);
    traced = &log;
    traced_seed = seed;
    const auto x = world(seed, arguments.parts, actors, shapes, log).run();
    traced = nullptr;
    if (!x.violation.empty()) {
      if (!arguments.verbose)
        log.show_last();
      std::printf("seed %llu: %s\nagain: ebb sim --seed %llu%s --verbose\n%llu passed, 1 failed\n",
                  static_cast<unsigned long long>(seed), x.violation.c_str(),
                  static_cast<unsigned long long>(seed), arguments.parts ? " --parts" : "",
                  static_cast<unsigned long long>(i));
      return 1;
    }
    sum.generations += x.generations;
    sum.restarts += x.restarts;
    sum.steps += x.steps;
    sum.faults += x.faults;
    sum.returns += x.returns;
    sum.checkpoints += x.checkpoints;
    sum.parts += x.parts;
    sum.parts_lost += x.parts_lost;
    sum.rows += x.rows;
    if (arguments.verbose)
      std::printf("seed %llu: trace %016llx\n", static_cast<unsigned long long>(seed),
                  static_cast<unsigned long long>(log.hash()));
  }
  if (arguments.parts)
    std::printf("%llu parts beside the first ones, %llu of them lost\n",
                static_cast<unsigned long long>(sum.parts),
                static_cast<unsigned long long>(sum.parts_lost));
  const auto n = [](std::uint64_t x) { return static_cast<unsigned long long>(x); };
  std::printf("%llu seeds in %.1f s: %llu generations (%llu after a lost message, %llu from a "
              "savepoint), %llu steps, %llu message faults, %llu checkpoints, %llu rows\n%llu "
              "passed, 0 failed\n",
              n(arguments.count), seconds_since(start), n(sum.generations), n(sum.restarts),
              n(sum.returns), n(sum.steps), n(sum.faults), n(sum.checkpoints), n(sum.rows),
              n(arguments.count));
  return 0;
}

} // namespace ebb::sim
