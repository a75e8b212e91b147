#include "actors/dataflow/operators/held_batches.hpp"

#include "actors/dataflow/key_encoding.hpp"
#include "actors/dataflow/operators/state_keys.hpp"

#include <algorithm>
#include <numeric>

namespace ebb {

namespace {

// The byte form of an INTEGER (value_builder.hpp).
void put_weight(std::int32_t weight, std::string& out) {
  out.push_back(1);
  out.append(reinterpret_cast<const char*>(&weight), sizeof(weight));
}

} // namespace

std::vector<std::uint16_t> held_batches::groups_of(const batch& rows) const {
  std::vector<std::uint64_t> hashes(rows.rows);
  const auto keys = key_columns(rows, keys_);
  hash_keys(keys, rows.rows, hashes.data());
  std::vector<std::uint16_t> groups(rows.rows);
  std::transform(hashes.begin(), hashes.end(), groups.begin(),
                 [this](std::uint64_t hash) { return key_group_of(hash, key_groups_); });
  return groups;
}

void held_batches::hold(batch_ptr rows) {
  held x;
  x.numbers.resize(rows->rows);
  std::iota(x.numbers.begin(), x.numbers.end(), next_number_);
  next_number_ += rows->rows;
  x.groups = groups_of(*rows);
  x.since = now_;
  bytes_ += ebb::byte_size(*rows);
  x.rows = std::move(rows);
  batches_.push_back(std::move(x));
}

void held_batches::release(std::uint32_t row) {
  auto& x = batches_.front();
  // What no save has seen need not be erased.
  for (auto i = x.released; x.since < now_ && i < row; ++i) {
    std::string key;
    put_sequence(x.numbers[i], key);
    erased_.add(now_, x.groups[i], key);
  }
  x.released = row;
  if (row < x.rows->rows)
    return;
  bytes_ -= ebb::byte_size(*x.rows);
  batches_.pop_front();
}

void held_batches::mark() {
  erased_.forget(asked_);
  ++now_;
}

void held_batches::begin_save(change_mark since) {
  frozen_.clear();
  for (const auto& x : batches_)
    if (since == 0 || x.since > since)
      frozen_.push_back(x);
  next_batch_ = 0;
  next_row_ = frozen_.empty() ? 0 : frozen_.front().released;
  since_ = since;
  asked_ = std::max(asked_, since);
  erased_end_ = erased_.end();
  next_erased_ = since == 0 ? erased_end_ : erased_.first_after(since);
}

bool held_batches::save_slice(std::uint32_t& left, state_sink& sink) {
  erased_.save(next_erased_, erased_end_, since_, state_, left, sink);
  if (next_erased_ < erased_end_)
    return false;
  for (; next_batch_ < frozen_.size(); ++next_batch_, next_row_ = 0)
    for (const auto& x = frozen_[next_batch_]; next_row_ < x.rows->rows; ++next_row_, --left) {
      if (left == 0)
        return false;
      put(x, next_row_, sink);
    }
  frozen_.clear();
  next_batch_ = 0;
  return true;
}

void held_batches::save(std::uint16_t key_group, change_mark since, state_sink& sink) const {
  if (since != 0)
    erased_.save_group(key_group, since, state_, sink);
  for (const auto& x : batches_)
    for (auto i = x.released; (since == 0 || x.since > since) && i < x.rows->rows; ++i)
      if (x.groups[i] == key_group)
        put(x, i, sink);
}

// Key: number. Value: watermark, weight, columns.
void held_batches::put(const held& x, std::uint32_t i, state_sink& sink) const {
  std::string key;
  put_sequence(x.numbers[i], key);
  std::string value;
  const auto& rows = *x.rows;
  put_time(rows.watermarks ? rows.watermarks.as<const micros>()[i] : min_time, value);
  put_weight(rows.weights ? rows.weights.as<const std::int32_t>()[i] : 1, value);
  for (const auto& column : rows.columns)
    append_value(column, i, value);
  sink.select_group(x.groups[i]);
  sink.put(state_, key, value);
}

result<void> held_batches::load(std::string_view key, std::string_view value) {
  if (!loading_) {
    loading_ = std::make_unique<loaded_rows>();
    for (const auto& type : types_)
      loading_->columns.emplace_back(type);
  }
  EBB_ASSIGN(const auto number, take_last_sequence(key));
  EBB_ASSIGN(const auto watermark, take_time(value));
  EBB_TRY(loading_->weights.append_encoded(value));
  loading_->watermarks.push_back(watermark);
  loading_->numbers.push_back(number);
  for (auto& column : loading_->columns)
    EBB_TRY(column.append_encoded(value));
  if (!value.empty())
    return make_error(ec::corrupt, "a held row is longer than its columns");
  return {};
}

void held_batches::finish_load() {
  if (!loading_)
    return;
  auto made = std::make_shared<batch>();
  made->rows = static_cast<std::uint32_t>(loading_->numbers.size());
  for (auto& column : loading_->columns)
    made->columns.push_back(column.take());
  const auto& marks = loading_->watermarks;
  if (std::any_of(marks.begin(), marks.end(), [](micros x) { return x != min_time; })) {
    made->watermarks = buffer_ptr::of<micros>(made->rows);
    std::copy(marks.begin(), marks.end(), made->watermarks.as<micros>());
  }
  made->weights = loading_->weights.take().values;
  held x;
  x.numbers = std::move(loading_->numbers);
  for (const auto number : x.numbers)
    next_number_ = std::max(next_number_, number + 1);
  x.groups = groups_of(*made);
  bytes_ += ebb::byte_size(*made);
  x.rows = std::move(made);
  batches_.push_front(std::move(x));
  loading_.reset();
}

} // namespace ebb
