#include "tools/simulation/dice.hpp"
#include "tools/simulation/memory_connectors.hpp"

#include <algorithm>
#include <array>
#include <utility>

namespace ebb::sim {

namespace {

/// Reads its partitions in turn, a few rows a read.
class memory_source final : public source_reader {
public:
  memory_source(const source_input& input, const connector_context& context)
      : input_(input), subtask_(context.subtask), parallelism_(context.parallelism) {
    for (auto p = subtask_; p < input.rows.size(); p += parallelism_)
      next_.push_back(0);
    for (const auto& x : context.positions)
      if (x.partition % parallelism_ == subtask_)
        next_[x.partition / parallelism_] = static_cast<std::uint32_t>(std::stoul(x.bytes));
  }

  result<read_status> read(micros now, step_budget& budget, output& out) override {
    for (std::size_t i = 0; i < next_.size(); ++i) {
      const auto local = (turn_ + i) % next_.size();
      if (next_[local] == end_of(local))
        continue;
      turn_ = local + 1;
      return read_status_after(emit(local, budget, out), now);
    }
    return read_status{read_status::kind::finished};
  }

  [[nodiscard]] source_counters counters() const override {
    return counters_;
  }

  [[nodiscard]] std::uint32_t partitions() const override {
    return static_cast<std::uint32_t>(next_.size());
  }

  void positions(std::vector<source_position>& out) const override {
    for (std::size_t i = 0; i < next_.size(); ++i)
      out.push_back({partition(i), next_[i] == end_of(i), std::to_string(next_[i])});
  }

private:
  [[nodiscard]] std::uint32_t partition(std::size_t local) const {
    return subtask_ + static_cast<std::uint32_t>(local) * parallelism_;
  }

  [[nodiscard]] std::uint32_t end_of(std::size_t local) const {
    return input_.rows[partition(local)];
  }

  /// A number that a chance hangs on: the same at every reading of this place.
  std::uint64_t emit(std::size_t local, step_budget& budget, output& out) {
    const auto at = partition(local);
    auto& next = next_[local];
    dice random(input_.seed ^ dice::mixed((std::uint64_t{at} << 40) + next));
    const auto count = std::min<std::uint32_t>({1 + static_cast<std::uint32_t>(random.below(5)),
                                                end_of(local) - next, std::max(budget.rows, 1U)});
    budget.rows -= std::min(budget.rows, count);
    auto rows = std::make_shared<batch>();
    rows->rows = count;
    std::array<std::int64_t*, 5> to{};
    for (std::size_t c = 0; c < to.size(); ++c) {
      const auto kind = c == 2 ? type_kind::timestamp : type_kind::bigint;
      rows->columns.push_back(make_column(sql_type{kind}, count));
      to[c] = rows->columns.back().mutable_data<std::int64_t>();
    }
    for (std::uint32_t i = 0; i < count; ++i) {
      const auto x = input_.row(at, next + i);
      to[0][i] = x.key;
      to[1][i] = x.value;
      to[2][i] = x.time;
      to[3][i] = x.partition;
      to[4][i] = x.offset;
    }
    rows->partition = static_cast<std::uint32_t>(local);
    rows->partitions = static_cast<std::uint32_t>(next_.size());
    // Those that ended before these rows.
    while (rows->partitions_ended < local
           && next_[rows->partitions_ended] == end_of(rows->partitions_ended))
      ++rows->partitions_ended;
    next += count;
    counters_.rows += count;
    out.emit(std::move(rows));
    return random.next();
  }

  [[nodiscard]] read_status read_status_after(std::uint64_t number, micros now) const {
    if (number % 1'000'000 >= input_.pauses)
      return {};
    return {read_status::kind::waiting,
            now
                + static_cast<micros>(dice::mixed(number)
                                      % static_cast<std::uint64_t>(input_.pause_max))};
  }

  const source_input& input_;
  std::uint32_t subtask_;
  std::uint32_t parallelism_;
  std::vector<std::uint32_t> next_; ///< by partition of this subtask
  std::size_t turn_ = 0;
  source_counters counters_;
};

} // namespace

result<std::unique_ptr<source_reader>>
memory_connectors::open_source(const source_definition& source, connector_context context) {
  return std::unique_ptr<source_reader>(
      std::make_unique<memory_source>(input_of(source.name), context));
}

} // namespace ebb::sim
