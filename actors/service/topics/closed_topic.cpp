#include "actors/service/topics/closed_topic.hpp"

#include "storage/files.hpp"
#include "storage/folder_lock.hpp"
#include "storage/segment_trailer.hpp"

#include <fmt/format.h>

#include <charconv>
#include <filesystem>
#include <string_view>

namespace ebb {

namespace {

constexpr std::string_view heading = "ebb-topic-ends 1";
constexpr std::uint64_t file_max = std::uint64_t{1} << 20;

std::string path_of(const std::string& folder) {
  return folder + "/ends";
}

// Numbers that follow each other in the text.
class number_reader {
public:
  explicit number_reader(std::string_view text) : at_(text.data()), end_(at_ + text.size()) {}

  template <class T>
  void operator()(T& out) {
    while (at_ != end_ && (*at_ == ' ' || *at_ == '\n'))
      ++at_;
    const auto parsed = std::from_chars(at_, end_, out);
    good_ = good_ && parsed.ec == std::errc{};
    at_ = parsed.ptr;
  }

  [[nodiscard]] bool good() const noexcept {
    return good_;
  }

private:
  const char* at_;
  const char* end_;
  bool good_ = true;
};

std::string hash_text(std::string_view bytes) {
  const auto hash = hash_bytes(bytes);
  return fmt::format("{:016x}{:016x}", hash.high, hash.low);
}

std::optional<std::string> contents(const std::string& path) {
  const auto file = owned_file::open_to_read(path);
  if (!file)
    return std::nullopt;
  const auto size = file->size();
  if (!size || *size > file_max)
    return std::nullopt;
  std::string text(*size, '\0');
  if (!file->read_at(0, text.data(), text.size()))
    return std::nullopt;
  return text;
}

} // namespace

result<void> write_closed(const std::string& folder, const closed_topic& what) {
  EBB_ASSIGN(const auto note, folder_lock::noted(folder));
  const auto& size = what.size;
  std::string text = fmt::format("{}\n{} {}\n{} {} {} {} {} {}\n", heading, note.value_or(0),
                                 what.last_time, size.bytes, size.files, size.rows_appended,
                                 size.producers, size.requests, size.keys);
  for (const auto& x : what.bounds)
    text += fmt::format("{} {}\n", x.begin, x.end);
  text += hash_text(text);
  // Opening the log removes files of this name that a crash has left.
  EBB_ASSIGN(auto file, owned_file::make_temporary(folder + "/new-"));
  EBB_TRY(file.write_at(0, text));
  return rename_without_replacing(file.path(), path_of(folder));
}

std::optional<closed_topic> read_closed(const std::string& folder, std::uint32_t partitions) {
  closed_topic out;
  out.bounds.resize(partitions);
  std::error_code ignored;
  if (!std::filesystem::exists(folder, ignored) && !ignored)
    return out;
  const auto text = contents(path_of(folder));
  constexpr std::size_t hash_size = 32;
  if (!text || text->size() < heading.size() + hash_size || !text->starts_with(heading))
    return std::nullopt;
  const std::string_view whole = *text;
  const auto body = whole.substr(0, whole.size() - hash_size);
  if (hash_text(body) != whole.substr(body.size()))
    return std::nullopt;
  number_reader next(body.substr(heading.size()));
  std::uint64_t note = 0;
  auto& size = out.size;
  next(note);
  next(out.last_time);
  next(size.bytes);
  next(size.files);
  next(size.rows_appended);
  next(size.producers);
  next(size.requests);
  next(size.keys);
  for (auto& x : out.bounds) {
    next(x.begin);
    next(x.end);
  }
  const auto noted = folder_lock::noted(folder);
  if (!next.good() || !noted || noted->value_or(0) != note)
    return std::nullopt;
  return out;
}

result<void> forget_closed(const std::string& folder) {
  return remove_file(path_of(folder));
}

} // namespace ebb
