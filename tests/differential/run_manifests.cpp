// Runs many small streams in one process: a path of a manifest a line on standard input; for each a
// line of JSON on standard output: {"ok": true, "types": {operator: [type, …]}, "keys": {operator: [column, …]}} or
// {"ok": false, "code": …, "message": …, "error": …}.

#include "actors/connectors/factory.hpp"
#include "actors/plan/changelog.hpp"
#include "actors/runtime/run_stream.hpp"

#include <nlohmann/json.hpp>

#include <fstream>
#include <iostream>
#include <sstream>

namespace {

/// The result columns' types of every named query, for comparison with PostgreSQL's.
nlohmann::json types_of(const ebb::plan_graph& graph) {
  auto types = nlohmann::json::object();
  for (const auto& node : graph.nodes) {
    auto row = nlohmann::json::array();
    for (const auto& column : node.columns)
      row.push_back(ebb::to_string(column.type));
    types[node.name] = std::move(row); // the last node of a query gives its result
  }
  return types;
}

/// The unique key of every named query's rows, by column names; null where there is none.
nlohmann::json keys_of(const ebb::plan_graph& graph) {
  auto keys = nlohmann::json::object();
  for (const auto& node : graph.nodes) {
    auto& key = keys[node.name] = nullptr;
    const auto columns = ebb::ordered_key(node.keys);
    if (!columns)
      continue;
    key = nlohmann::json::array();
    for (const auto column : *columns)
      key.push_back(node.columns[column].name);
  }
  return keys;
}

ebb::result<nlohmann::json> run(const std::string& path) {
  std::ifstream file{path};
  std::stringstream text;
  text << file.rdbuf();
  std::vector<ebb::error> warnings;
  EBB_ASSIGN(auto streams, ebb::parse_manifest(text.str(), path, warnings));
  auto types = nlohmann::json::object();
  auto keys = nlohmann::json::object();
  std::vector<ebb::planned_stream> planned;
  for (auto& stream : streams) {
    stream.folder = path.substr(0, path.find_last_of('/'));
    EBB_ASSIGN(const auto graph, ebb::plan_stream(stream));
    EBB_ASSIGN(auto plan, ebb::make_stages(graph, stream));
    types.update(types_of(graph));
    keys.update(keys_of(graph));
    planned.push_back({stream, std::move(plan)});
  }
  const auto connectors = ebb::make_connectors();
  ebb::run_options options;
  options.threads = 2;
  EBB_TRY(ebb::run_plans(planned, *connectors, options));
  return nlohmann::json{{"types", types}, {"keys", keys}};
}

} // namespace

int main() {
  std::string path;
  while (std::getline(std::cin, path)) {
    const auto done = run(path);
    nlohmann::json answer{{"ok", static_cast<bool>(done)}};
    if (done) {
      answer.update(*done);
    } else {
      answer["code"] = ebb::to_string(done.error().code);
      answer["message"] = done.error().message;
      answer["error"] = ebb::to_string(done.error());
    }
    std::cout << answer.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace) << std::endl;
  }
}
