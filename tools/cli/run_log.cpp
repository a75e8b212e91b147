#include "tools/cli/run_log.hpp"

#include "actors/runtime/moment_text.hpp"
#include "actors/runtime/processing_time.hpp"

#include <nlohmann/json.hpp>

#include <filesystem>
#include <fstream>
#include <utility>

namespace ebb::cli {

namespace {

using json = nlohmann::ordered_json;

std::string path_of(const std::string& folder) {
  return folder + "/run.log";
}

} // namespace

void run_log::tell(std::string_view level, std::string_view stream, std::string_view message) {
  if (folder_.empty())
    return;
  json line{{"time", moment_text(processing_time()())}, {"level", level}};
  if (!stream.empty())
    line["stream"] = stream;
  line["message"] = message;
  const auto path = path_of(folder_);
  std::lock_guard guard(mutex_);
  std::error_code ignored;
  if (const auto size = std::filesystem::file_size(path, ignored); !ignored && size > kept_bytes)
    std::filesystem::rename(path, path + ".1", ignored);
  std::ofstream file(path, std::ios::app);
  file << line.dump(-1, ' ', false, json::error_handler_t::replace) << '\n';
}

std::vector<std::string> run_log_lines(const std::string& folder) {
  std::vector<std::string> lines;
  for (const auto* older : {".1", ""}) {
    std::ifstream file(path_of(folder) + older);
    for (std::string line; std::getline(file, line);)
      lines.push_back(std::move(line));
  }
  return lines;
}

} // namespace ebb::cli
