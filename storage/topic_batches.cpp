#include "storage/topic_batches.hpp"

#include "schemas/batch_codec.hpp"
#include "storage/segment_trailer.hpp"

#include <algorithm>
#include <cstring>

namespace ebb {

namespace {

constexpr std::size_t digest_bytes = 16;
// A column's pointers and type in a message.
constexpr std::size_t column_overhead = 128;
constexpr std::size_t message_max = stored_batch_max - stored_batch_header;

bool is_text(type_kind kind) noexcept {
  return holds_text(kind);
}

std::size_t wire_size(const column& x) noexcept {
  std::size_t bytes = column_overhead + byte_size(x);
  if (is_text(x.type.kind))
    bytes -= x.rows * (sizeof(text_ref) - sizeof(std::uint32_t));
  return bytes;
}

// About the bytes of each row.
std::vector<std::size_t> row_sizes(const batch& x) {
  std::size_t even = sizeof(std::int32_t); // what all rows take alike
  for (const auto& c : x.columns)
    even += is_text(c.type.kind) ? sizeof(std::uint32_t) + 1 : byte_size(c) / x.rows + 1;
  std::vector<std::size_t> sizes(x.rows, even);
  for (const auto& c : x.columns)
    if (is_text(c.type.kind))
      for (std::uint32_t i = 0; i < x.rows; ++i)
        sizes[i] += c.data<text_ref>()[i].size;
  return sizes;
}

bool same_types(const batch& a, const batch& b) noexcept {
  return std::equal(a.columns.begin(), a.columns.end(), b.columns.begin(), b.columns.end(),
                    [](const column& x, const column& y) { return x.type == y.type; });
}

using storing = std::function<result<void>(const buffer_ptr& message, std::uint32_t rows)>;

// Halves what turns out to be too large.
result<void> store(const batch& rows, const storing& to) {
  const auto message = encode_batch(rows);
  if (message.size() <= message_max || rows.rows == 1)
    return to(message, rows.rows);
  const auto half = rows.rows / 2;
  EBB_TRY(store(slice(rows, 0, half), to));
  return store(slice(rows, half, rows.rows - half), to);
}

result<void> store_pieces(const batch& rows, std::size_t bytes, const storing& to) {
  if (bytes <= message_max)
    return store(rows, to);
  const auto overhead = 64 + rows.columns.size() * column_overhead;
  const auto room = message_max - std::min(overhead, message_max / 2);
  const auto pieces = bytes / room + 1;
  const auto target = std::min(room, bytes / pieces + bytes / pieces / 16);
  const auto sizes = row_sizes(rows);
  std::uint32_t first = 0;
  std::size_t taken = 0;
  for (std::uint32_t i = 0; i < rows.rows; ++i) {
    if (i != first && taken + sizes[i] > target) {
      EBB_TRY(store(slice(rows, first, i - first), to));
      first = i;
      taken = 0;
    }
    taken += sizes[i];
  }
  return store(first == 0 ? rows : slice(rows, first, rows.rows - first), to);
}

template <class T>
buffer_ptr slice_values(const buffer_ptr& from, std::uint32_t first, std::uint32_t count) {
  return from ? buffer_ptr::part(from, first * sizeof(T), count * sizeof(T)) : buffer_ptr{};
}

void put_big_endian(std::string& to, std::uint64_t value, int bytes) {
  for (int i = bytes - 1; i >= 0; --i)
    to.push_back(static_cast<char>(value >> (8 * i)));
}

} // namespace

std::size_t wire_size(const batch& x) noexcept {
  std::size_t bytes = 64 + (x.weights ? x.rows * sizeof(std::int32_t) : 0);
  for (const auto& c : x.columns)
    bytes += wire_size(c);
  return bytes;
}

batch slice(const batch& x, std::uint32_t first, std::uint32_t count) {
  batch piece;
  piece.rows = count;
  piece.columns.reserve(x.columns.size());
  for (const auto& c : x.columns)
    piece.columns.push_back(slice(c, first, count));
  piece.weights = slice_values<std::int32_t>(x.weights, first, count);
  return piece;
}

result<void> encode_batches(std::span<const batch_ptr> parts, const storing& to) {
  std::vector<batch_ptr> run; // fits one message
  std::size_t run_bytes = 0;
  const auto flush = [&]() -> result<void> {
    if (run.empty())
      return {};
    batch rows = concatenate(run);
    rows.watermarks = {};
    rows.hashes = {};
    run.clear();
    return store_pieces(rows, std::exchange(run_bytes, 0), to);
  };
  for (const auto& part : parts) {
    const auto bytes = wire_size(*part);
    if (!run.empty() && (run_bytes + bytes > message_max || !same_types(*run.front(), *part)))
      EBB_TRY(flush());
    run.push_back(part);
    run_bytes += bytes;
  }
  return flush();
}

void fill_stored_batch(std::span<char> to, const stored_batch& about, const buffer_ptr& message) {
  EBB_ASSERT(to.size() == stored_batch_header + message.size());
  auto* at = to.data();
  std::memcpy(at + 16, &about.partition, sizeof about.partition);
  std::memcpy(at + 20, &about.rows, sizeof about.rows);
  std::memcpy(at + 24, &about.first, sizeof about.first);
  std::memcpy(at + 32, &about.time, sizeof about.time);
  std::memcpy(at + stored_batch_header, message.as<const char>(), message.size());
  const auto hash = hash_bytes({at + digest_bytes, to.size() - digest_bytes});
  std::memcpy(at, &hash.high, sizeof hash.high);
  std::memcpy(at + 8, &hash.low, sizeof hash.low);
}

result<stored_batch> check_stored_batch(std::string_view key, std::string_view value) {
  if (value.size() < stored_batch_header)
    return make_error(ec::corrupt, "a batch is too short");
  digest128 hash;
  std::memcpy(&hash.high, value.data(), sizeof hash.high);
  std::memcpy(&hash.low, value.data() + 8, sizeof hash.low);
  if (hash != hash_bytes(value.substr(digest_bytes)))
    return make_error(ec::corrupt, "the checksum of a batch differs");
  stored_batch x;
  std::memcpy(&x.partition, value.data() + 16, sizeof x.partition);
  std::memcpy(&x.rows, value.data() + 20, sizeof x.rows);
  std::memcpy(&x.first, value.data() + 24, sizeof x.first);
  std::memcpy(&x.time, value.data() + 32, sizeof x.time);
  if (key != rows_key(x.partition, x.first) || x.rows == 0)
    return make_error(ec::corrupt, "a batch stands in another's place");
  return x;
}

result<batch> read_stored_batch(std::string_view value) {
  const auto bytes = value.substr(stored_batch_header);
  auto message = buffer_ptr::make(std::max<std::size_t>(1, bytes.size()));
  std::memcpy(message.as<char>(), bytes.data(), bytes.size());
  return view_batch(message, bytes.size());
}

std::string rows_key(std::uint32_t partition, std::uint64_t offset) {
  std::string key;
  key.reserve(12);
  put_big_endian(key, partition, 4);
  put_big_endian(key, offset, 8);
  return key;
}

} // namespace ebb
