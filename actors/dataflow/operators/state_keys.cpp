#include "actors/dataflow/operators/state_keys.hpp"

#include "actors/dataflow/key_encoding.hpp"

#include <algorithm>

namespace ebb {

namespace {

constexpr std::size_t word_bytes = sizeof(std::uint64_t);

std::uint64_t word_at(std::string_view bytes) noexcept {
  std::uint64_t word = 0;
  for (std::size_t i = 0; i < word_bytes; ++i)
    word = (word << 8) | static_cast<std::uint8_t>(bytes[i]);
  return word;
}

error too_short() {
  return make_error(ec::corrupt, "a state entry's key is too short");
}

} // namespace

void put_sequence(std::uint64_t sequence, std::string& out) {
  for (int shift = 56; shift >= 0; shift -= 8)
    out.push_back(static_cast<char>(static_cast<std::uint8_t>(sequence >> shift)));
}

void put_time(micros time, std::string& out) {
  put_sequence(static_cast<std::uint64_t>(time) ^ (std::uint64_t{1} << 63), out);
}

result<std::uint64_t> take_sequence(std::string_view& bytes) {
  if (bytes.size() < word_bytes)
    return too_short();
  const auto word = word_at(bytes);
  bytes.remove_prefix(word_bytes);
  return word;
}

result<micros> take_time(std::string_view& bytes) {
  EBB_ASSIGN(const auto word, take_sequence(bytes));
  return static_cast<micros>(word ^ (std::uint64_t{1} << 63));
}

result<std::uint64_t> take_last_sequence(std::string_view& bytes) {
  if (bytes.size() < word_bytes)
    return too_short();
  const auto word = word_at(bytes.substr(bytes.size() - word_bytes));
  bytes.remove_suffix(word_bytes);
  return word;
}

void put_row_key(const row_store& rows, std::span<const std::uint32_t> keys, std::uint32_t row,
                 std::string& out) {
  for (const auto k : keys) {
    if (rows.types()[k].kind == type_kind::array)
      encode_key_value(rows.gather(k, &row, 1), 0, out);
    else
      encode_key_value(rows.stored(k, row), row_store::place_of(row), out);
  }
}

void hash_stored(const row_store& store, std::span<const std::uint32_t> keys,
                 std::span<const std::uint32_t> rows, std::uint64_t* hashes) {
  std::vector<column> columns(keys.size());
  std::vector<const column*> pointers(keys.size());
  for (std::size_t done = 0; done < rows.size();) {
    const auto count = static_cast<std::uint32_t>(
        std::min<std::size_t>(rows.size() - done, row_store::chunk_rows));
    for (std::size_t k = 0; k < keys.size(); ++k) {
      columns[k] = store.gather(keys[k], rows.data() + done, count);
      pointers[k] = &columns[k];
    }
    hash_keys(pointers, count, hashes + done);
    done += count;
  }
}

std::vector<std::uint64_t> hash_chunk(const row_store& store, std::uint32_t chunk) {
  std::vector<column> values;
  for (std::size_t k = 0; k < store.types().size(); ++k)
    values.push_back(store.chunk_column(chunk, k));
  std::vector<std::uint64_t> hashes(store.rows_in(chunk));
  hash_keys(pointers_to(values), store.rows_in(chunk), hashes.data());
  return hashes;
}

void resolve_stored(key_index& index, const row_store& store, std::span<const std::uint32_t> keys,
                    std::span<const std::uint32_t> rows, std::vector<std::uint32_t>& slots) {
  const auto count = static_cast<std::uint32_t>(rows.size());
  std::vector<column> values;
  for (const auto k : keys)
    values.push_back(store.gather(k, rows.data(), count));
  const auto columns = pointers_to(values);
  std::vector<std::uint64_t> hashes(count);
  hash_keys(columns, count, hashes.data());
  slots.resize(count);
  index.resolve(columns, hashes.data(), nullptr, count, slots.data());
}

void dropped_panes::save(change_mark since, std::uint16_t states, state_sink& sink,
                         std::string_view before, change_mark until) const {
  asked_ = std::max(asked_, since);
  if (since == 0)
    return; // everything is written anew
  for (const auto& pane : panes_)
    if (pane.dropped_at > since && pane.dropped_at <= until)
      for (std::uint16_t state = 0; state < states; ++state)
        sink.erase_prefix(state, std::string(before) + pane.prefix);
}

std::size_t dropped_panes::first_after(change_mark since) const {
  asked_ = std::max(asked_, since);
  if (since == 0)
    return panes_.size(); // everything is written anew
  const auto first = std::partition_point(
      panes_.begin(), panes_.end(), [&](const dropped_pane& x) { return x.dropped_at <= since; });
  return static_cast<std::size_t>(first - panes_.begin());
}

void dropped_panes::erase(std::size_t place, std::uint16_t states, state_sink& sink,
                          std::string_view before) const {
  const auto prefix = std::string(before) + panes_[place].prefix;
  for (std::uint16_t state = 0; state < states; ++state)
    sink.erase_prefix(state, prefix);
}

bool dropped_panes::erases(change_mark since, std::string_view prefix) const noexcept {
  return since != 0 && std::any_of(panes_.begin(), panes_.end(), [&](const dropped_pane& x) {
           return x.dropped_at > since && x.prefix == prefix;
         });
}

void dropped_panes::forget() {
  std::erase_if(panes_, [this](const dropped_pane& x) { return x.dropped_at <= asked_; });
}

void entry_list::put_sorted(std::uint16_t state, state_sink& sink) {
  std::sort(entries_.begin(), entries_.end(),
            [](const entry& a, const entry& b) { return a.key < b.key; });
  for (const auto& x : entries_)
    sink.put(state, x.key, x.value);
  entries_.clear();
}

} // namespace ebb
