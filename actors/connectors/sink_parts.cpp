#include "actors/connectors/sink_parts.hpp"

#include "actors/connectors/debezium_writer.hpp"
#include "actors/connectors/file_digest.hpp"
#include "actors/connectors/file_paths.hpp"

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <sys/stat.h>

namespace ebb {

write_mode write_mode_of(const connector_context& context) noexcept {
  if (context.stream_uid.empty())
    return write_mode::at_end;
  return context.output_folder.empty() ? write_mode::at_least_once : write_mode::exactly_once;
}

error in_sink(error problem, const sink_definition& sink, const char* key) {
  problem = found_at_start(std::move(problem));
  problem.place = sink.place;
  problem.place.field += problem.place.field.empty() ? "file." : ".file.";
  problem.place.field += key;
  return problem;
}

result<void> check_folder_of(const std::string& path, const std::string& shown) {
  const auto folder = parent_folder_of(path);

  struct stat info {};

  if (::stat(folder.c_str(), &info) != 0) {
    auto problem = file_error("write", shown, errno);
    if (errno == ENOENT) {
      problem.message = "cannot write " + shown + ": the folder " + folder + " does not exist";
      problem.hint = "create the folder first, or choose another path";
    }
    return problem;
  }
  if (!S_ISDIR(info.st_mode))
    return make_error(ec::invalid_argument,
                      "cannot write " + shown + ": " + folder + " is not a folder");
  return {};
}

std::shared_ptr<record_writer> make_format(const file_sink& options, const schema& columns,
                                           const connector_context& context) {
  if (options.format == record_format::debezium)
    return make_debezium_writer(columns, context.unique_key);
  if (options.format == record_format::csv)
    return make_csv_writer(columns, options.delimiter);
  return make_json_writer(columns);
}

std::function<void(const std::string&)> note_of(const std::string& sink,
                                                const connector_context& context) {
  if (!context.note)
    return {};
  return [note = context.note, name = "sink " + sink + ' '](const std::string& text) {
    note(name + text);
  };
}

result<staging> stage_in_output_folder(const std::string& sink, const connector_context& context,
                                       std::uint32_t lane) {
  const auto& folder = context.output_folder;
  if (::mkdir(folder.c_str(), 0777) != 0 && errno != EEXIST)
    return file_error("create", folder, errno);
  auto name = context.stream_uid + '.' + sink + '.';
  std::replace(name.begin(), name.end(), '/', '_');
  staging how;
  // The next run may start elsewhere.
  how.folder = std::filesystem::absolute(folder).string();
  how.open_start = name;
  how.open_end = ".part";
  how.generation = context.generation;
  how.sealed_start = name + std::to_string(lane) + '.';
  how.sealed_end = ".out";
  how.lane = lane;
  how.note = note_of(sink, context);
  return how;
}

} // namespace ebb
