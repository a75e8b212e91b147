#include "tools/cli/stats_path.hpp"

#include "actors/connectors/file_overlap.hpp"
#include "actors/connectors/quarantine.hpp"
#include "actors/connectors/same_file.hpp"
#include "actors/plan/sink_folder.hpp"
#include "tools/cli/stats.hpp"

#include <filesystem>
#include <fstream>

namespace ebb::cli {

namespace {

namespace fs = std::filesystem;

error refusal(const std::string& path, const std::string& what) {
  auto problem = make_error(ec::invalid_argument, "--stats would replace " + what,
                            "give the statistics a file of their own");
  problem.place.file = path;
  return problem;
}

/// Pipes and devices are written, not replaced.
bool replaces(const std::string& path) {
  std::error_code ignored;
  const auto kind = fs::status(path, ignored).type();
  return kind == fs::file_type::regular || kind == fs::file_type::not_found;
}

bool holds_statistics_or_nothing(const std::string& path) {
  const std::string known = stats_json({}, {});
  const auto first = known.substr(0, known.find('[') + 1);
  std::string found(first.size(), '\0');
  std::ifstream file(path, std::ios::binary);
  file.read(found.data(), static_cast<std::streamsize>(found.size()));
  const auto count = file.gcount();
  return file.is_open() && (count == 0 || found == first);
}

} // namespace

result<void> check_stats_path(const std::string& path, const std::vector<std::string>& manifests) {
  if (path.empty() || !replaces(path))
    return {};
  for (const auto& manifest : manifests)
    if (manifest != "-" && is_same_file(path, manifest))
      return refusal(path, "the manifest " + manifest);
  std::error_code ignored;
  if (fs::exists(path, ignored) && !holds_statistics_or_nothing(path))
    return refusal(path, "a file that is not the statistics of an earlier run");
  return {};
}

result<void> check_stats_path(const std::string& path,
                              const std::vector<stream_definition>& streams,
                              const std::string& data) {
  if (path.empty() || !replaces(path))
    return {};
  const auto folder = real_path(path).parent_path();
  for (const auto& stream : streams) {
    const auto of_stream = " of stream " + stream.name;
    for (const auto& source : stream.sources) {
      if (const auto* from = std::get_if<file_source>(&source.connector))
        if (reads_file(*from, stream.folder, path))
          return refusal(path, "what source " + source.name + of_stream + " reads");
      if (source.on_bad_record == bad_record_policy::quarantine
          && folder
                 == real_path(quarantine_path(stream.folder, data, stream.name, source.name))
                        .parent_path())
        return refusal(path, "where bad records of source " + source.name + of_stream + " go");
    }
    for (const auto& sink : stream.sinks) {
      const auto* to = std::get_if<file_sink>(&sink.connector);
      if (to == nullptr || to->path.empty())
        continue;
      const auto target = fs::path{stream.folder} / to->path;
      if (writes_parts(*to, stream.folder) ? folder == real_path(target / "x").parent_path()
                                           : is_same_file(path, target))
        return refusal(path, "what sink " + sink.name + of_stream + " writes");
    }
  }
  std::error_code unknown;
  if (const auto parent = real_path(path).parent_path(); !fs::is_directory(parent, unknown)) {
    auto problem = make_error(ec::not_found, "there is no folder " + parent.string(),
                              "make it, or write the statistics somewhere else");
    problem.place.file = path;
    return problem;
  }
  return {};
}

} // namespace ebb::cli
