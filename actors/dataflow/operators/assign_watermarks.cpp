#include "actors/dataflow/operators/assign_watermarks.hpp"

#include "actors/dataflow/operators/time_keys.hpp"
#include "actors/dataflow/operators/window_slicer.hpp"

#include <algorithm>
#include <map>

namespace ebb {

namespace {

class assign_watermarks final : public stream_operator {
public:
  explicit assign_watermarks(const assign_watermarks_spec& spec) : spec_(spec) {}

  result<bool> step(stream_item* item, step_budget& budget, output& out) override {
    if (item == nullptr)
      return false;
    switch (item->kind) {
    case item_kind::batch:
      budget.rows -= std::min(budget.rows, item->rows->rows);
      take(item->rows, out);
      break;
    case item_kind::watermark:
      // A source with a watermark of its own, or the end of its input.
      advance(item->time, out);
      break;
    case item_kind::idle:
      out.idle();
      break;
    case item_kind::end:
      advance(max_time, out);
      break;
    case item_kind::tick:
      break;
    }
    return false;
  }

  [[nodiscard]] operator_counters counters() const override {
    return counters_;
  }

  change_mark mark() override {
    return mark_++;
  }

  /// One entry, under key group 0: the watermarks sent and of each partition.
  void save(std::uint16_t key_group, change_mark, state_sink& sink) const override {
    if (key_group != 0)
      return;
    std::string value;
    append_time_key(sent_, value);
    sink.put(0, {}, value);
    for (const auto& [partition, watermark] : partitions_) {
      std::string key;
      append_time_key(partition, key);
      value.clear();
      append_time_key(watermark, value);
      sink.put(1, key, value);
    }
  }

  result<void> load(std::uint16_t, std::uint16_t state, std::string_view key,
                    std::string_view value) override {
    EBB_ASSIGN(const auto time, take_time_key(value));
    if (state == 0) {
      sent_ = std::max(sent_, time);
      return {};
    }
    EBB_ASSIGN(const auto partition, take_time_key(key));
    auto& watermark =
        partitions_.try_emplace(static_cast<std::uint32_t>(partition), min_time).first->second;
    watermark = std::max(watermark, time);
    return {};
  }

private:
  void take(const batch_ptr& rows, output& out) {
    counters_.rows_in += rows->rows;
    counters_.rows_out += rows->rows;
    const auto& times = rows->columns[spec_.time_column];
    const auto* values = times.data<micros>();
    auto& own = partitions_.try_emplace(rows->partition, min_time).first->second;
    const micros others = others_allow(*rows);

    // Whether any row lies behind is known only at the first one that does: until then nothing is
    // written.
    const auto start = std::max(sent_, std::min(own, others));
    auto watermark = start;
    std::uint32_t behind = rows->rows;
    micros newest = own;
    const bool missing = times.has_nulls();
    for (std::uint32_t i = 0; i < rows->rows; ++i) {
      if ((missing && times.is_null(i)) || is_infinite(values[i]))
        continue;
      if (values[i] < watermark) {
        behind = i;
        break;
      }
      newest = std::max(newest, saturated_sum(values[i], -spec_.max_delay));
      watermark = std::max(start, std::min(newest, others));
    }
    if (behind == rows->rows) {
      own = newest;
      out.emit(rows);
    } else {
      auto marked = std::make_shared<batch>(*rows);
      marked->watermarks = buffer_ptr::of<micros>(rows->rows);
      auto* marks = marked->watermarks.as<micros>();
      for (std::uint32_t i = 0; i < rows->rows; ++i) {
        marks[i] = std::max(start, std::min(own, others));
        if (!(missing && times.is_null(i)) && !is_infinite(values[i]))
          own = std::max(own, saturated_sum(values[i], -spec_.max_delay));
      }
      out.emit(std::move(marked));
    }
    advance(std::min(own, others), out);
  }

  /// What the other partitions allow: nothing while one of them has had no rows.
  micros others_allow(const batch& rows) {
    partitions_.erase(partitions_.begin(), partitions_.lower_bound(rows.partitions_ended));
    if (partitions_.size() + rows.partitions_ended < rows.partitions)
      return min_time;
    micros others = max_time;
    for (const auto& [partition, watermark] : partitions_)
      if (partition != rows.partition)
        others = std::min(others, watermark);
    return others;
  }

  void advance(micros time, output& out) {
    if (time <= sent_)
      return;
    sent_ = time;
    out.advance(sent_);
  }

  assign_watermarks_spec spec_;
  /// By source partition, those that have had rows.
  std::map<std::uint32_t, micros> partitions_;
  micros sent_ = min_time;
  change_mark mark_ = 1;
  operator_counters counters_;
};

} // namespace

std::unique_ptr<stream_operator> make_assign_watermarks(const assign_watermarks_spec& spec,
                                                        operator_context) {
  return std::make_unique<assign_watermarks>(spec);
}

std::vector<sql_type> output_types_of(const assign_watermarks_spec&,
                                      const std::vector<std::vector<sql_type>>& inputs) {
  return inputs[0];
}

} // namespace ebb
