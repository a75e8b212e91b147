#include "actors/connectors/file_position.hpp"

#include "actors/connectors/position_codec.hpp"

#include <algorithm>
#include <cstring>
#include <filesystem>
#include <map>
#include <xxhash.h>

namespace ebb {

namespace {

constexpr std::uint8_t position_version = 1;

// `./a.csv` and `a.csv` are the same file.
std::string known_as(const named_file& file) {
  return std::filesystem::path(file.shown).lexically_normal().string();
}

error missing(const file_position& x) {
  return make_error(ec::not_found,
                    x.path + " is no longer among the source's files, but was read only up to byte "
                        + std::to_string(x.text.offset),
                    "put the file back; to start over, run with --from fresh");
}

error twice(const std::string& source, const std::string& what) {
  return make_error(ec::corrupt, "source " + source + ": its recorded positions name " + what,
                    "restore the positions that belong to the stream, or run with --from fresh");
}

} // namespace

void text_trail::add(const char* bytes, std::size_t size) {
  if (size == 0)
    return;
  const auto head = std::min(size, most - first_size_);
  std::memcpy(first_.data() + first_size_, bytes, head);
  first_size_ += head;
  if (size >= most) {
    std::memcpy(last_.data(), bytes + size - most, most);
    last_size_ = most;
    return;
  }
  if (const auto excess = last_size_ + size; excess > most) {
    last_size_ = most - size;
    std::memmove(last_.data(), last_.data() + excess - most, last_size_);
  }
  std::memcpy(last_.data() + last_size_, bytes, size);
  last_size_ += size;
}

void text_trail::skip() {
  first_size_ = most;
  last_size_ = 0;
}

std::uint64_t text_trail::first_hash() const noexcept {
  return XXH3_64bits(first_.data(), first_size_);
}

std::uint64_t text_trail::last_hash() const noexcept {
  return XXH3_64bits(last_.data(), last_size_);
}

std::string encode(const file_position& x) {
  position_writer out(position_version);
  out.put(x.path);
  for (const auto value : {x.text.offset, x.text.number, x.text.line, x.text.header,
                           x.text.first_hash, x.text.last_hash, x.quarantine.offset})
    out.put(value);
  out.put(x.quarantine.pending);
  return out.take();
}

result<file_position> decode(const std::string& bytes, const std::string& source) {
  position_reader in(bytes, position_version);
  file_position x;
  x.path = in.text();
  for (auto* value : {&x.text.offset, &x.text.number, &x.text.line, &x.text.header,
                      &x.text.first_hash, &x.text.last_hash, &x.quarantine.offset})
    *value = in.number();
  x.quarantine.pending = in.text();
  EBB_TRY(in.finish(source));
  if (x.text.header > x.text.offset)
    return twice(source, "a header behind byte " + std::to_string(x.text.offset));
  return x;
}

result<std::vector<numbered_file>> number_files(const std::string& source,
                                                std::vector<named_file> found,
                                                const std::vector<source_position>& known) {
  std::map<std::string, named_file> files;
  for (const auto& file : found)
    files.emplace(known_as(file), file);
  std::vector<numbered_file> all(known.size());
  for (const auto& position : known) {
    if (position.partition >= all.size())
      return twice(source, "partition " + std::to_string(position.partition) + " of "
                               + std::to_string(all.size()));
    auto& x = all[position.partition];
    if (!x.at.path.empty())
      return twice(source, "partition " + std::to_string(position.partition) + " twice");
    EBB_ASSIGN(x.at, decode(position.bytes, source));
    x.finished = position.finished;
    const auto same = files.find(x.at.path);
    if (same != files.end()) {
      x.file = std::move(same->second);
      files.erase(same);
    } else if (!x.finished) {
      return missing(x.at);
    }
  }
  for (auto& file : found) {
    const auto fresh = files.find(known_as(file));
    if (fresh == files.end())
      continue;
    numbered_file x;
    x.at.path = fresh->first;
    x.file = std::move(file);
    files.erase(fresh);
    all.push_back(std::move(x));
  }
  return all;
}

} // namespace ebb
