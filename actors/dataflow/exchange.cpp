#include "actors/dataflow/exchange.hpp"

#include "actors/dataflow/key_encoding.hpp"
#include "schemas/assert.hpp"

#include <algorithm>
#include <numeric>
#include <utility>

namespace ebb {

namespace {

/// Up to here a pass a target is faster than a counting sort.
constexpr std::uint32_t few_targets = 4;

/// No batch is free, even if it has no columns: credit bounds their number too.
constexpr std::size_t cost_min = 64;

template <class T>
buffer_ptr pick(const buffer_ptr& source, const std::uint32_t* picks, std::uint32_t count) {
  if (!source)
    return {};
  buffer_ptr result = buffer_ptr::of<T>(count);
  const T* from = source.as<const T>();
  T* to = result.as<T>();
  for (std::uint32_t i = 0; i < count; ++i)
    to[i] = from[picks[i]];
  return result;
}

/// Rows without their origin, which ends at an exchange.
batch gather_rows(const batch& source, const buffer_ptr& hashes, const std::uint32_t* picks,
                  std::uint32_t count) {
  batch result;
  result.rows = count;
  result.columns.reserve(source.columns.size());
  for (const auto& c : source.columns)
    result.columns.push_back(gather(c, picks, count));
  result.weights = pick<std::int32_t>(source.weights, picks, count);
  result.watermarks = pick<micros>(source.watermarks, picks, count);
  result.hashes = pick<std::uint64_t>(hashes, picks, count);
  return result;
}

} // namespace

partitioner::partitioner(partition_spec spec, batch_limits limits)
    : spec_(std::move(spec)), limits_(limits),
      // Rows are gathered in shares of less than rows_min, and a share waits while it has less.
      shares_(spec_.how == partitioning::broadcast ? 1 : spec_.targets,
              share(limits.rows_min * 2)) {
  EBB_ASSERT(spec_.targets > 0);
  if (spec_.how == partitioning::direct)
    EBB_ASSERT(spec_.targets == 1);
  if (spec_.how == partitioning::hash) {
    EBB_ASSERT(spec_.targets <= spec_.key_groups);
    target_of_group_.resize(spec_.key_groups);
    for (std::uint32_t g = 0; g < spec_.key_groups; ++g)
      target_of_group_[g] =
          static_cast<std::uint16_t>(target_of_group(g, spec_.targets, spec_.key_groups));
  }
}

void partitioner::add(const batch_ptr& added, channel_sender& out) {
  if (added->rows == 0)
    return;
  measure(*added, measure_);
  // Before the split: the shares of one batch keep the same text alive together.
  const auto rows = compact_text(added, measure_);
  if (spec_.how == partitioning::hash) {
    add_hashed(*rows, out);
    return;
  }
  if (measure_.bytes > limits_.bytes_uncut && rows->rows > 1) {
    picks_.resize(rows->rows);
    std::iota(picks_.begin(), picks_.end(), 0U);
    add_picked(0, *rows, {}, picks_.data(), rows->rows, out);
    return;
  }
  // Hashes belong to another exchange's keys; the origin ends here.
  if (rows->hashes || rows->origin.source) {
    auto plain = std::make_shared<batch>(*rows);
    plain->hashes = {};
    plain->origin = {};
    put(0, std::move(plain), measure_.bytes, out);
  } else {
    put(0, rows, measure_.bytes, out);
  }
}

void partitioner::add_hashed(const batch& rows, channel_sender& out) {
  std::vector<const column*> keys;
  keys.reserve(spec_.keys.size());
  for (const auto k : spec_.keys)
    keys.push_back(&rows.columns[k]);
  auto hashes = spec_.hashed ? rows.hashes : buffer_ptr{};
  if (!hashes) {
    hashes = buffer_ptr::of<std::uint64_t>(rows.rows);
    hash_keys(keys, rows.rows, hashes.as<std::uint64_t>());
  }
  if (!rows.hashes)
    measure_.bytes += rows.rows * sizeof(std::uint64_t);
  sort_by_target(hashes.as<std::uint64_t>(), rows.rows);
  std::uint32_t from = 0;
  for (std::uint32_t t = 0; t < spec_.targets; ++t) {
    const auto to = ends_[t];
    if (to != from)
      add_picked(t, rows, hashes, picks_.data() + from, to - from, out);
    from = to;
  }
}

void partitioner::sort_by_target(const std::uint64_t* hashes, std::uint32_t rows) {
  targets_of_rows_.resize(rows);
  picks_.resize(rows + std::size_t{1});
  auto* targets = targets_of_rows_.data();
  auto* picks = picks_.data();
  const auto* target_of = target_of_group_.data();
  const auto groups = spec_.key_groups;
  for (std::uint32_t i = 0; i < rows; ++i)
    targets[i] = target_of[key_group_of(hashes[i], groups)];
  if (spec_.targets <= few_targets) {
    // One pass a target with its end in a register beats counting: each count waits for the store
    // of the one before. The place after the last row takes writes that do not count.
    ends_.resize(spec_.targets);
    std::uint32_t end = 0;
    for (std::uint32_t t = 0; t < spec_.targets; ++t) {
      for (std::uint32_t i = 0; i < rows; ++i) {
        picks[end] = i;
        end += targets[i] == t ? 1 : 0;
      }
      ends_[t] = end;
    }
    return;
  }
  ends_.assign(spec_.targets + std::size_t{1}, 0);
  auto* ends = ends_.data();
  for (std::uint32_t i = 0; i < rows; ++i)
    ++ends[targets[i] + 1];
  for (std::uint32_t t = 0; t < spec_.targets; ++t)
    ends[t + 1] += ends[t];
  // Filling moves each start to its end.
  for (std::uint32_t i = 0; i < rows; ++i)
    picks[ends[targets[i]]++] = i;
}

void partitioner::add_picked(std::uint32_t target, const batch& rows, const buffer_ptr& hashes,
                             const std::uint32_t* picks, std::uint32_t count, channel_sender& out) {
  const auto estimate = measure_.bytes * count / rows.rows;
  if (estimate <= (count == rows.rows ? limits_.bytes_uncut : limits_.bytes_max)) {
    add_part(target, rows, hashes, picks, count, out);
    return;
  }
  // Aims below the limit, so that rows of uneven size rarely make a second cut necessary.
  const auto aim = std::max<std::size_t>(1, limits_.bytes_max / 4 * 3);
  const auto pieces = static_cast<std::uint32_t>(std::min<std::size_t>(count, estimate / aim + 1));
  std::uint32_t from = 0;
  for (std::uint32_t i = 1; i <= pieces; ++i) {
    const auto to = static_cast<std::uint32_t>(std::uint64_t{count} * i / pieces);
    add_part(target, rows, hashes, picks + from, to - from, out);
    from = to;
  }
}

void partitioner::add_part(std::uint32_t target, const batch& rows, const buffer_ptr& hashes,
                           const std::uint32_t* picks, std::uint32_t count, channel_sender& out) {
  if (count < limits_.rows_min && measure_.bytes <= limits_.bytes_max
      && row_gatherer::takes(rows)) {
    const auto bytes = std::max(cost_min, measure_.bytes * count / rows.rows);
    make_way(target, count, bytes, out);
    shares_[target].gathered.add(rows, hashes, picks, count);
    joined(target, count, bytes, out);
    return;
  }
  auto part = std::make_shared<batch>();
  if (count == rows.rows) {
    *part = rows;
    part->origin = {};
    part->hashes = hashes;
    put(target, std::move(part), measure_.bytes, out);
    return;
  }
  *part = gather_rows(rows, hashes, picks, count);
  // The share of a batch within the limit is within it too.
  const auto bytes =
      measure_.bytes <= limits_.bytes_max ? measure_.bytes * count / rows.rows : byte_size(*part);
  if (bytes > limits_.bytes_max && count > 1) {
    const auto half = count / 2;
    add_part(target, rows, hashes, picks, half, out);
    add_part(target, rows, hashes, picks + half, count - half, out);
    return;
  }
  put(target, std::move(part), bytes, out);
}

void partitioner::put(std::uint32_t target, batch_ptr rows, std::size_t bytes,
                      channel_sender& out) {
  const auto count = rows->rows;
  bytes = std::max(bytes, cost_min);
  make_way(target, count, bytes, out);
  auto& x = shares_[target];
  if (x.gathered.rows() != 0)
    x.parts.push_back(x.gathered.take());
  x.parts.push_back(std::move(rows));
  joined(target, count, bytes, out);
}

void partitioner::make_way(std::uint32_t target, std::uint32_t rows, std::size_t bytes,
                           channel_sender& out) {
  auto& x = shares_[target];
  // What is large enough by itself is not copied to join what waits.
  if (x.rows != 0
      && (rows >= limits_.rows_min || x.rows + rows > limits_.rows_max
          || x.bytes + bytes > limits_.bytes_max))
    flush_rows(target, out);
  // Under load the consumer always has something left to do and nobody flushes: the watermark must
  // go with the rows.
  if (x.rows == 0)
    flush_watermark(target, out);
}

void partitioner::joined(std::uint32_t target, std::uint32_t rows, std::size_t bytes,
                         channel_sender& out) {
  auto& x = shares_[target];
  x.rows += rows;
  x.bytes += bytes;
  x.idle = false;
  if (x.rows >= limits_.rows_min || x.bytes >= limits_.bytes_max) {
    flush_rows(target, out);
    flush_watermark(target, out);
  }
}

void partitioner::advance(micros watermark) {
  for (auto& x : shares_) {
    x.watermark = std::max(watermark, x.watermark.value_or(min_time));
    x.idle = false;
  }
}

void partitioner::idle() {
  for (auto& x : shares_)
    x.idle = true;
}

void partitioner::close(channel_signal last, channel_sender& out) {
  flush_all(out);
  for (std::uint32_t t = 0; t < spec_.targets; ++t)
    out.send(t, channel_item::of(last));
}

void partitioner::flush_all(channel_sender& out) {
  for (std::uint32_t t = 0; t < shares_.size(); ++t)
    flush(t, out);
}

void partitioner::flush(std::uint32_t target, channel_sender& out) {
  target = share_of(target);
  auto& x = shares_[target];
  flush_rows(target, out);
  flush_watermark(target, out);
  if (x.idle)
    send(target, channel_item::of(channel_signal::idle), out);
  x.idle = false;
}

void partitioner::flush_watermark(std::uint32_t target, channel_sender& out) {
  auto& x = shares_[target];
  if (x.watermark)
    send(target, channel_item::of(channel_signal::watermark, *x.watermark), out);
  x.watermark.reset();
}

void partitioner::flush_rows(std::uint32_t target, channel_sender& out) {
  auto& x = shares_[target];
  if (x.rows == 0)
    return;
  if (x.gathered.rows() != 0)
    x.parts.push_back(x.gathered.take());
  if (x.parts.size() == 1) {
    send(target, channel_item::of(std::move(x.parts.front()), x.bytes), out);
  } else {
    auto joined = std::make_shared<batch>(concatenate(x.parts));
    send(target, channel_item::of(std::move(joined), x.bytes), out);
  }
  x.parts.clear();
  x.rows = 0;
  x.bytes = 0;
}

void partitioner::send(std::uint32_t target, const channel_item& item, channel_sender& out) {
  if (spec_.how != partitioning::broadcast) {
    out.send(target, item);
    return;
  }
  for (std::uint32_t t = 0; t < spec_.targets; ++t)
    out.send(t, item);
}

} // namespace ebb
