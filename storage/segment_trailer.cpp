#include "storage/segment_trailer.hpp"

#include "storage/bytes.hpp"

#include <algorithm>
#include <xxhash.h>

namespace ebb {

namespace {

constexpr std::string_view magic = "ebb.seg\x1a";
constexpr const char* damaged_hint =
    "restore the file from a copy, or start from an older checkpoint";

error damaged(const std::string& path, const char* what) {
  return make_error(ec::corrupt, path + ": segment is damaged: " + what, damaged_hint);
}

void write_digest(byte_writer& to, const digest128& x) {
  to.number(x.high);
  to.number(x.low);
}

digest128 read_digest(byte_reader& from) {
  digest128 x;
  x.high = from.number<std::uint64_t>();
  x.low = from.number<std::uint64_t>();
  return x;
}

void write_body(byte_writer& to, const segment_trailer& x) {
  to.text(x.identity.stream_uid);
  to.number(x.identity.epoch);
  to.number(static_cast<std::uint8_t>(x.identity.kind));
  to.number(x.identity.key_groups);
  to.number(x.identity.first_key_group);
  to.number(x.identity.last_key_group);
  for (const auto count : {x.puts, x.erases, x.erased_prefixes, x.page_area_bytes, x.filter_bytes})
    to.number(count);
  to.number(static_cast<std::uint32_t>(x.block_hashes.size()));
  for (const auto content : x.block_contents)
    to.number(content);
  for (const auto& hash : x.block_hashes)
    write_digest(to, hash);
  to.number(static_cast<std::uint32_t>(x.open_blocks.size()));
  for (const auto block : x.open_blocks)
    to.number(block);
  to.number(x.depth);
  to.number(static_cast<std::uint32_t>(x.runs.size()));
  for (const auto& run : x.runs) {
    to.text(run.first_key);
    for (std::size_t level = 0; level < x.depth; ++level)
      to.number(x.run_blocks[run.first_block + level]);
  }
}

// The hash has been checked: bounds are only checked against a program that wrote nonsense.
bool read_body(byte_reader& from, segment_trailer& x) {
  x.identity.stream_uid = from.text();
  x.identity.epoch = from.number<std::uint64_t>();
  const auto kind = from.number<std::uint8_t>();
  if (kind > static_cast<std::uint8_t>(segment_kind::output))
    return false;
  x.identity.kind = static_cast<segment_kind>(kind);
  x.identity.key_groups = from.number<std::uint16_t>();
  x.identity.first_key_group = from.number<std::uint16_t>();
  x.identity.last_key_group = from.number<std::uint16_t>();
  for (auto* count : {&x.puts, &x.erases, &x.erased_prefixes, &x.page_area_bytes, &x.filter_bytes})
    *count = from.number<std::uint64_t>();
  const std::size_t blocks = from.number<std::uint32_t>();
  if (blocks != (x.body_offset + segment_block_bytes - 1) / segment_block_bytes
      || from.left() < blocks * (1 + sizeof(digest128))
      || x.page_area_bytes + x.filter_bytes != x.body_offset)
    return false;
  for (const auto content : from.raw(blocks))
    x.block_contents.push_back(static_cast<std::uint8_t>(content));
  x.block_hashes.reserve(blocks);
  for (std::size_t i = 0; i < blocks; ++i)
    x.block_hashes.push_back(read_digest(from));
  const auto block_number = [&](std::vector<std::uint32_t>& to) {
    const auto block = from.number<std::uint32_t>();
    to.push_back(block);
    return block < blocks;
  };
  const std::size_t open_blocks = from.number<std::uint32_t>();
  for (std::size_t i = 0; i < open_blocks && from.sound(); ++i)
    if (!block_number(x.open_blocks))
      return false;
  x.depth = from.number<std::uint8_t>();
  const std::size_t runs = from.number<std::uint32_t>();
  if (from.left() < runs * (sizeof(std::uint16_t) + x.depth * sizeof(std::uint32_t)))
    return false;
  x.runs.reserve(runs);
  x.run_blocks.reserve(runs * x.depth);
  for (std::size_t i = 0; i < runs && from.sound(); ++i) {
    x.runs.push_back({from.text(), static_cast<std::uint32_t>(x.run_blocks.size())});
    for (std::size_t level = 0; level < x.depth; ++level)
      if (!block_number(x.run_blocks))
        return false;
  }
  return from.sound() && from.left() == 0;
}

} // namespace

digest128 hash_bytes(std::string_view bytes) noexcept {
  const auto hash = XXH3_128bits(bytes.data(), bytes.size());
  return {hash.high64, hash.low64};
}

std::string encode_trailer(segment_trailer& trailer) {
  byte_writer to;
  write_body(to, trailer);
  const auto body_bytes = static_cast<std::uint64_t>(to.bytes().size());
  to.number(segment_version);
  to.number(trailer.page_bytes);
  to.number(trailer.body_offset);
  to.number(body_bytes);
  trailer.digest = hash_bytes(to.bytes());
  write_digest(to, trailer.digest);
  to.raw(magic);
  return to.bytes();
}

result<segment_tail> read_tail(std::string_view tail, std::uint64_t file_bytes,
                               const std::string& path) {
  EBB_ASSERT(tail.size() == segment_tail_bytes);
  byte_reader from{tail.substr(2 * sizeof(std::uint32_t))};
  segment_tail x;
  x.body_offset = from.number<std::uint64_t>();
  x.body_bytes = from.number<std::uint64_t>();
  const bool whole = tail.ends_with(magic) && x.body_offset < file_bytes
                     && x.body_bytes == file_bytes - x.body_offset - segment_tail_bytes;
  if (!whole)
    return damaged(path, "its last bytes are not the end of a segment");
  return x;
}

result<segment_trailer> read_trailer(std::string body_and_tail, const std::string& path) {
  segment_trailer x;
  *x.key_bytes = std::move(body_and_tail);
  const std::string_view all = *x.key_bytes;
  const auto hashed = all.substr(0, all.size() - sizeof(digest128) - magic.size());
  byte_reader tail{all.substr(all.size() - segment_tail_bytes)};
  const auto version = tail.number<std::uint32_t>();
  x.page_bytes = tail.number<std::uint32_t>();
  x.body_offset = tail.number<std::uint64_t>();
  static_cast<void>(tail.number<std::uint64_t>());
  x.digest = read_digest(tail);
  if (x.digest != hash_bytes(hashed))
    return damaged(path, "the checksum of its trailer differs");
  if (version > segment_version)
    return make_error(ec::unsupported,
                      path + ": segment has format version " + std::to_string(version)
                          + ", this program reads up to " + std::to_string(segment_version),
                      "it was written by a newer ebb: run that one");
  byte_reader body{all.substr(0, all.size() - segment_tail_bytes)};
  if (!read_body(body, x))
    return damaged(path, "its trailer makes no sense");
  return x;
}

} // namespace ebb
