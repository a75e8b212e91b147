#include "actors/connectors/quarantine.hpp"

#include "actors/connectors/file_base64.hpp"
#include "actors/connectors/file_io.hpp"
#include "actors/connectors/file_paths.hpp"
#include "actors/connectors/file_utf8.hpp"
#include "actors/connectors/json_escape.hpp"

#include <algorithm>
#include <cerrno>
#include <fcntl.h>
#include <mutex>
#include <optional>
#include <sys/stat.h>
#include <unistd.h>

namespace ebb {

namespace {

constexpr std::size_t waiting_max = std::size_t{4} << 20;
// What waits becomes part of positions.
constexpr std::size_t waiting_max_of_partition = std::size_t{256} << 10;

std::string folder_in(const std::string& folder, const std::string& data_folder) {
  return join_path(data_folder.empty() ? folder : data_folder, "quarantine");
}

std::string folder_of(const connector_context& context) {
  return folder_in(context.folder, context.data_folder);
}

std::string file_name(const std::string& stream, const std::string& source,
                      std::uint32_t partition) {
  auto name = stream + "-" + source;
  if (partition != 0)
    name += "." + std::to_string(partition);
  name += ".ndjson";
  // A quoted name may hold what would lead into another folder.
  std::replace(name.begin(), name.end(), '/', '_');
  return name;
}

result<void> create_folder(const std::string& folder) {
  if (!folder.empty() && ::mkdir(folder.c_str(), 0777) != 0 && errno != EEXIST)
    return file_error("create", folder, errno);
  return {};
}

result<void> write_all(const descriptor& file, std::string_view text, const std::string& path) {
  while (!text.empty()) {
    const auto count = ::write(file.number(), text.data(), text.size());
    if (count < 0 && errno != EINTR)
      return file_error("write", path, errno);
    text.remove_prefix(count < 0 ? 0 : static_cast<std::size_t>(count));
  }
  if (::fdatasync(file.number()) != 0)
    return file_error("write", path, errno);
  return {};
}

// Appends durably. The file is not kept open: there may be one for each of many partitions.
result<void> append_durably(const std::string& folder, const std::string& file,
                            const std::string& text) {
  EBB_TRY(create_folder(folder));
  const auto path = join_path(folder, file);
  const descriptor opened(::open(path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666));
  if (opened.number() < 0)
    return file_error("open", path, errno);
  return write_all(opened, text, path);
}

result<std::unique_ptr<byte_writer>> open_appending(const std::string& folder,
                                                    const std::string& file) {
  const auto path = join_path(folder, file);
  EBB_TRY(create_folder(folder));
  descriptor opened(::open(path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666));
  if (opened.number() < 0)
    return file_error("open", path, errno);
  return make_writer(std::move(opened), compression::none, path);
}

} // namespace

struct quarantine::shared {
  std::string folder;
  std::string file;
  bool durable = false;
  std::size_t most = waiting_max;
  std::unique_ptr<byte_writer> writer; ///< of the job alone

  mutable std::mutex mutex; ///< guards what follows
  wake_function wake;
  std::string waiting;
  std::string in_flight;
  std::uint64_t offset = 0; ///< bytes in the file, where they are known to be durable
  std::optional<error> failure;
  bool busy = false;
  bool waited_for = false;

  void run();
  result<void> write(const std::string& text);
};

result<void> quarantine::shared::write(const std::string& text) {
  if (durable)
    return append_durably(folder, file, text);
  if (!writer) {
    EBB_ASSIGN(writer, open_appending(folder, file));
  }
  return writer->write(text.data(), text.size());
}

void quarantine::shared::run() {
  for (;;) {
    std::string text;
    wake_function call;
    bool go_on = false;
    {
      const std::lock_guard lock(mutex);
      if (!failure) {
        offset += in_flight.size();
        in_flight.clear();
        in_flight.swap(waiting);
      }
      go_on = busy = !in_flight.empty() && !failure;
      text = in_flight;
      if (!busy && waited_for)
        call = wake;
      waited_for &= busy;
    }
    if (call)
      call();
    if (!go_on)
      return;
    auto done = write(text);
    if (!done) {
      const std::lock_guard lock(mutex);
      failure = std::move(done).error();
    }
  }
}

quarantine::quarantine(const connector_context& context, std::string source)
    : source_(std::move(source)), io_(*context.io), lane_(context.io->open_lane()),
      shared_(std::make_shared<shared>()) {
  shared_->folder = folder_of(context);
  shared_->file = file_name(context.stream, source_, 0);
  shared_->wake = context.wake;
}

quarantine::quarantine(const connector_context& context, std::string source,
                       std::uint32_t partition, std::uint64_t offset)
    : quarantine(context, std::move(source)) {
  shared_->file = file_name(context.stream, source_, partition);
  shared_->durable = true;
  shared_->most = waiting_max_of_partition;
  shared_->offset = offset;
}

quarantine::~quarantine() {
  const std::lock_guard lock(shared_->mutex);
  shared_->wake = nullptr;
}

result<void> quarantine::add(const std::vector<bad_record>& records) {
  std::string lines;
  for (const auto& record : records)
    lines += quarantine_line(source_, record);
  bool start = false;
  {
    const std::lock_guard lock(shared_->mutex);
    if (shared_->failure)
      return *shared_->failure;
    shared_->waiting += lines;
    start = !shared_->busy && !shared_->waiting.empty();
    shared_->busy |= start;
  }
  if (start)
    io_.submit(lane_, [x = shared_] { x->run(); });
  return {};
}

bool quarantine::is_full() const {
  const std::lock_guard lock(shared_->mutex);
  // Of what cannot be written nobody waits for the end.
  const bool full = !shared_->failure
                    && shared_->waiting.size() + shared_->in_flight.size() > shared_->most;
  shared_->waited_for |= full;
  return full;
}

result<bool> quarantine::settle() {
  const std::lock_guard lock(shared_->mutex);
  if (shared_->failure)
    return *shared_->failure;
  shared_->waited_for = shared_->busy;
  return !shared_->busy;
}

quarantine_position quarantine::position() const {
  const std::lock_guard lock(shared_->mutex);
  return {shared_->offset, shared_->in_flight + shared_->waiting};
}

result<std::uint64_t> restore_quarantine(const connector_context& context,
                                         const std::string& source, std::uint32_t partition,
                                         const quarantine_position* at) {
  const auto folder = folder_of(context);
  const auto path = join_path(folder, file_name(context.stream, source, partition));

  struct stat info {};

  const auto size = ::stat(path.c_str(), &info) == 0 ? static_cast<std::uint64_t>(info.st_size) : 0;
  if (at == nullptr || (size <= at->offset && at->pending.empty()))
    return size;
  EBB_TRY(create_folder(folder));
  const descriptor file(::open(path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666));
  if (file.number() < 0)
    return file_error("open", path, errno);
  const auto kept = std::min(size, at->offset);
  if (::ftruncate(file.number(), static_cast<off_t>(kept)) != 0)
    return file_error("write", path, errno);
  EBB_TRY(write_all(file, at->pending, path));
  return kept + at->pending.size();
}

std::string quarantine_path(const std::string& folder, const std::string& data_folder,
                            const std::string& stream, const std::string& source) {
  return join_path(folder_in(folder, data_folder), file_name(stream, source, 0));
}

std::string quarantine_line(const std::string& source, const bad_record& record) {
  std::string line = "{\"error\":";
  append_json_string(record.error, line);
  line += ",\"source\":";
  append_json_string(source, line);
  line += ",\"offset\":" + std::to_string(record.number) + ",\"raw\":";
  if (is_utf8(record.raw)) {
    append_json_string(record.raw, line);
  } else {
    std::string text(base64_encoded_size(record.raw.size()), '=');
    base64_encode(record.raw, text.data());
    line += "\"" + text + "\",\"rawEncoding\":\"base64\"";
  }
  // Nobody must take what is cut for the record.
  if (record.length > record.raw.size())
    line += ",\"truncated\":true,\"length\":" + std::to_string(record.length);
  line += "}\n";
  return line;
}

} // namespace ebb
