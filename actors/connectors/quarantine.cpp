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

namespace ebb {

namespace {

constexpr std::size_t waiting_max = std::size_t{4} << 20;

result<std::unique_ptr<byte_writer>> open_appending(const std::string& folder,
                                                    const std::string& file) {
  const auto path = join_path(folder, file);
  if (!folder.empty() && ::mkdir(folder.c_str(), 0777) != 0 && errno != EEXIST)
    return file_error("create", folder, errno);
  descriptor opened(::open(path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666));
  if (opened.number() < 0)
    return file_error("open", path, errno);
  return make_writer(std::move(opened), compression::none, path);
}

} // namespace

struct quarantine::shared {
  std::string folder;
  std::string file;
  std::unique_ptr<byte_writer> writer; ///< of the job alone

  std::mutex mutex; ///< guards what follows
  wake_function wake;
  std::string waiting;
  std::optional<error> failure;
  std::size_t in_flight = 0;
  bool busy = false;
  bool waited_for = false;

  void run();
};

void quarantine::shared::run() {
  for (;;) {
    std::string text;
    wake_function call;
    bool go_on = false;
    {
      const std::lock_guard lock(mutex);
      text.swap(waiting);
      go_on = busy = !text.empty() && !failure;
      in_flight = busy ? text.size() : 0;
      if (!busy && waited_for)
        call = wake;
      waited_for &= busy;
    }
    if (call)
      call();
    if (!go_on)
      return;
    auto done = result<void>{};
    if (!writer) {
      auto opened = open_appending(folder, file);
      if (opened)
        writer = *std::move(opened);
      else
        done = std::move(opened).error();
    }
    if (done)
      done = writer->write(text.data(), text.size());
    if (!done) {
      const std::lock_guard lock(mutex);
      failure = std::move(done).error();
    }
  }
}

quarantine::quarantine(const connector_context& context, std::string source)
    : source_(std::move(source)), io_(*context.io), lane_(context.io->open_lane()),
      shared_(std::make_shared<shared>()) {
  shared_->folder = join_path(context.data_folder, "quarantine");
  shared_->file = context.stream + "-" + source_ + ".ndjson";
  // A quoted name may hold what would lead into another folder.
  std::replace(shared_->file.begin(), shared_->file.end(), '/', '_');
  shared_->wake = context.wake;
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
  const bool full = shared_->waiting.size() + shared_->in_flight > waiting_max;
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
  line += "}\n";
  return line;
}

} // namespace ebb
