/// What a subtask keeps of its steps and edges; private to subtask*.cpp.
#pragma once

#include "actors/dataflow/checked_sink.hpp"
#include "actors/dataflow/subtask.hpp"

namespace ebb {

struct subtask::step {
  std::string name;
  std::vector<std::string> change_sources;
  std::unique_ptr<source_reader> source;
  std::unique_ptr<stream_operator> op;
  std::unique_ptr<sink_writer> sink;

  // Input side.
  std::size_t inputs = 0;
  std::deque<stream_item> queue;
  std::optional<watermark_merge> merge; ///< where there are several inputs
  std::size_t ends = 0;

  // Output side.
  std::vector<port> users;
  std::vector<std::uint32_t> edges;
  micros watermark = min_time; ///< last sent on; of a sink: last arrived
  bool is_idle = false;
  bool ended = false;

  // Operators.
  std::optional<std::uint16_t> number;
  /// Its change mark at each epoch from the base on.
  std::vector<std::pair<epoch_number, change_mark>> marks;
  stream_item current; ///< being worked on while `more`
  bool wished = false; ///< for the front of the queue: what it needs of restored state
  bool more = false;
  bool ticks = false;
  micros last_tick = min_time;
  const event_timer* timer = nullptr;  ///< the operator, where it is one
  const source_clock* clock = nullptr; ///< the operator, where it is one
  step* reads = nullptr;               ///< of a clock: its source
  micros reached = min_time;           ///< of a timer: the input's watermark
  micros reached_at = min_time;        ///< and the processing time at which it came

  // Sources.
  step* told = nullptr; ///< the clock that hears of its partitions
  read_status status;
  aligned_source alignment;
  std::uint32_t time_step = 0;
  bool stopped = false;

  // Sources and sinks: `wake` was called since the last look.
  bool woken = false;

  // Sinks.
  const checked_sink* checked = nullptr; ///< null = it finds nothing behind its calls
  bool unchecked = false;                ///< `wake` was called since it was asked
  bool sealing = false; ///< `seal` was called and `sealed` has not answered
  epoch_number sealing_epoch = 0;
  /// Sealed, and not in a record as far as is known.
  std::vector<std::pair<epoch_number, sealed_output>> outputs;
  bool finishing = false;
  bool finished = false;

  [[nodiscard]] bool source_done() const noexcept {
    return ended || stopped;
  }

  /// After a read, or instead of one.
  void tell_position() {
    const auto read = source->counters();
    alignment.has_read(amount_read(read.rows, read.bytes),
                       !source_done() && (status.what == read_status::kind::more || status.coming),
                       ended);
  }

  /// A source of which nothing more is known than what it has said.
  [[nodiscard]] bool waits() const noexcept {
    return status.what == read_status::kind::waiting && !woken;
  }

  /// It need not be read now.
  [[nodiscard]] bool at_rest(micros now) const noexcept {
    return waits() && now < status.until;
  }

  [[nodiscard]] bool backlogged() const {
    return sink->backlog() > sink_backlog_max;
  }
};

/// A snapshot in the making.
struct subtask::checkpoint {
  /// One operator's save.
  struct save {
    std::size_t step = 0;
    change_mark since = 0;
    bool frozen = false;          ///< steps may run meanwhile
    std::uint32_t next_group = 0; ///< where not frozen
  };

  subtask_snapshot made;
  std::vector<save> saves; ///< the last is worked on; those that stop steps come last
  bool save_turn = false;  ///< saving and steps take turns
};

struct subtask::edge {
  struct channel {
    credit_ledger ledger;
    std::deque<channel_item> waiting; ///< for credit
  };

  edge(const subtask_output& output, const subtask_parts& parts)
      : partition(output.partition, parts.limits),
        channels(output.partition.targets, channel{credit_ledger(parts.channel_window), {}}) {}

  partitioner partition;
  std::vector<channel> channels;
  bool closed = false;
};

/// Sends what there is credit for; the rest waits in its channel.
class subtask::edge_sender final : public channel_sender {
public:
  edge_sender(subtask& owner, std::uint32_t index)
      : owner_(owner), index_(index), edge_(*owner.edges_[index]) {}

  void send(std::uint32_t target, channel_item item) override {
    auto& x = edge_.channels[target];
    if (x.waiting.empty() && x.ledger.may_send(item.bytes)) {
      pass(target, std::move(item));
      return;
    }
    if (x.waiting.empty())
      ++owner_.blocked_channels_;
    x.waiting.push_back(std::move(item));
  }

  /// After credit has come back.
  void resume(std::uint32_t target) {
    auto& x = edge_.channels[target];
    if (x.waiting.empty())
      return;
    while (!x.waiting.empty() && x.ledger.may_send(x.waiting.front().bytes)) {
      pass(target, std::move(x.waiting.front()));
      x.waiting.pop_front();
    }
    if (x.waiting.empty())
      --owner_.blocked_channels_;
  }

private:
  void pass(std::uint32_t target, channel_item item) {
    edge_.channels[target].ledger.sent(item.bytes);
    owner_.outgoing_.push_back({index_, target, std::move(item)});
  }

  subtask& owner_;
  std::uint32_t index_;
  edge& edge_;
};

/// What an operator or source emits into.
class subtask::step_output final : public output, public news_output {
public:
  step_output(subtask& owner, step& from) : owner_(owner), from_(from) {}

  void emit(batch_ptr rows) override {
    if (rows->rows != 0) {
      emitted_ = true;
      owner_.emit(from_, std::move(rows));
    }
  }

  void advance(micros watermark) override {
    owner_.advance(from_, watermark);
  }

  void idle() override {
    owner_.idle(from_);
  }

  void tell(const partition_news& x) override {
    owner_.tell(from_, x);
  }

  [[nodiscard]] bool emitted() const noexcept {
    return emitted_;
  }

private:
  subtask& owner_;
  step& from_;
  bool emitted_ = false;
};

} // namespace ebb
