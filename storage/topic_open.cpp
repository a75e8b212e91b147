// Opening a topic's log: what a crash has left is put right, and what is damaged is named.

#include "storage/files.hpp"
#include "storage/topic_batches.hpp"
#include "storage/topic_logging.hpp"
#include "storage/topic_reading.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace ebb {

namespace {

constexpr std::uint64_t file_bytes_min = std::uint64_t{64} << 10;
constexpr std::uint64_t file_bytes_max = std::uint64_t{8} << 30;
static_assert(file_bytes_max + (std::uint64_t{2} << 30) < topic_map_max);

error missing(const std::string& folder, const std::string& what) {
  return make_error(ec::corrupt, folder + ": the topic's log is damaged: " + what,
                    "restore the folder from a copy, or remove it whole to begin anew");
}

} // namespace

result<std::unique_ptr<topic_log>> topic_log::open(const std::string& folder,
                                                   const topic_options& options, micros now) {
  if (options.partitions == 0 || options.partitions > topic_partitions_max)
    return make_error(ec::invalid_argument,
                      fmt::format("a topic cannot have {} partitions", options.partitions),
                      fmt::format("use 1 to {}", topic_partitions_max));
  if (options.file_bytes < file_bytes_min || options.file_bytes > file_bytes_max)
    return make_error(ec::invalid_argument,
                      fmt::format("a topic's files cannot have {} bytes", options.file_bytes),
                      fmt::format("use {} to {}", file_bytes_min, file_bytes_max));
  EBB_TRY(make_folder(folder));
  EBB_TRY(refuse_network_file_system(folder));
  EBB_ASSIGN(auto lock, folder_lock::acquire(folder));
  auto made = std::make_unique<implementation>(folder, options, std::move(lock));
  EBB_TRY(made->open(now));
  return std::unique_ptr<topic_log>{new topic_log{std::move(made)}};
}

result<void> topic_log::implementation::open(micros now) {
  EBB_ASSIGN(const auto noted, folder_lock::noted(folder_));
  EBB_ASSIGN(const auto names, list_files(folder_));
  for (const auto& name : names)
    if ((folder_ + "/" + name).starts_with(topic_temporary_prefix(folder_)))
      EBB_TRY(remove_file(folder_ + "/" + name));
  EBB_ASSIGN(const auto present, topic_file_numbers(folder_));
  EBB_TRY(sync_folder(folder_)); // the newest may have been renamed just before a crash
  if (present.empty()) {
    if (noted)
      return missing(folder_, "its files are missing");
    return begin_anew(now);
  }
  if (noted && noted_file(*noted) > present.back())
    return missing(folder_, "its newest file, "
                                + file_name_of(topic_file_path(folder_, noted_file(*noted)))
                                + ", is missing");
  const bool same = noted && noted_file(*noted) == present.back();
  EBB_TRY(open_newest(present.back(), same ? noted_transaction(*noted) : 1));
  EBB_TRY(check_sealed(present));
  publish();
  // A crash may have come between the first commit of a file and its note.
  static_cast<void>(lock_.note(topic_note(header_.number, summary_.transaction)));
  return {};
}

result<void> topic_log::implementation::begin_anew(micros now) {
  topic_file_header header{topic_format, options_.uid, 1, now, {}};
  header.begins.assign(options_.partitions, 0);
  topic_summary summary;
  summary.ends = header.begins;
  bool published = false;
  EBB_TRY(topic_file::create(folder_, map_bytes(), header, {}, summary, {}, published));
  EBB_TRY(open_newest(1, 1));
  publish();
  EBB_TRY(lock_.note(topic_note(1, summary_.transaction)));
  return lock_.sync();
}

// Reads all that the file remembers; the members change only when all has gone well.
result<void> topic_log::implementation::open_newest(std::uint64_t number,
                                                    std::uint64_t least_transaction) {
  EBB_ASSIGN(auto file, topic_file::open(folder_, topic_file_use::write, map_bytes(),
                                         {number, least_transaction, 0, true}));
  const auto& header = file->header();
  if (header.format > topic_format)
    return make_error(ec::unsupported,
                      fmt::format("{}: topic file has format version {}, this program reads up to "
                                  "{}",
                                  file->path(), header.format, topic_format),
                      "it was written by a newer ebb: run that one");
  if (!options_.uid.empty() && header.uid != options_.uid)
    return make_error(ec::conflict,
                      fmt::format("{}: it is the log of topic {}, not of {}", file->path(),
                                  header.uid, options_.uid),
                      "use another folder");
  if (header.begins.size() != options_.partitions)
    return make_error(ec::conflict,
                      fmt::format("{}: the topic has {} partitions, not {}", file->path(),
                                  header.begins.size(), options_.partitions),
                      "the number of partitions is fixed for the life of a topic");
  EBB_ASSIGN(const auto in, file->begin_read());
  EBB_ASSIGN(auto summary, file->summary(in));
  EBB_ASSIGN(auto catalog, file->catalog(in));
  if (catalog.version != summary.catalog_version)
    return file->damaged("its list of files is not that of its last commit");
  if (memory_ == nullptr) { // after a roll, what it remembers is in memory
    auto memory = std::make_unique<topic_memory>(options_.memory);
    EBB_TRY(recall(*file, in, summary, *memory));
    memory_ = std::move(memory);
    last_time_ = std::max(header.created, summary.last_time);
    if (!catalog.sealed.empty())
      last_time_ = std::max(last_time_, catalog.sealed.back().last_time);
  }
  header_ = header;
  file_ = std::move(file);
  summary_ = std::move(summary);
  catalog_ = std::move(catalog);
  return {};
}

result<void> topic_log::implementation::recall(const topic_file& from, const lmdb_transaction& in,
                                               const topic_summary& summary, topic_memory& to) {
  for (std::uint64_t i = 0; i < summary.chunks; ++i) {
    EBB_ASSIGN(const auto chunk, from.chunk(in, i));
    to.restore(chunk);
  }
  for (auto i = summary.first_group; i < summary.next_group; ++i) {
    EBB_ASSIGN(const auto group, from.group(in, i));
    to.apply(group);
  }
  return {};
}

// The file may be opened a second time only when nobody has it open any more: a reader is never
// long in a call.
void topic_log::implementation::reopen() {
  if (!failed_ || !reopens_)
    return;
  slot_->set(nullptr);
  if (file_ != nullptr && file_.use_count() != 1)
    return;
  file_.reset();
  memory_.reset();
  if (const auto opened = open_newest(header_.number, summary_.transaction); !opened) {
    failed_ = opened.error();
    return;
  }
  failed_.reset();
  reopens_ = false;
  publish();
}

// The listed files are there and not cut; what is older than they was being removed.
result<void> topic_log::implementation::check_sealed(const std::vector<std::uint64_t>& present) {
  const auto& sealed = catalog_.sealed;
  const auto oldest = sealed.empty() ? header_.number : sealed.front().number;
  for (const auto number : present)
    if (number < oldest)
      EBB_TRY(remove_file(topic_file_path(folder_, number)));
  auto expected = header_.number - sealed.size();
  for (const auto& x : sealed) {
    const auto path = topic_file_path(folder_, x.number);
    if (x.number != expected++)
      return file_->damaged("its list of files has a gap");
    if (!std::binary_search(present.begin(), present.end(), x.number))
      return missing(folder_, file_name_of(path) + " is missing");
    EBB_ASSIGN(const auto bytes, file_bytes(path));
    if (bytes < x.bytes)
      return missing(folder_, fmt::format("{} has {} bytes and should have {}", file_name_of(path),
                                          bytes, x.bytes));
    static_cast<void>(remove_file(path + "-lock")); // of a roll that a crash ended
  }
  return {};
}

result<void> topic_log::implementation::verify_file(topic_file& file,
                                                    const std::vector<std::uint64_t>& ends) const {
  EBB_ASSIGN(const auto in, file.begin_read());
  for (std::uint32_t p = 0; p < ends.size(); ++p) {
    topic_slice slice;
    slice.next = file.header().begins[p];
    while (slice.next < ends[p]) {
      topic_room room{std::size_t{1} << 20, UINT64_MAX};
      slice.batches.clear();
      EBB_TRY(read_topic_file(file, in, p, ends[p], room, slice));
    }
  }
  EBB_ASSIGN(const auto summary, file.summary(in));
  for (std::uint64_t i = 0; i < summary.chunks; ++i)
    EBB_TRY(file.chunk(in, i));
  for (auto i = summary.first_group; i < summary.next_group; ++i)
    EBB_TRY(file.group(in, i));
  return {};
}

result<void> topic_log::implementation::verify() {
  if (failed_)
    return *failed_;
  const auto& sealed = catalog_.sealed;
  for (std::size_t i = 0; i < sealed.size(); ++i) {
    const auto& x = sealed[i];
    EBB_ASSIGN(const auto file, topic_file::open(folder_, topic_file_use::sealed, x.bytes,
                                                 {x.number, x.transaction, x.bytes, true}));
    if (file->header().begins != x.begins)
      return file->damaged("it begins at other offsets than the list of files says");
    EBB_TRY(verify_file(*file, i + 1 < sealed.size() ? sealed[i + 1].begins : header_.begins));
  }
  return verify_file(*file_, summary_.ends);
}

} // namespace ebb
