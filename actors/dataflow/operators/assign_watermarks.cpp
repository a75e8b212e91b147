#include "actors/dataflow/operators/assign_watermarks.hpp"

#include "actors/dataflow/event_timer.hpp"
#include "actors/dataflow/operators/owned_groups.hpp"
#include "actors/dataflow/operators/time_keys.hpp"
#include "actors/dataflow/operators/window_slicer.hpp"
#include "actors/dataflow/partition_news.hpp"
#include "schemas/assert.hpp"

#include <algorithm>

namespace ebb {

namespace {

class assign_watermarks final : public stream_operator, public source_clock {
public:
  assign_watermarks(const assign_watermarks_spec& spec, const operator_context& context,
                    const quiet_time& quiet)
      : spec_(spec), subtask_(context.subtask), parallelism_(context.parallelism), quiet_(quiet),
        clocks_(quiet) {}

  result<bool> step(stream_item* item, step_budget& budget, output& out) override {
    if (item == nullptr)
      return false;
    switch (item->kind) {
    case item_kind::batch:
      if (item->rows->rows == 0) {
        hear(news_of(*item->rows), out);
        break;
      }
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
      now_ = std::max(now_, item->time);
      clocks_.tick(now_);
      if (!loaded_)
        settle(out);
      break;
    }
    return false;
  }

  [[nodiscard]] bool wants_ticks() const noexcept override {
    return !quiet_.holds();
  }

  [[nodiscard]] micros next_tick() const noexcept override {
    return sent_ == max_time ? max_time : clocks_.next_tick(now_);
  }

  [[nodiscard]] micros falls_idle() const noexcept override {
    return sent_ == max_time ? max_time : clocks_.falls_idle(now_);
  }

  [[nodiscard]] micros advances_from() const noexcept override {
    return sent_ == max_time ? min_time : clocks_.advances_from(now_);
  }

  [[nodiscard]] std::optional<watermark_holder> holder() const noexcept override {
    const auto found = sent_ == max_time ? std::nullopt : clocks_.holder();
    if (!found)
      return std::nullopt;
    const auto clock = clocks_.known().find(*found);
    return watermark_holder{static_cast<std::uint32_t>(micros{*found} * parallelism_ + subtask_),
                            clock == clocks_.known().end() ? min_time : clock->second.watermark};
  }

  [[nodiscard]] operator_counters counters() const override {
    return counters_;
  }

  change_mark mark() override {
    std::erase_if(ended_, [this](const auto& x) { return x.at + marks_kept < mark_; });
    return mark_++;
  }

  /// One entry a source partition that has had rows or was seen to have none: its watermark and, of
  /// the instance that read it, the one sent, the partitions, how many of them had ended, and how
  /// many instances there were; then the partition's arrival and base. Whether it is idle follows
  /// from these. Partitions have the numbers that they would have if one instance read them all.
  void save(std::uint16_t key_group, change_mark since, state_sink& sink) const override {
    if (key_group != unkeyed_group)
      return;
    EBB_ASSERT(since == 0 || since + marks_kept >= mark_);
    for (const auto& x : ended_)
      if (since != 0 && x.at > since)
        sink.erase(0, key_of(x.partition));
    for (const auto& [partition, x] : clocks_.known()) {
      std::string value;
      append_time_key(x.watermark, value);
      append_time_key(sent_, value);
      append_time_key(clocks_.count(), value);
      append_time_key(clocks_.ended(), value);
      append_time_key(parallelism_, value);
      append_time_key(x.arrival, value);
      append_time_key(x.base, value);
      sink.put(0, key_of(partition), value);
    }
  }

  result<void> load(std::uint16_t, std::uint16_t state, std::string_view key,
                    std::string_view value) override {
    EBB_ASSIGN(const auto number, take_time_key(key));
    partition_clocks::clock clock;
    EBB_ASSIGN(clock.watermark, take_time_key(value));
    EBB_ASSIGN(const auto sent, take_time_key(value));
    reader by;
    EBB_ASSIGN(by.partitions, take_time_key(value));
    EBB_ASSIGN(by.ended, take_time_key(value));
    EBB_ASSIGN(by.parallelism, take_time_key(value));
    clock.base = clock.watermark;
    if (!value.empty()) { // else of a version that did not keep it
      EBB_ASSIGN(clock.arrival, take_time_key(value));
      EBB_ASSIGN(clock.base, take_time_key(value));
    }
    if (state != 0 || number < 0 || number / parallelism_ > UINT32_MAX || by.parallelism < 1)
      return make_error(ec::corrupt, "unknown state of a source's watermarks");
    by.subtask = number % by.parallelism;
    readers_.push_back(by);
    if (number % parallelism_ != subtask_)
      return {};
    sent_ = clocks_.known().empty() ? sent : std::min(sent_, sent);
    loaded_ = true;
    clocks_.restore(static_cast<std::uint32_t>(number / parallelism_), clock);
    return {};
  }

private:
  /// A partition that was known and is read to its end.
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
    told_idle_ = false;
    const auto& times = rows->columns[spec_.time_column];
    const auto* values = times.data<micros>();
    set_count(rows->partitions, rows->partitions_ended, out);
    auto& clock = clocks_.rows_begin(rows->partition);
    auto own = clock.watermark;
    const micros others = clocks_.others(rows->partition);

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
    partition_clocks::rows_end(clock, own, now_);
    advance(std::min(own, others), out);
  }

  void hear(const partition_news& news, output& out) {
    set_count(news.partitions, news.ended, out);
    clocks_.set_quiet(news.quiet, now_);
  }

  /// What was sent holds for our partitions if all of them were known: a source that is quiet now
  /// need not have another row for it to go on. Those that there may be are known from the
  /// instances that had some that were.
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
    std::uint32_t count = 0;
    std::uint32_t ended = 0;
    for (auto number = subtask_; number < end; number += parallelism_, ++count) {
      if (had_ended(number))
        ended += ended == count ? 1 : 0;
      else if (!clocks_.known().contains(static_cast<std::uint32_t>(number / parallelism_)))
        return;
    }
    loaded_ = false;
    forget_ended(count, ended);
    if (sent_ != min_time)
      out.advance(sent_);
  }

  /// Else at the first batch or news after loading, which tell how many partitions there are: what
  /// was sent holds for them only if all were known. One that was not was read by another instance,
  /// which had promised nothing.
  void set_count(std::uint32_t partitions, std::uint32_t ended, output& out) {
    forget_ended(partitions, ended);
    if (!loaded_)
      return;
    loaded_ = false;
    if (clocks_.known().size() + ended < partitions)
      sent_ = min_time;
    else
      out.advance(sent_);
  }

  void forget_ended(std::uint32_t partitions, std::uint32_t ended) {
    gone_.clear();
    clocks_.set_count(partitions, ended, gone_);
    for (const auto partition : gone_)
      ended_.push_back({mark_, partition});
  }

  /// After processing time has gone on.
  void settle(output& out) {
    const bool idle = clocks_.all_idle();
    const auto merged = clocks_.merged();
    if (idle && told_idle_ && merged <= sent_)
      return;
    advance(merged, out);
    if (idle)
      out.idle();
    told_idle_ = idle;
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
  quiet_time quiet_;
  partition_clocks clocks_;
  micros now_ = min_time; ///< of the last tick; without ticks never
  micros sent_ = min_time;
  bool told_idle_ = false;      ///< and no rows have come since
  bool loaded_ = false;         ///< and what was sent has not been said again
  std::vector<reader> readers_; ///< of what was loaded
  change_mark mark_ = 1;
  std::vector<ended_partition> ended_; ///< that a save may hold
  std::vector<std::uint32_t> gone_;    ///< scratch
  operator_counters counters_;
};

} // namespace

std::unique_ptr<stream_operator> make_assign_watermarks(const assign_watermarks_spec& spec,
                                                        operator_context context,
                                                        const quiet_time& quiet) {
  return std::make_unique<assign_watermarks>(spec, context, quiet);
}

std::vector<sql_type> output_types_of(const assign_watermarks_spec&,
                                      const std::vector<std::vector<sql_type>>& inputs) {
  return inputs[0];
}

} // namespace ebb
