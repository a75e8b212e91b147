#include "actors/connectors/folder_sink.hpp"

#include "actors/connectors/apply_output.hpp"
#include "actors/connectors/exclusive_part.hpp"
#include "actors/connectors/file_digest.hpp"
#include "actors/connectors/file_paths.hpp"
#include "actors/connectors/part_name.hpp"

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <sys/stat.h>
#include <system_error>
#include <unistd.h>
#include <utility>
#include <vector>

namespace ebb {

namespace {

std::string file_name(std::string text) {
  std::replace(text.begin(), text.end(), '/', '_');
  return text;
}

/// Removes what earlier runs have sealed in lanes that this run does not have, and has not been
/// committed: what has been is applied before sinks open. Other lanes sweep theirs (output_sweeper).
/// Files that cannot be removed stay.
void sweep_lanes_from(std::uint32_t lanes, const staging& how) {
  std::vector<std::string> names;
  std::error_code problem;
  for (std::filesystem::directory_iterator i(how.folder, problem), end; !problem && i != end;
       i.increment(problem)) {
    auto name = i->path().filename().string();
    if (const auto part = part_of(name, how.open_start, how.sealed_end);
        part && part->lane >= lanes)
      names.push_back(std::move(name));
  }
  for (const auto& name : names)
    ::unlink(join_path(how.folder, name).c_str());
}

// At least once: an epoch's part gets its name when it is sealed.
class eager_target final : public output_target {
public:
  eager_target(std::unique_ptr<output_target> parts, std::string folder)
      : parts_(std::move(parts)), folder_(std::move(folder)) {}

  result<void> write(const char* bytes, std::size_t size) override {
    return parts_->write(bytes, size);
  }

  result<sealed_output> seal(epoch_number epoch) override {
    EBB_ASSIGN(const auto made, parts_->seal(epoch));
    EBB_TRY(apply_waiting_output(folder_, made));
    sealed_output done;
    done.lane = made.lane;
    return done;
  }

  result<void> finish() override {
    return parts_->finish();
  }

private:
  std::unique_ptr<output_target> parts_;
  std::string folder_;
};

// Without checkpoints: one part, if there are rows.
class last_part final : public output_target {
public:
  last_part(descriptor file, std::string part, std::string start, std::string end,
            std::string shown)
      : file_(std::move(file)), part_(std::move(part)), start_(std::move(start)),
        end_(std::move(end)), shown_(std::move(shown)) {}

  result<void> write(const char* bytes, std::size_t size) override {
    if (!writer_) {
      EBB_ASSIGN(auto same, same_file(file_, shown_));
      writer_ = make_writer(std::move(same), compression::none, shown_);
    }
    return writer_->write(bytes, size);
  }

  result<void> finish() override {
    if (!writer_) {
      ::unlink(part_.c_str());
      file_.close();
      return {};
    }
    EBB_TRY(writer_->finish());
    EBB_TRY(check_part(file_, part_, shown_));
    for (std::uint64_t n = 1;; ++n) {
      const auto name = start_ + std::to_string(n) + end_;
      const int problem = rename_anew(part_.c_str(), name.c_str());
      if (problem == 0)
        break;
      if (problem != EEXIST)
        return file_error("write", shown_, problem);
    }
    file_.close();
    return {};
  }

private:
  descriptor file_; ///< locked until the part has its name
  std::string part_, start_, end_, shown_;
  std::unique_ptr<byte_writer> writer_;
};

} // namespace

result<void> open_folder_parts(const file_sink& options, const connector_context& context,
                               text_sink_parts& parts) {
  auto shown = options.path;
  while (shown.size() > 1 && shown.back() == '/')
    shown.pop_back();
  const auto folder = join_path(context.folder, shown);
  EBB_TRY(check_folder_of(folder, shown));
  if (::mkdir(folder.c_str(), 0777) != 0 && errno != EEXIST)
    return file_error("create", shown, errno);
  if (::access(folder.c_str(), W_OK | X_OK) != 0)
    return file_error("write", shown, errno);
  parts.separate = true;
  const std::string ending = part_ending(options.format);
  const auto mode = write_mode_of(context);
  const auto& owner = mode == write_mode::at_end ? context.stream : context.stream_uid;
  const auto name = file_name(owner) + '-' + std::to_string(context.subtask);
  if (mode == write_mode::at_end) {
    const auto part = join_path(folder, '.' + name + ending + ".part");
    EBB_ASSIGN(auto file, open_exclusive_part(part, 0666, shown));
    EBB_ASSIGN(auto lock, same_file(file, shown));
    parts.discard = [part, held = std::make_shared<descriptor>(std::move(lock))] {
      ::unlink(part.c_str());
      held->close();
    };
    parts.output = std::make_unique<file_output>(
        std::make_unique<last_part>(std::move(file), part, join_path(folder, name + '-'), ending,
                                    shown),
        context);
    return {};
  }
  staging how;
  how.folder = std::filesystem::absolute(folder).string();
  how.open_start = '.' + file_name(owner) + '-';
  how.open_end = ending + ".part";
  how.generation = context.generation;
  how.sealed_start = '.' + name + '-';
  how.sealed_end = ending + ".part";
  how.lane = context.subtask;
  how.has_offsets = false;
  how.note = note_of(shown, context);
  how.target = [start = part_target + join_path(shown, name + '-'), ending](epoch_number epoch) {
    return start + std::to_string(epoch) + ending;
  };
  parts.discard = [stopped = how.stopped] { *stopped = true; };
  if (context.subtask == 0)
    sweep_lanes_from(context.parallelism, how);
  auto target = make_staged_target(std::move(how));
  if (mode == write_mode::at_least_once)
    target = std::make_unique<eager_target>(std::move(target), context.folder);
  parts.output = std::make_unique<file_output>(std::move(target), context);
  return {};
}

} // namespace ebb
