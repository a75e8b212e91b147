#include "actors/dataflow/compact.hpp"

#include <algorithm>
#include <cstring>
#include <memory>
#include <utility>

namespace ebb {

namespace {

/// Buffers below this are not worth a copy.
constexpr std::size_t waste_ignored = 4096;
/// The shares of a batch that went to several subtasks hold the same buffers; they are no waste
/// together, so a usual number of shares is let pass.
constexpr std::size_t waste_max = 16;

bool is_text(const column& x) noexcept {
  return holds_text(x.type.kind);
}

std::size_t text_bytes(const column& x) noexcept {
  std::size_t bytes = 0;
  const auto* refs = x.data<text_ref>();
  for (std::uint32_t i = 0; i < x.rows; ++i)
    bytes += refs[i].size;
  return bytes;
}

bool wasteful(const std::vector<buffer_ptr>& heap, std::size_t text) noexcept {
  std::size_t held = 0;
  for (const auto& owner : heap)
    held += owner.size();
  return held > waste_ignored && held - waste_ignored > waste_max * text;
}

bool wasteful_array(const column& x) noexcept {
  if (x.child)
    return wasteful_array(*x.child);
  return is_text(x) && wasteful(x.heap, text_bytes(x));
}

column compacted(const column& x) {
  column result = x;
  if (x.child) {
    result.child = std::make_shared<column>(compacted(*x.child));
    return result;
  }
  const auto bytes = text_bytes(x);
  result.values = buffer_ptr::of<text_ref>(std::max(1U, x.rows));
  result.heap.clear();
  char* next = nullptr;
  if (bytes != 0) {
    result.heap.push_back(buffer_ptr::make(bytes));
    next = result.heap.front().as<char>();
  }
  const auto* from = x.data<text_ref>();
  auto* to = result.mutable_data<text_ref>();
  for (std::uint32_t i = 0; i < x.rows; ++i) {
    const auto size = from[i].size;
    if (size != 0)
      std::memcpy(next, from[i].data, size);
    to[i] = text_ref{next, size};
    next += size;
  }
  return result;
}

} // namespace

void measure(const batch& rows, batch_measure& out) {
  out.bytes = 0;
  out.text.clear();
  for (const auto& c : rows.columns) {
    const auto bytes = byte_size(c);
    out.bytes += bytes;
    // What is left of a text column without its references and validity bits.
    const auto fixed = c.rows * sizeof(text_ref) + (c.validity ? c.rows / 8 : 0);
    out.text.push_back(is_text(c) ? bytes - fixed : 0);
  }
  const auto per_row = (rows.weights ? sizeof(std::int32_t) : 0)
                       + (rows.watermarks ? sizeof(micros) : 0)
                       + (rows.hashes ? sizeof(std::uint64_t) : 0);
  out.bytes += rows.rows * per_row;
}

batch_ptr compact_text(batch_ptr rows, const batch_measure& size) {
  std::shared_ptr<batch> copy;
  for (std::size_t k = 0; k < rows->columns.size(); ++k) {
    const auto& c = rows->columns[k];
    const bool waste = c.child ? wasteful_array(c) : is_text(c) && wasteful(c.heap, size.text[k]);
    if (!waste)
      continue;
    if (!copy)
      copy = std::make_shared<batch>(*rows);
    copy->columns[k] = compacted(c);
  }
  if (copy)
    return copy;
  return rows;
}

} // namespace ebb
