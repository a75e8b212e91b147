/// Sources, operators and sinks that do what a test tells them.
#pragma once

#include "actors/dataflow/checked_sink.hpp"
#include "actors/dataflow/endpoint.hpp"
#include "actors/dataflow/operator.hpp"
#include "tests/support/rows.hpp"

#include <algorithm>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

namespace ebb::test {

/// What a scripted source does in one read.
using source_action = std::function<result<read_status>(micros now, output& out)>;

inline source_action emit_rows(batch_ptr rows) {
  return [=](micros, output& out) -> result<read_status> {
    out.emit(rows);
    return read_status{};
  };
}

inline source_action emit_watermark(micros time) {
  return [=](micros, output& out) -> result<read_status> {
    out.advance(time);
    return read_status{};
  };
}

inline source_action wait_until(micros time) {
  return [=](micros, output&) -> result<read_status> {
    return read_status{read_status::kind::waiting, time};
  };
}

inline source_action fail_with(error problem) {
  return [=](micros, output&) -> result<read_status> { return problem; };
}

/// Performs its actions one a read, then is finished.
class scripted_source final : public source_reader {
public:
  explicit scripted_source(std::vector<source_action> script, std::uint32_t partitions = 1)
      : script_(std::move(script)), partitions_(partitions) {}

  result<read_status> read(micros now, step_budget&, output& out) override {
    if (next_ == script_.size())
      return read_status{read_status::kind::finished};
    auto status = script_[next_++](now, out);
    if (status)
      ++counters_.rows;
    return status;
  }

  [[nodiscard]] source_counters counters() const override {
    return counters_;
  }

  [[nodiscard]] std::uint32_t partitions() const override {
    return partitions_;
  }

private:
  std::vector<source_action> script_;
  std::uint32_t partitions_;
  std::size_t next_ = 0;
  source_counters counters_;
};

/// Passes everything on; writes what it saw into `trace` as `b3 w7 i t5 e` with the input's number
/// in front where there are several.
class passing_operator final : public stream_operator {
public:
  explicit passing_operator(std::string* trace = nullptr, bool ticks = false,
                            micros next_tick = max_time)
      : trace_(trace), ticks_(ticks), next_tick_(next_tick) {}

  result<bool> step(stream_item* item, step_budget&, output& out) override {
    switch (item->kind) {
    case item_kind::batch:
      note('b', std::to_string(item->rows->rows));
      counters_.rows_in += item->rows->rows;
      counters_.rows_out += item->rows->rows;
      out.emit(std::move(item->rows));
      break;
    case item_kind::watermark:
      note('w', item->time == max_time ? "max" : std::to_string(item->time));
      out.advance(item->time);
      break;
    case item_kind::idle:
      note('i', "");
      out.idle();
      break;
    case item_kind::tick:
      note('t', std::to_string(item->time));
      if (item->time >= next_tick_)
        next_tick_ = max_time;
      break;
    case item_kind::end:
      note('e', "");
      break;
    }
    return false;
  }

  [[nodiscard]] bool wants_ticks() const noexcept override {
    return ticks_;
  }

  [[nodiscard]] micros next_tick() const noexcept override {
    return next_tick_;
  }

  [[nodiscard]] operator_counters counters() const override {
    return counters_;
  }

private:
  void note(char what, const std::string& text) {
    if (trace_ == nullptr)
      return;
    if (!trace_->empty())
      *trace_ += ' ';
    *trace_ += what + text;
  }

  std::string* trace_;
  bool ticks_;
  micros next_tick_;
  operator_counters counters_;
};

/// Holds all rows and emits them, `step` rows at a time, when the watermark is at its end: a window
/// without bounds.
class holding_operator final : public stream_operator {
public:
  explicit holding_operator(std::uint32_t inputs = 1) : watermarks_(inputs, min_time) {}

  result<bool> step(stream_item* item, step_budget& budget, output& out) override {
    if (item != nullptr && item->kind == item_kind::batch) {
      counters_.rows_in += item->rows->rows;
      held_.push_back(std::move(item->rows));
      return false;
    }
    if (item != nullptr && item->kind == item_kind::watermark) {
      watermarks_[item->input] = item->time;
      firing_ = *std::min_element(watermarks_.begin(), watermarks_.end()) == max_time;
    }
    if (!firing_)
      return false;
    while (next_ < held_.size()) {
      if (budget.rows == 0)
        return true;
      budget.rows -= std::min(budget.rows, held_[next_]->rows);
      counters_.rows_out += held_[next_]->rows;
      out.emit(held_[next_++]);
    }
    firing_ = false;
    out.advance(max_time);
    return false;
  }

  [[nodiscard]] operator_counters counters() const override {
    return counters_;
  }

private:
  std::vector<micros> watermarks_;
  std::vector<batch_ptr> held_;
  std::size_t next_ = 0;
  bool firing_ = false;
  operator_counters counters_;
};

/// Passes rows until row number `at`, where it fails.
class failing_operator final : public stream_operator {
public:
  explicit failing_operator(std::uint64_t at) : at_(at) {}

  result<bool> step(stream_item* item, step_budget&, output& out) override {
    if (item->kind != item_kind::batch) {
      if (item->kind == item_kind::watermark)
        out.advance(item->time);
      return false;
    }
    seen_ += item->rows->rows;
    if (seen_ >= at_)
      return make_error(ec::evaluation, "division by zero");
    out.emit(item->rows);
    return false;
  }

  [[nodiscard]] operator_counters counters() const override {
    return {};
  }

private:
  std::uint64_t at_;
  std::uint64_t seen_ = 0;
};

/// What a sink got; shared by the subtasks of the sink.
struct sink_log {
  std::mutex mutex;
  std::vector<std::int64_t> values; ///< column 0
  std::uint32_t finished = 0;
  std::uint32_t abandoned = 0;

  [[nodiscard]] std::vector<std::int64_t> sorted() {
    std::lock_guard guard(mutex);
    auto result = values;
    std::sort(result.begin(), result.end());
    return result;
  }
};

class logging_sink final : public sink_writer, public checked_sink {
public:
  explicit logging_sink(sink_log& log) : log_(log) {}

  result<void> write(const batch_ptr& rows) override {
    std::lock_guard guard(log_.mutex);
    for (const auto v : values_of(*rows))
      log_.values.push_back(v);
    counters_.rows += rows->rows;
    counters_.bytes += byte_size(*rows);
    return {};
  }

  [[nodiscard]] std::size_t backlog() const override {
    return backlog_;
  }

  result<bool> finish() override {
    if (finish_delays_ > 0) {
      --finish_delays_;
      return false;
    }
    std::lock_guard guard(log_.mutex);
    ++log_.finished;
    return true;
  }

  result<void> check() const override {
    return problem_ ? result<void>(*problem_) : result<void>{};
  }

  void abandon() override {
    std::lock_guard guard(log_.mutex);
    ++log_.abandoned;
  }

  [[nodiscard]] sink_counters counters() const override {
    return counters_;
  }

  std::size_t backlog_ = 0;
  std::uint32_t finish_delays_ = 0;
  std::optional<error> problem_; ///< found in the background

private:
  sink_log& log_;
  sink_counters counters_;
};

} // namespace ebb::test
