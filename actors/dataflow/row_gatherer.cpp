#include "actors/dataflow/row_gatherer.hpp"

#include "actors/dataflow/key_words.hpp"
#include "schemas/assert.hpp"

#include <algorithm>
#include <utility>

namespace ebb {

namespace {

template <class T>
void append(const buffer_ptr& from, const std::uint32_t* picks, std::uint32_t count,
            const buffer_ptr& to, std::uint32_t at) {
  const auto* source = from.as<const T>();
  auto* target = to.as<T>() + at;
  for (std::uint32_t i = 0; i < count; ++i)
    target[i] = source[picks[i]];
}

void append(std::size_t width, const buffer_ptr& from, const std::uint32_t* picks,
            std::uint32_t count, const buffer_ptr& to, std::uint32_t at) {
  switch (width) {
  case 1:
    return append<std::uint8_t>(from, picks, count, to, at);
  case 2:
    return append<std::uint16_t>(from, picks, count, to, at);
  case 4:
    return append<std::uint32_t>(from, picks, count, to, at);
  case 8:
    return append<std::uint64_t>(from, picks, count, to, at);
  }
  EBB_UNREACHABLE("width of a word type");
}

} // namespace

bool row_gatherer::takes(const batch& rows) {
  return !rows.weights && !rows.watermarks
         && std::all_of(rows.columns.begin(), rows.columns.end(), [](const column& x) {
              return is_word_type(x.type.kind) && !x.has_nulls();
            });
}

void row_gatherer::add(const batch& rows, const buffer_ptr& hashes, const std::uint32_t* picks,
                       std::uint32_t count) {
  if (made_.rows == 0) {
    made_.columns.reserve(rows.columns.size());
    for (const auto& x : rows.columns)
      made_.columns.push_back(make_column(x.type, room_));
    if (hashes)
      made_.hashes = buffer_ptr::of<std::uint64_t>(room_);
  }
  EBB_ASSERT(made_.rows + count <= room_ && made_.columns.size() == rows.columns.size());
  for (std::size_t c = 0; c < rows.columns.size(); ++c)
    append(value_width(rows.columns[c].type.kind), rows.columns[c].values, picks, count,
           made_.columns[c].values, made_.rows);
  if (hashes)
    append<std::uint64_t>(hashes, picks, count, made_.hashes, made_.rows);
  made_.rows += count;
}

batch_ptr row_gatherer::take() {
  for (auto& x : made_.columns)
    x.rows = made_.rows;
  return std::make_shared<batch>(std::exchange(made_, {}));
}

} // namespace ebb
