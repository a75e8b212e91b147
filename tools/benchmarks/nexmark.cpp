#include "tools/benchmarks/nexmark.hpp"

#include "schemas/assert.hpp"
#include "tools/benchmarks/scratch_folder.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <fstream>

namespace ebb::bench {

namespace {

// True when the query names the table as a word, outside of comments.
bool reads(const std::string& query, std::string_view table) {
  std::string sql;
  for (std::size_t at = 0; at < query.size();) {
    const auto end = std::min(query.find('\n', at), query.size());
    const auto line = query.substr(at, end - at);
    sql += line.substr(0, line.find("--")) + '\n';
    at = end + 1;
  }
  const auto is_word = [](char c) {
    return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_';
  };
  for (auto at = sql.find(table); at != sql.npos; at = sql.find(table, at + 1)) {
    const auto end = at + table.size();
    if ((at == 0 || !is_word(sql[at - 1])) && (end == sql.size() || !is_word(sql[end])))
      return true;
  }
  return false;
}

// The table that q13 looks into, as deployments/examples/nexmark/side_input.csv has it; written
// once, gone with the process.
const std::string& side_input() {
  static const scratch_folder folder;
  static const std::string path = [] {
    auto name = folder.path() + "/side_input.csv";
    std::ofstream file(name);
    file << "key,value\n";
    for (int key = 0; key < 10'000; ++key)
      file << key << ",value-" << key * 7919 % 10'007 << '\n';
    return name;
  }();
  return path;
}

} // namespace

std::string nexmark_manifest(const nexmark_run& run) {
  std::string text = fmt::format("apiVersion: ebb.dev/v1alpha1\nkind: Stream\n"
                                 "metadata: {{name: nexmark}}\nspec:\n  parallelism: {}\n"
                                 "  sources:\n",
                                 run.parallelism);
  for (const std::string_view table : {"person", "auction", "bid"})
    if (reads(run.sql, table))
      text += fmt::format("    - name: {0}\n"
                          "      eventTime: {{column: date_time, maxDelay: 4s}}\n"
                          "      nexmark: {{table: {0}, events: {1}, eventsPerSecond: {2}{3}}}\n",
                          table, run.events, run.events_per_second,
                          run.rate == 0 ? "" : fmt::format(", rate: {}", run.rate));
  if (reads(run.sql, "side_input"))
    text += fmt::format("    - name: side_input\n"
                        "      schema: key BIGINT NOT NULL, value TEXT, PRIMARY KEY (key)\n"
                        "      file: {{path: {}, format: csv}}\n",
                        side_input());
  text += "  operators:\n    - name: query\n      sql: |\n";
  std::string line;
  for (const char c : run.sql + "\n") {
    if (c != '\n') {
      line += c;
      continue;
    }
    if (!line.empty())
      text += "        " + line + '\n';
    line.clear();
  }
  text += "  sinks:\n";
  for (const auto& sink : run.sinks)
    text += "    - " + sink + '\n';
  return text;
}

const std::string& nexmark_query(std::string_view name) {
  const auto& all = nexmark_queries();
  const auto found =
      std::find_if(all.begin(), all.end(), [&](const auto& x) { return x.name == name; });
  EBB_ASSERT(found != all.end());
  return found->text;
}

} // namespace ebb::bench
