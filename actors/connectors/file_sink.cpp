#include "actors/connectors/file_sink.hpp"

#include "actors/connectors/file_paths.hpp"
#include "actors/connectors/file_text_sink.hpp"

#include <cerrno>
#include <climits>
#include <cstdio>
#include <cstdlib>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

namespace ebb {

namespace {

/// The file that is written, and what becomes of it.
struct target {
  std::string path;      ///< to open
  std::string published; ///< its name at the end; empty = the same
  int flags = O_WRONLY;
  mode_t mode = 0666;
};

result<void> check_folder(const std::string& path, const std::string& shown) {
  const auto slash = path.rfind('/');
  const auto folder = slash == std::string::npos ? "." : slash == 0 ? "/" : path.substr(0, slash);

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

result<target> find_target(const std::string& full, const std::string& shown) {
  struct stat info {};

  if (::stat(full.c_str(), &info) != 0) {
    EBB_TRY(check_folder(full, shown));
    return target{full + ".part", full, O_WRONLY | O_CREAT | O_TRUNC, 0666};
  }
  if (S_ISDIR(info.st_mode))
    return make_error(ec::invalid_argument, "cannot write " + shown + ": it is a folder",
                      "name a file in it");
  if (!S_ISREG(info.st_mode))
    return target{full, {}, O_WRONLY, 0666};
  // A link goes on to lead to the file.
  char resolved[PATH_MAX];
  const std::string real = ::realpath(full.c_str(), resolved) == nullptr ? full : resolved;
  return target{real + ".part", real, O_WRONLY | O_CREAT | O_TRUNC, info.st_mode & 0777};
}

error in_sink(error problem, const sink_definition& sink, const char* key) {
  problem.place = sink.place;
  problem.place.field += problem.place.field.empty() ? "file." : ".file.";
  problem.place.field += key;
  return problem;
}

} // namespace

result<std::unique_ptr<sink_writer>> open_file_sink(const sink_definition& sink,
                                                    const file_sink& options, const schema& columns,
                                                    connector_context context) {
  EBB_ASSERT(context.io != nullptr);
  if (options.format == record_format::debezium)
    return in_sink(make_error(ec::unsupported, "file sinks do not write format debezium yet",
                              "use format json or csv"),
                   sink, "format");
  if (context.parallelism != 1)
    return in_sink(make_error(ec::unsupported, "a file sink is written by one subtask"), sink,
                   "path");
  if (options.path.empty())
    return in_sink(make_error(ec::invalid_argument, "the path is empty"), sink, "path");
  auto found = find_target(join_path(context.folder, options.path), options.path);
  if (!found)
    return in_sink(std::move(found).error(), sink, "path");
  descriptor file(::open(found->path.c_str(), found->flags | O_CLOEXEC, found->mode));
  if (file.number() < 0)
    return in_sink(file_error("write", options.path, errno), sink, "path");
  text_sink_parts parts;
  if (options.format == record_format::csv)
    parts.format = make_csv_writer(columns, options.delimiter);
  else
    parts.format = make_json_writer(columns);
  std::function<result<void>()> publish;
  if (!found->published.empty()) {
    publish = [from = found->path, to = found->published, shown = options.path]() -> result<void> {
      if (std::rename(from.c_str(), to.c_str()) != 0)
        return file_error("write", shown, errno);
      return {};
    };
    parts.discard = [part = found->path] { ::unlink(part.c_str()); };
  }
  parts.output = std::make_unique<file_output>(
      make_writer(std::move(file), compression_of(options.path), options.path), context,
      std::move(publish));
  return make_text_sink(std::move(parts));
}

} // namespace ebb
