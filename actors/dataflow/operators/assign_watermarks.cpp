#include "actors/dataflow/operators/assign_watermarks.hpp"

#include "actors/dataflow/operators/owned_groups.hpp"
#include "actors/dataflow/operators/time_keys.hpp"
#include "actors/dataflow/operators/window_slicer.hpp"
#include "schemas/assert.hpp"

#include <algorithm>
#include <iterator>
#include <map>

namespace ebb {

namespace {

class assign_watermarks final : public stream_operator {
public:
  assign_watermarks(const assign_watermarks_spec& spec, const operator_context& context)
      : spec_(spec), subtask_(context.subtask), parallelism_(context.parallelism) {}

  result<bool> step(stream_item* item, step_budget& budget, output& out) override {
    if (item == nullptr)
      return false;
    switch (item->kind) {
    case item_kind::batch:
      budget.rows -= std::min(budget.rows, item->rows->rows);
      take(item->rows, out);
      break;
    case item_kind::watermark:
      // A source with a watermark of its own, the end of its input or, after loading, the sign to
      // say again what had been sent.
      if (loaded_)
        promise_again(out);
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
    std::erase_if(ended_, [this](const auto& x) { return x.at + marks_kept < mark_; });
    return mark_++;
  }

  /// One entry a source partition that has had rows: its watermark and, of the instance that read
  /// it, the one sent, the partitions, how many of them had ended, and how many instances there
  /// were. Partitions have the numbers that they would have if one instance read them all.
  void save(std::uint16_t key_group, change_mark since, state_sink& sink) const override {
    if (key_group != unkeyed_group)
      return;
    EBB_ASSERT(since == 0 || since + marks_kept >= mark_);
    for (const auto& x : ended_)
      if (since != 0 && x.at > since)
        sink.erase(0, key_of(x.partition));
    for (const auto& [partition, watermark] : partitions_) {
      std::string value;
      append_time_key(watermark, value);
      append_time_key(sent_, value);
      append_time_key(count_, value);
      append_time_key(ended_count_, value);
      append_time_key(parallelism_, value);
      sink.put(0, key_of(partition), value);
    }
  }

  result<void> load(std::uint16_t, std::uint16_t state, std::string_view key,
                    std::string_view value) override {
    EBB_ASSIGN(const auto number, take_time_key(key));
    EBB_ASSIGN(const auto watermark, take_time_key(value));
    EBB_ASSIGN(const auto sent, take_time_key(value));
    reader by;
    EBB_ASSIGN(by.partitions, take_time_key(value));
    EBB_ASSIGN(by.ended, take_time_key(value));
    EBB_ASSIGN(by.parallelism, take_time_key(value));
    if (state != 0 || number < 0 || number / parallelism_ > UINT32_MAX || by.parallelism < 1)
      return make_error(ec::corrupt, "unknown state of a source's watermarks");
    by.subtask = number % by.parallelism;
    readers_.push_back(by);
    if (number % parallelism_ != subtask_)
      return {};
    sent_ = partitions_.empty() ? sent : std::min(sent_, sent);
    loaded_ = true;
    partitions_.emplace(static_cast<std::uint32_t>(number / parallelism_), watermark);
    return {};
  }

private:
  /// A partition that had had rows and is read to its end.
  struct ended_partition {
    change_mark at;
    std::uint32_t partition;
  };

  /// An instance that had read partitions before the restart. `partitions` = 0: it did not know how
  /// many.
  struct reader {
    micros subtask = 0;
    micros partitions = 0;
    micros ended = 0;
    micros parallelism = 1;
  };

  [[nodiscard]] std::string key_of(std::uint32_t partition) const {
    std::string key;
    append_time_key(micros{partition} * parallelism_ + subtask_, key);
    return key;
  }

  void take(const batch_ptr& rows, output& out) {
    counters_.rows_in += rows->rows;
    counters_.rows_out += rows->rows;
    const auto& times = rows->columns[spec_.time_column];
    const auto* values = times.data<micros>();
    if (loaded_)
      resume(*rows, out);
    count_ = rows->partitions;
    ended_count_ = rows->partitions_ended;
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

  /// What was sent holds for our partitions if all of them have had rows: a source that is quiet
  /// now need not have another one for it to go on. Those that there may be are known from the
  /// instances that had some with rows.
  void promise_again(output& out) {
    micros end = max_time;
    for (const auto& x : readers_) {
      if (x.partitions == 0)
        return;
      end = std::min(end, x.partitions * x.parallelism + x.subtask);
    }
    const auto had_ended = [&](micros number) {
      return std::any_of(readers_.begin(), readers_.end(), [&](const reader& x) {
        return number % x.parallelism == x.subtask && number / x.parallelism < x.ended;
      });
    };
    micros count = 0;
    micros ended = 0;
    for (auto number = subtask_; number < end; number += parallelism_, ++count) {
      if (had_ended(number))
        ended += ended == count ? 1 : 0;
      else if (!partitions_.contains(static_cast<std::uint32_t>(number / parallelism_)))
        return;
    }
    loaded_ = false;
    count_ = count;
    ended_count_ = ended;
    if (sent_ != min_time)
      out.advance(sent_);
  }

  /// Else before the first batch after loading, which tells how many partitions there are: what was
  /// sent holds for them only if all have had rows. One that has had none was read by another
  /// instance, which had promised nothing.
  void resume(const batch& rows, output& out) {
    loaded_ = false;
    const auto open = static_cast<std::size_t>(
        std::distance(partitions_.lower_bound(rows.partitions_ended), partitions_.end()));
    if (open + rows.partitions_ended < rows.partitions)
      sent_ = min_time;
    else
      out.advance(sent_);
  }

  /// What the other partitions allow: nothing while one of them has had no rows.
  micros others_allow(const batch& rows) {
    while (!partitions_.empty() && partitions_.begin()->first < rows.partitions_ended) {
      ended_.push_back({mark_, partitions_.begin()->first});
      partitions_.erase(partitions_.begin());
    }
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
  micros subtask_;
  micros parallelism_;
  /// By source partition as the reader numbers them, those that have had rows.
  std::map<std::uint32_t, micros> partitions_;
  micros sent_ = min_time;
  bool loaded_ = false;         ///< and what was sent has not been said again
  std::vector<reader> readers_; ///< of what was loaded
  micros count_ = 0;            ///< partitions of ours; 0 = not known yet
  micros ended_count_ = 0;      ///< of them, the first ones
  change_mark mark_ = 1;
  std::vector<ended_partition> ended_; ///< that a save may hold
  operator_counters counters_;
};

} // namespace

std::unique_ptr<stream_operator> make_assign_watermarks(const assign_watermarks_spec& spec,
                                                        operator_context context) {
  return std::make_unique<assign_watermarks>(spec, context);
}

std::vector<sql_type> output_types_of(const assign_watermarks_spec&,
                                      const std::vector<std::vector<sql_type>>& inputs) {
  return inputs[0];
}

} // namespace ebb
