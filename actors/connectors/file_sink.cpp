#include "actors/connectors/file_sink.hpp"

#include "actors/connectors/apply_output.hpp"
#include "actors/connectors/direct_target.hpp"
#include "actors/connectors/exclusive_part.hpp"
#include "actors/connectors/file_claim.hpp"
#include "actors/connectors/file_digest.hpp"
#include "actors/connectors/file_paths.hpp"
#include "actors/connectors/folder_sink.hpp"
#include "actors/connectors/moved_output.hpp"
#include "actors/connectors/sink_parts.hpp"
#include "actors/plan/sink_folder.hpp"

#include <cerrno>
#include <chrono>
#include <climits>
#include <cstdio>
#include <cstdlib>
#include <fcntl.h>
#include <sys/stat.h>
#include <thread>
#include <unistd.h>

namespace ebb {

namespace {

/// The file that is meant.
struct target {
  std::string path; ///< links are followed
  bool exists = false;
  bool special = false; ///< a pipe, a device: it is written as it is
  bool pipe = false;
  mode_t mode = 0666;
};

result<target> find_target(const std::string& full, const std::string& shown) {
  struct stat info {};

  if (::stat(full.c_str(), &info) != 0) {
    EBB_TRY(check_folder_of(full, shown));
    return target{full};
  }
  if (!S_ISREG(info.st_mode))
    return target{full, true, true, S_ISFIFO(info.st_mode), 0666};
  // A link goes on to lead to the file.
  char resolved[PATH_MAX];
  const std::string real = ::realpath(full.c_str(), resolved) == nullptr ? full : resolved;
  return target{real, true, false, false, info.st_mode & 0777};
}

/// Waits for the reader of a pipe, as a shell's `>` does, until the stream is to end.
result<descriptor> open_special(const target& at, const std::string& shown, const std::string& sink,
                                const connector_context& context) {
  constexpr auto look_period = std::chrono::milliseconds(20);
  for (bool told = false;; told = true) {
    descriptor file(::open(at.path.c_str(), O_WRONLY | O_NONBLOCK | O_CLOEXEC));
    if (file.number() >= 0) {
      ::fcntl(file.number(), F_SETFL, ::fcntl(file.number(), F_GETFL) & ~O_NONBLOCK);
      return file;
    }
    const int problem = errno;
    if (!at.pipe || problem != ENXIO)
      return file_error("write", shown, problem);
    if (context.interrupted == nullptr || *context.interrupted)
      return make_error(context.interrupted == nullptr ? ec::io : ec::cancelled,
                        "cannot write " + shown + ": nobody reads this pipe",
                        "start its reader first, or use a stdout sink or the path /dev/stdout");
    if (const auto note = told ? nullptr : note_of(sink, context); note)
      note("waits until somebody reads the pipe " + shown
           + " (for standard output there are the stdout sink and the path /dev/stdout)");
    std::this_thread::sleep_for(look_period);
  }
}

const sealed_output* last_output(const connector_context& context) {
  return context.outputs.empty() ? nullptr : &context.outputs.back();
}

/// The file, claimed for this sink of the stream; another stream's is refused. None where it may
/// not be read.
result<descriptor> claimed(const target& at, const std::string& shown, const std::string& sink,
                           const connector_context& context, int flags) {
  descriptor file(::open(at.path.c_str(), O_RDWR | O_CLOEXEC | flags, at.mode));
  if (file.number() < 0)
    return at.exists || flags == 0 ? result<descriptor>(std::move(file))
                                   : file_error("write", shown, errno);
  EBB_TRY(claim_file(file, claim_name(context.stream_uid, context.data_folder, sink), shown));
  return file;
}

/// Makes the parts of one sink's writer, but for the format.
class single_file {
public:
  single_file(const sink_definition& sink, const file_sink& options,
              const connector_context& context, target at)
      : sink_(sink), options_(options), context_(context), at_(std::move(at)),
        method_(at_.special ? compression::none : compression_of(options.path)) {}

  /// A special file's text is compressed by its name, too, where nothing has to be sealed.
  result<void> at_end(text_sink_parts& parts) const {
    const auto method = compression_of(options_.path);
    if (at_.special) {
      EBB_ASSIGN(auto file, open_special(at_, options_.path, sink_.name, context_));
      return use(parts,
                 make_plain_target(make_writer(std::move(file), method, options_.path), nullptr));
    }
    // Nobody may be writing what is replaced in the end.
    EBB_ASSIGN(auto before, claimed(at_, options_.path, sink_.name, context_, 0));
    const auto part = at_.path + ".part";
    EBB_ASSIGN(auto file, open_exclusive_part(part, at_.mode, options_.path));
    // The lock lasts until the file has its name.
    EBB_ASSIGN(auto lock, same_file(file, options_.path));
    const auto held = std::make_shared<descriptor>(std::move(lock));
    const auto publish = [from = part, to = at_.path, shown = options_.path, held,
                          claim =
                              std::make_shared<descriptor>(std::move(before))]() -> result<void> {
      EBB_TRY(check_part(*held, from, shown));
      if (std::rename(from.c_str(), to.c_str()) != 0)
        return file_error("write", shown, errno);
      held->close();
      return {};
    };
    parts.discard = [part, held] {
      ::unlink(part.c_str());
      held->close();
    };
    return use(parts,
               make_plain_target(make_writer(std::move(file), method, options_.path), publish));
  }

  result<void> at_least_once(text_sink_parts& parts) const {
    if (at_.special) {
      EBB_ASSIGN(auto file, open_special(at_, options_.path, sink_.name, context_));
      return use(parts, make_direct_target(std::move(file), method_, 0, options_.path));
    }
    descriptor file(::open(at_.path.c_str(), O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, at_.mode));
    if (file.number() < 0)
      return file_error("write", options_.path, errno);
    if (!try_lock(file))
      return make_error(ec::conflict,
                        "cannot write " + options_.path + ": another process is writing it",
                        "wait until it has finished, or write to another path");
    EBB_TRY(claim_file(file, claim_name(context_.stream_uid, context_.data_folder, sink_.name),
                       options_.path));
    std::uint64_t size = 0;
    if (const auto* last = last_output(context_); last != nullptr) {
      const bool lines = method_ == compression::none && options_.format != record_format::csv;
      // Exactly-once output has its bytes behind its offset.
      const auto recorded = last->offset + last->bytes;
      EBB_ASSIGN(size, whole_size(file, lines, recorded, options_.path));
      if (size >= recorded)
        EBB_TRY(check_appended(at_.path, options_.path, *last));
    }
    if (::ftruncate(file.number(), static_cast<off_t>(size)) != 0)
      return file_error("write", options_.path, errno);
    parts.begun = size != 0;
    return use(parts, make_direct_target(std::move(file), method_, size, options_.path));
  }

  result<void> exactly_once(text_sink_parts& parts) const {
    std::shared_ptr<descriptor> held;
    if (at_.special) {
      // A reader of a pipe sees no end between two epochs.
      EBB_ASSIGN(auto file, open_special(at_, options_.path, sink_.name, context_));
      held = std::make_shared<descriptor>(std::move(file));
    } else if (::access(at_.exists ? at_.path.c_str() : parent_folder_of(at_.path).c_str(), W_OK)
               != 0) {
      return file_error("write", options_.path, errno);
    }
    EBB_ASSIGN(auto how, stage_in_output_folder(sink_.name, context_, 0));
    how.method = method_;
    parts.discard = [held, stopped = how.stopped] { *stopped = true; };
    const auto where = append_target + options_.path;
    how.target = [where](epoch_number) { return where; };
    // A sink that was given another path begins a file there, unless its file was moved there. At
    // least once, no target is recorded, as nothing has to be applied.
    if (const auto* last = last_output(context_);
        last != nullptr
        && (last->target.empty() || last->target == where
            || was_moved(last->target, options_.path, context_.folder,
                         last->offset + last->bytes))) {
      how.offset = last->offset + last->bytes;
      if (!at_.special && how.offset != 0) {
        EBB_TRY(check_appended(at_.path, options_.path, *last));
        if (const descriptor file(::open(at_.path.c_str(), O_RDONLY | O_CLOEXEC));
            file.number() >= 0)
          EBB_TRY(how.tail.read(file, how.offset, options_.path));
      }
    }
    if (!at_.special) {
      EBB_ASSIGN(auto claim, claimed(at_, options_.path, sink_.name, context_, O_CREAT));
      how.claim = std::make_shared<descriptor>(std::move(claim));
    }
    parts.begun = how.offset != 0;
    return use(parts, make_staged_target(std::move(how)));
  }

private:
  result<void> use(text_sink_parts& parts, std::unique_ptr<output_target> made) const {
    parts.output = std::make_unique<file_output>(std::move(made), context_);
    return {};
  }

  const sink_definition& sink_;
  const file_sink& options_;
  const connector_context& context_;
  target at_;
  compression method_;
};

} // namespace

result<std::unique_ptr<sink_writer>> open_file_sink(const sink_definition& sink,
                                                    const file_sink& options, const schema& columns,
                                                    connector_context context) {
  EBB_ASSERT(context.io != nullptr);
  if (options.path.empty())
    return in_sink(make_error(ec::invalid_argument, "the path is empty"), sink, "path");
  text_sink_parts parts;
  parts.format = make_format(options, columns, context);
  result<void> opened;
  if (writes_parts(options, context.folder)) {
    opened = open_folder_parts(options, context, parts);
  } else if (context.parallelism != 1) {
    opened = make_error(ec::unsupported, "a file is written by one subtask");
  } else if (auto found = find_target(join_path(context.folder, options.path), options.path);
             !found) {
    opened = std::move(found).error();
  } else {
    const single_file file(sink, options, context, *std::move(found));
    switch (write_mode_of(context)) {
    case write_mode::at_end:
      opened = file.at_end(parts);
      break;
    case write_mode::at_least_once:
      opened = file.at_least_once(parts);
      break;
    case write_mode::exactly_once:
      opened = file.exactly_once(parts);
      break;
    }
  }
  if (!opened)
    return in_sink(std::move(opened).error(), sink, "path");
  return make_text_sink(std::move(parts));
}

} // namespace ebb
