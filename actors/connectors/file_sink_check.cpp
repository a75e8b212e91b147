#include "actors/connectors/file_sink_check.hpp"

#include "actors/connectors/apply_output.hpp"
#include "actors/connectors/file_claim.hpp"
#include "actors/connectors/file_digest.hpp"
#include "actors/connectors/file_paths.hpp"
#include "actors/connectors/moved_output.hpp"
#include "actors/connectors/sink_parts.hpp"
#include "actors/plan/sink_folder.hpp"

#include <cerrno>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

namespace ebb {

namespace {

result<void> may(const std::string& path, int what, const std::string& shown) {
  return ::access(path.c_str(), what) == 0 ? result<void>{} : file_error("write", shown, errno);
}

/// Something of this name can be made.
result<void> may_begin(const std::string& path, const std::string& shown) {
  EBB_TRY(check_folder_of(path, shown));
  return may(parent_folder_of(path), W_OK | X_OK, shown);
}

result<void> check_parts(const std::string& path, const std::string& shown) {
  struct stat info {};

  return ::stat(path.c_str(), &info) == 0 ? may(path, W_OK | X_OK, shown) : may_begin(path, shown);
}

/// Whether the sink goes on behind this output in the file that it writes now.
bool goes_on(const sealed_output& x, const file_sink& options, const std::string& folder) {
  return x.target.empty() || x.target == append_target + options.path
         || was_moved(x.target, options.path, folder, x.offset + x.bytes);
}

result<void> check_bytes(const std::string& path, const expected_output& x,
                         const std::string& shown) {
  sealed_output reach;
  reach.offset = x.end;
  EBB_TRY(check_appended(path, shown, reach));
  return x.applied ? check_appended(path, shown, x.output) : result<void>{};
}

result<void> check_file(const std::string& path, const struct stat& info,
                        const sink_definition& sink, const file_sink& options,
                        const sink_prospect& start) {
  if (!S_ISREG(info.st_mode))
    return may(path, W_OK, options.path);
  EBB_TRY(may(path, start.exactly_once ? W_OK : W_OK | R_OK, options.path));
  // Where it may not be read, nobody can claim it.
  const descriptor file(::open(path.c_str(), O_RDWR | O_CLOEXEC));
  if (file.number() < 0
      || check_claim(file, claim_name(start.stream_uid, start.data_folder, sink.name), options.path))
    return {};
  // The stream's own workers leave the data folder out where they do not see it.
  return check_claim(file, claim_name(start.stream_uid, {}, sink.name), options.path);
}

result<void> check(const sink_definition& sink, const file_sink& options, const std::string& folder,
                   const sink_prospect& start) {
  auto shown = options.path;
  if (writes_parts(options, folder)) {
    while (shown.size() > 1 && shown.back() == '/')
      shown.pop_back();
    return check_parts(join_path(folder, shown), shown);
  }
  const auto path = join_path(folder, shown);

  struct stat info {};

  const bool is_there = ::stat(path.c_str(), &info) == 0;
  EBB_TRY(is_there ? check_file(path, info, sink, options, start) : may_begin(path, shown));
  for (const auto& x : start.outputs) {
    if (!goes_on(x.output, options, folder))
      continue;
    // At least once, a file that is too short only loses what it has lost.
    if (!start.exactly_once
        && (!is_there || static_cast<std::uint64_t>(info.st_size) < x.output.offset + x.output.bytes))
      continue;
    EBB_TRY(check_bytes(path, x, shown));
  }
  return {};
}

} // namespace

result<void> check_file_sink(const sink_definition& sink, const file_sink& options,
                             const std::string& folder, const sink_prospect& start) {
  auto good = check(sink, options, folder, start);
  return good ? result<void>{} : in_sink(std::move(good).error(), sink, "path");
}

} // namespace ebb
