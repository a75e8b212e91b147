#include "actors/dataflow/compact.hpp"

#include <algorithm>
#include <cstring>
#include <memory>
#include <utility>

namespace ebb {

namespace {

/// Buffers below this are not worth a copy.
constexpr std::size_t waste_ignored = 4096;

bool is_text(const column& x) noexcept {
  return x.type.kind == type_kind::text || x.type.kind == type_kind::bytea;
}

std::size_t text_bytes(const column& x) noexcept {
  std::size_t bytes = 0;
  const auto* refs = x.data<text_ref>();
  for (std::uint32_t i = 0; i < x.rows; ++i)
    bytes += refs[i].size;
  return bytes;
}

bool wasteful(const column& x) noexcept {
  if (x.child)
    return wasteful(*x.child);
  if (!is_text(x) || x.heap.empty())
    return false;
  std::size_t held = 0;
  for (const auto& owner : x.heap)
    held += owner.size();
  return held > waste_ignored && held - waste_ignored > 4 * text_bytes(x);
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

batch_ptr compact_text(batch_ptr rows) {
  std::shared_ptr<batch> copy;
  for (std::size_t k = 0; k < rows->columns.size(); ++k) {
    if (!wasteful(rows->columns[k]))
      continue;
    if (!copy)
      copy = std::make_shared<batch>(*rows);
    copy->columns[k] = compacted(rows->columns[k]);
  }
  if (copy)
    return copy;
  return rows;
}

} // namespace ebb
