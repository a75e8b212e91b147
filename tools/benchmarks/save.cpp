// How long saving an aggregation's state takes its actor, slice by slice.

#include "actors/dataflow/operator_spec.hpp"
#include "tools/benchmarks/benchmarks.hpp"
#include "tools/benchmarks/child.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <string>

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
    if (bytes_.size() > piece_bytes)
      bytes_.clear(); // handed on
    bytes_ += key;
    bytes_ += value;
    ++entries;
  }

  void erase(std::uint16_t, std::string_view key) override {
    bytes_ += key;
  }

  void erase_prefix(std::uint16_t, std::string_view prefix) override {
    bytes_ += prefix;
  }

  std::uint64_t entries = 0;

private:
  static constexpr std::size_t piece_bytes = std::size_t{1} << 20;

  std::string bytes_;
  std::uint64_t groups_ = 0;
};

const sql_type bigint{type_kind::bigint};
const sql_type timestamp{type_kind::timestamp};

std::unique_ptr<stream_operator> make_counter(window_kind kind) {
  window_aggregate_spec spec;
  spec.window.kind = kind;
  spec.window.time_column = 1;
  spec.window.size = 3600 * micros_per_second;
  spec.keys = {0};
  aggregate_call count;
  for (const auto& f : find_aggregates("count"))
    if (f.params.empty())
      count.function = &f;
  count.type = bigint;
  spec.calls = {count};
  operator_context context;
  context.name = "saved";
  context.inputs = {{bigint, timestamp}};
  return make_operator(spec, std::move(context));
}

// One row for each of `keys` keys, `stride` apart.
void feed(stream_operator& op, std::uint32_t keys, std::uint32_t stride) {
  nowhere out;
  for (std::uint32_t done = 0; done < keys; done += rows_a_batch) {
    auto made = std::make_shared<batch>();
    made->rows = std::min(rows_a_batch, keys - done);
    made->columns = {make_column(bigint, made->rows), make_column(timestamp, made->rows)};
    for (std::uint32_t i = 0; i < made->rows; ++i) {
      made->columns[0].mutable_data<std::int64_t>()[i] = std::int64_t{done + i} * stride;
      made->columns[1].mutable_data<micros>()[i] = 1;
    }
    stream_item item;
    item.rows = std::move(made);
    step_budget budget;
    static_cast<void>(op.step(&item, budget, out));
  }
}

struct save_cost {
  // CPU seconds.
  double begin = 0;   ///< `mark` and `begin_save`
  double step = 0;    ///< a batch of frozen keys, before the first slice
  double total = 0;   ///< all slices
  double longest = 0; ///< slice
  std::uint64_t entries = 0;
};

save_cost save(stream_operator& op, change_mark since, std::uint32_t stride = 1) {
  save_cost x;
  chunk sink;
  auto start = thread_cpu_seconds();
  static_cast<void>(op.mark());
  op.begin_save(since);
  x.begin = thread_cpu_seconds() - start;
  start = thread_cpu_seconds();
  feed(op, rows_a_batch, stride);
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

} // namespace

bool measure_save(const settings&, report& to) {
  to.line("saving COUNT(*) by a BIGINT key, CPU milliseconds of the subtask");
  to.line("state                      entries  at the barrier  step of 4096  longest slice   total "
          " ns an entry");
  for (const auto kind : {window_kind::tumble, window_kind::session}) {
    const std::string name = kind == window_kind::tumble ? "windows" : "sessions";
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
      const auto op = make_counter(kind);
      feed(*op, 1'000'000, 1);
      show("1 M, all", save(*op, 0));
      feed(*op, 1'000'000, 1);
      show("1 M, all dirty", save(*op, 1));
    }
    const auto op = make_counter(kind);
    feed(*op, 2'000'000, 1);
    static_cast<void>(save(*op, 0));
    feed(*op, 20'000, 97);
    show("2 M, 20 k dirty", save(*op, 1, 97));
  }
  return true;
}

} // namespace ebb::bench
