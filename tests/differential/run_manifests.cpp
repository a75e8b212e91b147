// Runs many small streams in one process: a path of a manifest a line on standard input; for each a
// line of JSON on standard output: {"ok": true} or {"ok": false, "code": …, "error": …}.

#include "actors/connectors/factory.hpp"
#include "actors/runtime/run_stream.hpp"

#include <nlohmann/json.hpp>

#include <fstream>
#include <iostream>
#include <sstream>

namespace {

ebb::result<void> run(const std::string& path) {
  std::ifstream file{path};
  std::stringstream text;
  text << file.rdbuf();
  std::vector<ebb::error> warnings;
  EBB_ASSIGN(auto streams, ebb::parse_manifest(text.str(), path, warnings));
  for (auto& stream : streams)
    stream.folder = path.substr(0, path.find_last_of('/'));
  const auto connectors = ebb::make_connectors();
  ebb::run_options options;
  options.threads = 2;
  EBB_TRY(ebb::run_streams(streams, *connectors, options));
  return {};
}

} // namespace

int main() {
  std::string path;
  while (std::getline(std::cin, path)) {
    const auto done = run(path);
    nlohmann::json answer{{"ok", static_cast<bool>(done)}};
    if (!done) {
      answer["code"] = ebb::to_string(done.error().code);
      answer["error"] = ebb::to_string(done.error());
    }
    std::cout << answer.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace) << std::endl;
  }
}
