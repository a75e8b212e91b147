// `ebb bench`: which measurements to make.

#include "tools/benchmarks/benchmarks.hpp"
#include "tools/cli/commands.hpp"
#include "tools/cli/load.hpp"

#include <algorithm>
#include <string_view>

namespace ebb::cli {

namespace {

struct part {
  std::string_view name;
  bool (*measure)(const bench::settings&, bench::report&);
};

constexpr part parts[] = {
    {"memory", bench::measure_memory},         {"ingest", bench::measure_ingest},
    {"latency", bench::measure_latency},       {"window-latency", bench::measure_window_latency},
    {"start", bench::measure_start},           {"scaling", bench::measure_scaling},
    {"state", bench::measure_state},           {"save", bench::measure_save},
    {"checkpoint", bench::measure_checkpoint}, {"recovery", bench::measure_recovery},
    {"resume", bench::measure_resume},         {"resume-joins", bench::measure_resume_joins},
    {"written", bench::measure_written},       {"topics", bench::measure_topics}};

struct selection_of_parts {
  std::vector<bench::named_text> queries;
  std::vector<const part*> others;
};

// Prints what is wrong with a name.
std::optional<selection_of_parts> choose(const std::vector<std::string>& names) {
  selection_of_parts chosen;
  const auto& queries = bench::nexmark_queries();
  const auto everything = std::vector<std::string>{"all"};
  for (const auto& name : names.empty() ? everything : names) {
    if (name == "all" || name == "queries")
      chosen.queries = queries;
    if (name == "all")
      for (const auto& x : parts)
        chosen.others.push_back(&x);
    if (name == "all" || name == "queries")
      continue;
    const auto query =
        std::find_if(queries.begin(), queries.end(), [&](const auto& x) { return x.name == name; });
    const auto* other = std::find_if(std::begin(parts), std::end(parts),
                                     [&](const auto& x) { return x.name == name; });
    if (query != queries.end()) {
      chosen.queries.push_back(*query);
    } else if (other != std::end(parts)) {
      chosen.others.push_back(other);
    } else {
      std::string known = "all queries";
      for (const auto& x : queries)
        known += ' ' + x.name;
      for (const auto& x : parts)
        known += ' ' + std::string(x.name);
      print_error(make_error(ec::invalid_argument, "there is no benchmark \"" + name + '"',
                             "there are: " + known));
      return std::nullopt;
    }
  }
  return chosen;
}

} // namespace

int bench_command_run(const bench_arguments& arguments) {
  const auto chosen = choose(arguments.names);
  if (!chosen)
    return exit_invalid;
  bench::settings how;
  how.events = arguments.events;
  how.parallelism = arguments.parallelism;
  how.runs = arguments.runs;
  how.verify = arguments.verify;
  bench::report report{arguments.output == "json"};
  // Queries beside `checkpoint` say which ones it measures.
  const bool of_checkpoint =
      std::any_of(chosen->others.begin(), chosen->others.end(),
                  [](const part* x) { return x->measure == bench::measure_checkpoint; })
      && std::find(arguments.names.begin(), arguments.names.end(), "all") == arguments.names.end();
  if (of_checkpoint)
    for (const auto& x : chosen->queries)
      how.queries.push_back(x.name);
  bool good = true;
  bool first = true;
  const auto separate = [&] {
    if (!first)
      report.line("");
    first = false;
  };
  if (!chosen->queries.empty() && !of_checkpoint) {
    separate();
    good &= bench::measure_queries(chosen->queries, how, report);
  }
  for (const auto* x : chosen->others) {
    separate();
    good &= x->measure(how, report);
  }
  report.finish();
  return good ? exit_done : exit_failed;
}

} // namespace ebb::cli
