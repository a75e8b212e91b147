/// One instance of a stage: its fused steps, run one bounded piece of work at a time.
///
/// Pure: no clock, no thread, no actor. The host feeds arrivals, credit and wakes, calls `work`
/// until it has nothing more to do, and carries out what it finds in `take_outgoing` and
/// `take_credits`. Used by one thread at a time.
#pragma once

#include "actors/dataflow/barrier_aligner.hpp"
#include "actors/dataflow/cold_ranges.hpp"
#include "actors/dataflow/credit_ledger.hpp"
#include "actors/dataflow/endpoint.hpp"
#include "actors/dataflow/event_timer.hpp"
#include "actors/dataflow/exchange.hpp"
#include "actors/dataflow/input_gate.hpp"
#include "actors/dataflow/operator.hpp"
#include "actors/dataflow/partition_news.hpp"
#include "actors/dataflow/snapshot.hpp"
#include "actors/dataflow/source_alignment.hpp"

#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

namespace ebb {

/// Where a step's input comes from: an earlier step of the subtask, or one of its inputs.
struct subtask_link {
  bool from_outside = false;
  std::uint32_t index = 0;
};

/// One fused step. Sources have no inputs; sinks feed nothing.
struct subtask_step {
  std::string name; ///< of the manifest's source, operator or sink
  std::variant<std::unique_ptr<source_reader>, std::unique_ptr<stream_operator>,
               std::unique_ptr<sink_writer>>
      body;
  std::vector<subtask_link> inputs;
  /// Operators with state: the stream's number for it, the same at any parallelism.
  std::optional<std::uint16_t> operator_number;
  aligned_source alignment;
  std::uint32_t time_step = 0; ///< whose watermark is that of the rows read
  /// Operators: sources whose changes come here as they were read, for messages of wrong ones.
  std::vector<std::string> change_sources = {};
};

/// Rows of a step that leave the subtask.
struct subtask_output {
  std::uint32_t from_step = 0;
  partition_spec partition;
};

/// What a subtask is built from. Steps are in topological order.
struct subtask_parts {
  std::string stream; ///< for messages
  std::vector<subtask_step> steps;
  std::vector<std::uint32_t> inputs; ///< channels of each input from outside
  /// Input and channel behind which no partition lies; some other channel of the input has one.
  std::vector<std::pair<std::uint32_t, std::uint32_t>> without_rows = {};
  std::vector<subtask_output> outputs;
  std::size_t channel_window = credit_ledger::default_window;
  batch_limits limits;
  /// It takes part in checkpoints and does not finish before `conclude`.
  bool checkpoints = false;
  /// Watermarks go with processing time where no rows come.
  bool advances = false;
  /// Key groups that its operators own: [first_key_group, last_key_group).
  std::uint16_t first_key_group = 0;
  std::uint16_t last_key_group = 128;
};

/// An item for channel `target` of output `output`.
struct outgoing_item {
  std::uint32_t output = 0;
  std::uint32_t target = 0;
  channel_item item;
};

/// Credit to return to the sender of channel `channel` of input `input`.
struct returned_credit {
  std::uint32_t input = 0;
  std::uint32_t channel = 0;
  std::size_t bytes = 0;
};

enum class work_state : std::uint8_t {
  ready,    ///< call again
  waiting,  ///< for an arrival, a wake or `next_time`
  blocked,  ///< for credit, or for a sink's backlog
  drained,  ///< with checkpoints: all input is worked off; waits for `conclude`
  finished, ///< everything was sent and written
};

/// Counters of one step; which are filled depends on what the step is.
struct step_stats {
  operator_counters rows;
  source_counters source;
  sink_counters sink;
  /// Of a step that assigns watermarks.
  std::optional<watermark_holder> held = std::nullopt;
};

/// When a subtask has something to do though nothing arrives, also where it does not run meanwhile.
/// Processing time.
struct subtask_alarm {
  micros at = max_time; ///< a timer of its own; max_time = none
  /// Its windows, if watermarks go with processing time from now on; max_time = none are open.
  micros windows = max_time;
  /// Its sources' watermarks do from here on; min_time = they do, or there are none.
  micros advances_from = min_time;
};

class subtask {
public:
  explicit subtask(subtask_parts parts);
  ~subtask();
  subtask(const subtask&) = delete;
  subtask& operator=(const subtask&) = delete;

  /// An item arrived. The sender holds its credit until `take_credits` gives it back.
  void receive(std::uint32_t input, std::uint32_t channel, channel_item item);
  /// The consumer of a channel has taken `bytes`.
  void credit(std::uint32_t output, std::uint32_t target, std::size_t bytes);
  /// A source may have rows again, or a sink has written some.
  void wake();

  /// One step of one operator, source or sink, always the most downstream one that has work, so
  /// that the queues between steps stay short. `now`: processing time, never falling. After an
  /// error only `abandon` may be called.
  [[nodiscard]] result<work_state> work(micros now);

  /// Sends small batches to consumers that have nothing left to do. Call before pausing.
  void flush_idle();

  /// Sources stop, nothing fires; what is in flight goes on to the sinks, which then finish.
  void interrupt();
  /// The stream has failed: sinks give up.
  void abandon();

  /// The coordinator asks for a checkpoint: what changed after epoch `base`, the last recorded one
  /// (0 = none), or, for `whole`, what replaces all that is recorded. A higher epoch supersedes one
  /// under way; a lower one is ignored. Operators remember 15 epochs after the base: then `whole`
  /// must be asked for.
  void begin_checkpoint(epoch_number epoch, epoch_number base, bool whole);
  /// The snapshot, once it is complete.
  [[nodiscard]] std::optional<subtask_snapshot> take_snapshot();
  /// The final checkpoint is committed: sinks finish.
  void conclude();

  // Restoring, before the first `work`. Entries of operators that the stream no longer has mean
  // nothing. With `cold`, only what must come first is loaded when it goes on.
  [[nodiscard]] result<void> load(const state_chunk::entry& entry);
  /// States (`state_number`) of which the entry with the empty key of each key group comes first.
  [[nodiscard]] std::vector<std::uint16_t> first_states() const;
  /// Numbers of operators of which all comes first.
  [[nodiscard]] std::vector<std::uint16_t> first_operators() const;
  [[nodiscard]] bool has_state() const noexcept;
  /// Some operator's state need not all come first.
  [[nodiscard]] bool loads_late() const noexcept;

  /// [first, last).
  [[nodiscard]] std::pair<std::uint16_t, std::uint16_t> key_groups() const noexcept {
    return {first_key_group_, last_key_group_};
  }

  /// Operators go on where they were at `epoch`. `cold`: the ranges of the rest; null = none.
  void resume(epoch_number epoch, std::unique_ptr<cold_ranges> cold);

  /// Ranges of restored state to read now, at most so many; empty = none, for now.
  [[nodiscard]] std::vector<cold_span> take_reads(std::size_t most);
  /// The entries of ranges that were taken.
  [[nodiscard]] result<void> read(const state_chunk& entries, const std::vector<cold_span>& ranges);

  /// Nothing is left to be read.
  [[nodiscard]] bool all_loaded() const noexcept {
    return cold_ == nullptr;
  }

  /// Moves out what must be sent, in order.
  void take_outgoing(std::vector<outgoing_item>& out);
  void take_credits(std::vector<returned_credit>& out);

  /// Processing time at which to call `work` though nothing arrives; max_time = none.
  [[nodiscard]] micros next_time() const;
  [[nodiscard]] subtask_alarm alarm() const;

  [[nodiscard]] std::vector<step_stats> stats() const;
  /// The lowest watermark that arrived at a sink; max_time without sinks.
  [[nodiscard]] micros watermark() const noexcept;
  /// Bytes that arrived on an input and were not taken yet.
  [[nodiscard]] std::size_t queued_bytes(std::uint32_t input) const;
  [[nodiscard]] std::size_t in_flight(std::uint32_t output, std::uint32_t target) const;

  /// The input was cut off by an interrupt before its end.
  [[nodiscard]] bool cut() const noexcept;

private:
  struct step;
  struct edge;
  struct checkpoint;
  class step_output;
  class edge_sender;
  class entry_sink;
  class wishes;

  /// A step's input.
  struct port {
    std::uint32_t step = 0;
    std::uint32_t input = 0;
  };

  void connect(const subtask_parts& parts);
  static void say_first(step& x);
  [[nodiscard]] result<void> check_sinks();
  [[nodiscard]] result<work_state> work_on_rows(micros now);
  [[nodiscard]] result<bool> work_on(step& x, micros now);
  [[nodiscard]] result<void> run_operator(step& x, micros now);
  [[nodiscard]] result<void> run_sink(step& x);
  [[nodiscard]] result<void> finish_sink(step& x);
  [[nodiscard]] result<bool> take_input(micros now);
  [[nodiscard]] result<bool> read_source(step& x, micros now);
  [[nodiscard]] bool tick_due(const step& x, micros now) const;
  static void note_reached(step& x, micros now);
  void take_arrival(std::uint32_t input);
  [[nodiscard]] result<work_state> drain();
  [[nodiscard]] result<work_state> finish_sinks();
  [[nodiscard]] step* owner_of(std::uint16_t state) const noexcept;
  [[nodiscard]] result<void> load_into(step& x, const state_chunk::entry& entry);
  [[nodiscard]] bool wish_for(step& x, const stream_item& item);
  void wish_whole();
  void cut_around(std::uint16_t number);
  void end_loading();
  void carry_out(const barrier_aligner::effect& x, std::uint32_t input, std::uint32_t channel);
  [[nodiscard]] bool inputs_taken() const noexcept;
  [[nodiscard]] result<void> cut_epoch();
  void erase_all(const step& x);
  [[nodiscard]] bool saving() const noexcept;
  [[nodiscard]] bool saving_stopped() const noexcept;
  void save_more();
  [[nodiscard]] result<void> poll_sealed();
  [[nodiscard]] error named(error problem, const step& x) const;

  void emit(step& x, batch_ptr rows);
  void advance(step& x, micros watermark);
  void idle(step& x);
  void tell(step& x, const partition_news& news);
  void end(step& x);
  void deliver(const std::vector<port>& users, const stream_item& item);
  void enqueue(port to, stream_item item);

  std::string stream_;
  std::vector<std::unique_ptr<step>> steps_;
  std::vector<input_gate> gates_;
  std::vector<std::vector<port>> gate_users_;
  std::vector<std::unique_ptr<edge>> edges_;
  std::vector<std::uint32_t> sources_; ///< steps
  std::vector<std::uint32_t> sinks_;   ///< steps
  std::vector<outgoing_item> outgoing_;
  std::vector<returned_credit> credits_;
  std::vector<stream_item> taken_; ///< scratch of take_arrival
  bool checkpoints_;
  bool advances_;
  std::uint16_t first_key_group_;
  std::uint16_t last_key_group_;
  barrier_aligner aligner_;
  std::unique_ptr<cold_ranges> cold_; ///< restored state that is not loaded yet
  epoch_number base_ = 0;             ///< of the epoch requested last
  bool whole_ = false;
  std::unique_ptr<checkpoint> checkpoint_; ///< from the cut until the snapshot is taken
  bool concluded_ = false;
  std::uint32_t blocked_channels_ = 0; ///< channels with items that wait for credit
  std::size_t turn_ = 0;               ///< of inputs and sources, one after the other
  bool interrupted_ = false;
};

} // namespace ebb
