#include "actors/connectors/staged_target.hpp"

#include "actors/connectors/exclusive_part.hpp"
#include "actors/connectors/file_digest.hpp"
#include "actors/connectors/file_paths.hpp"
#include "actors/connectors/part_name.hpp"
#include "storage/failpoint.hpp"

#include <cerrno>
#include <chrono>
#include <cstdio>
#include <dirent.h>
#include <fcntl.h>
#include <memory>
#include <string_view>
#include <thread>
#include <unistd.h>
#include <utility>
#include <vector>

namespace ebb {

namespace {

// How often a full disk is tried again.
constexpr auto room_period = std::chrono::milliseconds(100);

/// What a full disk makes wait, until there is room or the stream is given up. Told once a wait.
class room_wait {
public:
  explicit room_wait(const staging& how) : stopped_(how.stopped), note_(how.note) {}

  /// False: `problem` is another one, or nobody wants the bytes any more.
  bool wait(int problem, const std::string& path) {
    if ((problem != ENOSPC && problem != EDQUOT) || *stopped_)
      return false;
    if (!std::exchange(waits_, true) && note_)
      note_("waits: " + file_error("write", path, problem).message
            + ": free some space on its disk; nothing is lost, and the stream goes on by itself");
    std::this_thread::sleep_for(room_period);
    return true;
  }

  /// The write has succeeded.
  void end() {
    if (std::exchange(waits_, false) && note_)
      note_("goes on: there is room on the disk again");
  }

private:
  std::shared_ptr<std::atomic<bool>> stopped_;
  std::function<void(const std::string&)> note_;
  bool waits_ = false;
};

/// Writes, counts and hashes. Does not close the file.
class tallied_writer final : public byte_writer {
public:
  struct tally {
    digester hash;
    std::uint64_t bytes = 0;
  };

  tallied_writer(const descriptor& file, std::shared_ptr<tally> count, output_tail& tail,
                 room_wait& room, std::string shown)
      : file_(file), tally_(std::move(count)), tail_(tail), room_(room), shown_(std::move(shown)) {}

  result<void> write(const char* bytes, std::size_t size) override {
    tally_->hash.add(bytes, size);
    tail_.add(bytes, size);
    tally_->bytes += size;
    while (size != 0) {
      const auto count = ::write(file_.number(), bytes, size);
      if (count >= 0) {
        bytes += count;
        size -= static_cast<std::size_t>(count);
        room_.end();
      } else if (const int problem = errno; problem != EINTR) {
        // The stream stands still meanwhile, since what it may have in flight is bounded.
        if (!room_.wait(problem, shown_))
          return file_error("write", shown_, problem);
      }
    }
    return {};
  }

  result<void> flush() override {
    return {};
  }

  result<void> finish() override {
    return {};
  }

private:
  const descriptor& file_;
  std::shared_ptr<tally> tally_;
  output_tail& tail_;
  room_wait& room_;
  std::string shown_;
};

/// Removes what lower generations have left of this sink, in whatever lane: crashes leave it, and a
/// process that still writes there is fenced. Files that cannot be removed stay.
void sweep_open_files(const staging& how) {
  constexpr std::string_view mark = ".g";
  DIR* handle = ::opendir(how.folder.c_str());
  if (handle == nullptr)
    return;
  std::vector<std::string> names;
  while (const auto* entry = ::readdir(handle)) {
    std::string_view name = entry->d_name;
    if (!name.starts_with(how.open_start))
      continue;
    name.remove_prefix(how.open_start.size());
    std::uint64_t lane = 0;
    if (!take_number(name, lane) || !name.starts_with(mark))
      continue;
    name.remove_prefix(mark.size());
    std::uint64_t generation = 0;
    if (take_number(name, generation) && generation < how.generation && name == how.open_end)
      names.emplace_back(entry->d_name);
  }
  ::closedir(handle);
  for (const auto& name : names)
    ::unlink(join_path(how.folder, name).c_str());
}

class staged_target final : public output_target {
public:
  explicit staged_target(staging how)
      : how_(std::move(how)), room_(how_),
        open_path_(join_path(how_.folder, how_.open_start + std::to_string(how_.lane) + ".g"
                                              + std::to_string(how_.generation) + how_.open_end)) {}

  ~staged_target() override {
    drop();
  }

  staged_target(const staged_target&) = delete;
  staged_target& operator=(const staged_target&) = delete;

  result<void> write(const char* bytes, std::size_t size) override {
    if (!writer_)
      EBB_TRY(open());
    return writer_->write(bytes, size);
  }

  result<sealed_output> seal(epoch_number epoch) override {
    sealed_output made;
    made.lane = how_.lane;
    made.target = how_.target(epoch);
    made.offset = how_.offset;
    if (how_.has_offsets && how_.offset == 0 && !begun_ && !writer_)
      EBB_TRY(open());
    begun_ = true;
    if (!writer_) {
      if (how_.has_offsets)
        made.digest = how_.tail.digest();
      return made;
    }
    made.file = join_path(how_.folder, how_.sealed_start + std::to_string(epoch) + how_.sealed_end);
    EBB_TRY(close());
    failpoint("output.rename", failpoint_side::before);
    if (std::rename(open_path_.c_str(), made.file.c_str()) != 0)
      return file_error("write", made.file, errno);
    failpoint("output.rename", failpoint_side::after);
    failpoint("output.folder_sync", failpoint_side::before);
    EBB_TRY(sync_folder_of(made.file));
    failpoint("output.folder_sync", failpoint_side::after);
    made.bytes = tally_->bytes;
    made.digest = tally_->hash.value();
    if (how_.has_offsets)
      how_.offset += made.bytes;
    return made;
  }

  result<void> finish() override {
    if (writer_ && how_.rest) {
      EBB_TRY(close());
      EBB_TRY(how_.rest(open_path_));
      ::unlink(open_path_.c_str());
    }
    drop();
    return {};
  }

private:
  result<void> open() {
    if (!std::exchange(swept_, true))
      sweep_open_files(how_);
    // What is there was left by a writer of this process that has been given up and may still
    // write.
    ::unlink(open_path_.c_str());
    for (;;) {
      file_ = descriptor(::open(open_path_.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666));
      if (file_.number() >= 0)
        break;
      if (const int problem = errno; !room_.wait(problem, open_path_))
        return file_error("write", open_path_, problem);
    }
    room_.end();
    tally_ = std::make_shared<tallied_writer::tally>();
    writer_ = compress(how_.method,
                       std::make_unique<tallied_writer>(file_, tally_, how_.tail, room_, open_path_),
                       open_path_);
    return {};
  }

  result<void> close() {
    const auto writer = std::exchange(writer_, nullptr);
    EBB_TRY(writer->finish());
    failpoint("output.sync", failpoint_side::before);
    EBB_TRY(sync_file(file_, open_path_));
    failpoint("output.sync", failpoint_side::after);
    if (const int problem = file_.close(); problem != 0)
      return file_error("write", open_path_, problem);
    return {};
  }

  void drop() {
    if (std::exchange(writer_, nullptr) != nullptr && is_at(file_, open_path_))
      ::unlink(open_path_.c_str());
  }

  staging how_;
  room_wait room_;
  std::string open_path_;
  descriptor file_;
  bool begun_ = false;
  bool swept_ = false;
  std::shared_ptr<tallied_writer::tally> tally_;
  std::unique_ptr<byte_writer> writer_;
};

} // namespace

std::unique_ptr<output_target> make_staged_target(staging how) {
  return std::make_unique<staged_target>(std::move(how));
}

} // namespace ebb
