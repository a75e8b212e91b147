// How long saving an operator's state takes its actor, slice by slice, and until it is durable.

#include "actors/dataflow/operator_spec.hpp"
#include "tools/benchmarks/benchmarks.hpp"
#include "tools/benchmarks/child.hpp"
#include "tools/benchmarks/scratch_folder.hpp"
#include "tools/benchmarks/scratch_store.hpp"
#include "tools/cli/load.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <memory>
#include <string>
#include <vector>

namespace ebb::bench {

namespace {

constexpr std::uint32_t rows_a_batch = 4096;
constexpr std::uint32_t entries_a_slice = 256; // as subtasks ask for

class nowhere final : public output {
public:
  void emit(batch_ptr) override {}

  void advance(micros) override {}

  void idle() override {}
};

// Copies entries as a subtask's snapshot does.
class chunk final : public state_sink {
public:
  void select_group(std::uint16_t key_group) override {
    groups_ += key_group;
  }

  void put(std::uint16_t, std::string_view key, std::string_view value) override {
    add(key, value);
  }

  void erase(std::uint16_t, std::string_view key) override {
    add(key, {});
  }

  void erase_prefix(std::uint16_t, std::string_view prefix) override {
    add(prefix, {});
  }

  std::uint64_t entries = 0;

private:
  static constexpr std::size_t piece_bytes = std::size_t{256} << 10;

  void add(std::string_view key, std::string_view value) {
    if (bytes_.size() > piece_bytes)
      bytes_.clear(); // handed on
    bytes_ += key;
    bytes_ += value;
    ++entries;
  }

  std::string bytes_;
  std::uint64_t groups_ = 0;
};

const sql_type bigint{type_kind::bigint};
const sql_type timestamp{type_kind::timestamp};

constexpr micros window_size = 3600 * micros_per_second;

/// What is saved: rows of a key, a time and the end of its window go in.
struct subject {
  const char* name;
  operator_spec spec;
  std::size_t inputs = 1;
  bool moves = false; ///< a watermark comes behind the rows
};

aggregate_call count_call() {
  aggregate_call count;
  for (const auto& f : find_aggregates("count"))
    if (f.params.empty())
      count.function = &f;
  count.type = bigint;
  return count;
}

subject counting(const char* name, window_kind kind) {
  window_aggregate_spec spec;
  spec.window.kind = kind;
  spec.window.time_column = 1;
  spec.window.size = window_size;
  spec.keys = {0};
  spec.calls = {count_call()};
  return {name, spec};
}

std::vector<subject> subjects() {
  window_join_spec join;
  join.left_keys = join.right_keys = {0};
  join.left_start = join.right_start = 1;
  join.left_end = join.right_end = 2;
  window_top_n_spec top;
  top.window_start = 1;
  top.window_end = 2;
  top.partition = {0};
  top.order_by = {{0, true, false}};
  over_spec over;
  over.partition = {0};
  over.time_column = 1;
  over.order_by = {{1, false, false}};
  over_call count;
  count.call = count_call();
  over_call before;
  before.what = over_call::kind::lag;
  before.call.args = {1};
  before.call.arg_types = {timestamp};
  over.calls = {count, before};
  return {counting("windows", window_kind::tumble),
          counting("sessions", window_kind::session),
          {"join", join, 2},
          {"top-N", top},
          {"OVER", over, 1, true}};
}

/// An operator and the time of its input.
class fed_operator {
public:
  explicit fed_operator(const subject& of) : of_(of) {
    operator_context context;
    context.name = "saved";
    context.inputs.assign(of.inputs, {bigint, timestamp, timestamp});
    op_ = make_operator(of.spec, std::move(context));
  }

  /// One row for each of `keys` keys, `stride` apart, for one input after the other.
  void feed(std::uint32_t keys, std::uint32_t stride) {
    if (of_.moves)
      ++time_;
    for (std::uint32_t done = 0; done < keys; done += rows_a_batch) {
      auto made = std::make_shared<batch>();
      made->rows = std::min(rows_a_batch, keys - done);
      made->columns = {make_column(bigint, made->rows), make_column(timestamp, made->rows),
                       make_column(timestamp, made->rows)};
      for (std::uint32_t i = 0; i < made->rows; ++i) {
        made->columns[0].mutable_data<std::int64_t>()[i] = std::int64_t{done + i} * stride;
        made->columns[1].mutable_data<micros>()[i] = time_;
        made->columns[2].mutable_data<micros>()[i] = time_ + window_size;
      }
      stream_item item;
      item.input = static_cast<std::uint32_t>(done / rows_a_batch % of_.inputs);
      item.rows = std::move(made);
      step(&item);
    }
    if (!of_.moves)
      return;
    stream_item behind;
    behind.kind = item_kind::watermark;
    behind.time = time_ + 1;
    step(&behind);
  }

  [[nodiscard]] stream_operator& get() noexcept {
    return *op_;
  }

private:
  void step(stream_item* item) {
    nowhere out;
    for (bool more = true; more; item = nullptr) {
      step_budget budget;
      const auto done = op_->step(item, budget, out);
      more = done && *done;
    }
  }

  const subject& of_;
  std::unique_ptr<stream_operator> op_;
  micros time_ = 1;
};

struct save_cost {
  // CPU seconds.
  double begin = 0;   ///< `mark` and `begin_save`
  double step = 0;    ///< a batch of frozen keys, before the first slice
  double total = 0;   ///< all slices
  double longest = 0; ///< slice
  std::uint64_t entries = 0;
};

save_cost save(fed_operator& from, change_mark since, std::uint32_t stride = 1) {
  auto& op = from.get();
  save_cost x;
  chunk sink;
  auto start = thread_cpu_seconds();
  static_cast<void>(op.mark());
  op.begin_save(since);
  x.begin = thread_cpu_seconds() - start;
  start = thread_cpu_seconds();
  from.feed(rows_a_batch, stride);
  x.step = thread_cpu_seconds() - start;
  for (bool more = true; more;) {
    start = thread_cpu_seconds();
    more = op.save_slice(entries_a_slice, sink);
    const auto taken = thread_cpu_seconds() - start;
    x.total += taken;
    x.longest = std::max(x.longest, taken);
  }
  x.entries = sink.entries;
  return x;
}

// A subtask's snapshot, as the store writes it.
class snapshot_sink final : public state_sink {
public:
  explicit snapshot_sink(state_chunk& to) : to_(to) {}

  void select_group(std::uint16_t key_group) override {
    group_ = key_group;
  }

  void put(std::uint16_t state, std::string_view key, std::string_view value) override {
    add(state_chunk::kind::put, state, key, value);
  }

  void erase(std::uint16_t state, std::string_view key) override {
    add(state_chunk::kind::erase, state, key, {});
  }

  void erase_prefix(std::uint16_t state, std::string_view prefix) override {
    add(state_chunk::kind::erase_prefix, state, prefix, {});
  }

private:
  void add(state_chunk::kind what, std::uint16_t state, std::string_view key,
           std::string_view value) {
    to_.add({what, group_, state_number(0, state), key, value});
  }

  state_chunk& to_;
  std::uint16_t group_ = unkeyed_group;
};

struct disk_cost {
  std::vector<double> seconds; ///< wall time from the barrier to the durable record, rising
  std::size_t entries = 0;     ///< of the last round
};

/// Rounds that each change 20,000 of the operator's keys.
result<disk_cost> save_to_disk(fed_operator& from, const std::string& folder) {
  constexpr std::uint32_t rounds = 15;
  EBB_ASSIGN(const auto store, make_scratch_store(folder));
  EBB_ASSIGN(const auto first, store->reserve(rounds));
  auto& op = from.get();
  disk_cost cost;
  for (std::uint32_t i = 0; i < rounds; ++i) {
    const auto since = op.mark();
    from.feed(20'000, 97);
    const auto begin = std::chrono::steady_clock::now();
    auto made = std::make_shared<subtask_snapshot>();
    made->epoch = first + i;
    snapshot_sink sink(made->state);
    static_cast<void>(op.mark());
    op.begin_save(since);
    while (op.save_slice(entries_a_slice, sink)) {
    }
    epoch_record record;
    record.epoch = made->epoch;
    const snapshot_ptr snapshot = std::move(made);
    EBB_ASSIGN(record.parts.emplace_back().segment,
               store->write_delta(record.epoch, {&snapshot, 1}));
    EBB_TRY(store->commit(record));
    cost.seconds.push_back(
        std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count());
    cost.entries = snapshot->state.size();
  }
  std::sort(cost.seconds.begin(), cost.seconds.end());
  return cost;
}

bool measure_to_disk(const subject& of, fed_operator& op, report& to) {
  const scratch_folder scratch;
  if (scratch.path().empty())
    return false;
  const auto cost = save_to_disk(op, scratch.path());
  if (!cost) {
    cli::print_error(cost.error());
    return false;
  }
  const auto& took = cost->seconds;
  const auto median = took[took.size() / 2] * 1e3;
  const auto longest = took.back() * 1e3;
  to.line(fmt::format("{:<8} {:<16} {:>8}  on disk after {:.1f} ms of wall time (median of {}; "
                      "longest {:.1f})",
                      of.name, "2 M, 20 k dirty", cost->entries, median, took.size(), longest));
  to.add({{"benchmark", "save"},
          {"state", of.name},
          {"what", "2 M, 20 k dirty, to disk"},
          {"entries", cost->entries},
          {"median_ms", median},
          {"longest_ms", longest}});
  return true;
}

} // namespace

bool measure_save(const settings&, report& to) {
  to.line("saving state by a BIGINT key, CPU milliseconds of the subtask");
  to.line("state                      entries  at the barrier  step of 4096  longest slice   total "
          " ns an entry");
  for (const auto& of : subjects()) {
    const std::string name = of.name;
    const auto show = [&](const char* what, const save_cost& x) {
      to.line(fmt::format(
          "{:<8} {:<16} {:>8}  {:>14.3f}  {:>12.3f}  {:>13.3f}  {:>6.1f}  {:>11.0f}", name, what,
          x.entries, x.begin * 1e3, x.step * 1e3, x.longest * 1e3, x.total * 1e3,
          x.total / static_cast<double>(std::max<std::uint64_t>(1, x.entries)) * 1e9));
      to.add({{"benchmark", "save"},
              {"state", name},
              {"what", what},
              {"entries", x.entries},
              {"barrier_ms", x.begin * 1e3},
              {"step_ms", x.step * 1e3},
              {"longest_slice_ms", x.longest * 1e3},
              {"total_ms", x.total * 1e3}});
    };
    {
      fed_operator op(of);
      op.feed(1'000'000, 1);
      show("1 M, all", save(op, 0));
      op.feed(1'000'000, 1);
      show("1 M, all dirty", save(op, 1));
    }
    fed_operator op(of);
    op.feed(2'000'000, 1);
    static_cast<void>(save(op, 0));
    op.feed(20'000, 97);
    show("2 M, 20 k dirty", save(op, 1, 97));
    if (!measure_to_disk(of, op, to))
      return false;
  }
  return true;
}

} // namespace ebb::bench
