/// The actor around a subtask: carries items and credit between mailboxes and the pure object.
#pragma once

#include "actors/dataflow/subtask.hpp"
#include "actors/runtime/connector.hpp"
#include "actors/runtime/handles.hpp"
#include "actors/runtime/stats_board.hpp"
#include "actors/runtime/stored_state.hpp"
#include "actors/runtime/wake_target.hpp"

#include <caf/stateful_actor.hpp>

#include <functional>
#include <memory>
#include <vector>

namespace ebb {

/// Processing time in microseconds since 1970. Called from many threads.
using clock_function = std::function<micros()>;

/// How long a subtask works for one message: until either is reached. CAF lets an actor handle four
/// messages a turn, so a turn takes at most about 2 ms.
struct slice_limits {
  micros time = 500;
  std::uint32_t steps = 4096;
};

/// What a host is spawned with.
struct subtask_setup {
  generation_number generation = 1;
  std::uint32_t number = 0;           ///< among the stream's subtasks
  std::uint32_t part = 0;             ///< of the stream, whose process runs it
  std::shared_ptr<const void> keep;   ///< what the task's connectors use
  std::unique_ptr<subtask> task;      ///< null = of another part: only number and board count
  std::shared_ptr<wake_target> waker; ///< shared with the subtask's connectors
  std::shared_ptr<stats_board> board;
  clock_function clock;
  slice_limits slice;
  supervisor_actor supervisor;
  /// What the subtask reads of restored state, by jobs of `state_lane`; null = all is loaded.
  std::shared_ptr<stored_state> stored;
  io_executor* io = nullptr;
  std::uint64_t state_lane = 0;
  // With checkpoints; else null.
  coordinator_actor coordinator;
  snapshot_writer_actor writer;
};

/// Works in slices of less than a millisecond and goes to the end of its mailbox in between, so
/// that what has arrived meanwhile is taken in one go and other actors get their turn.
class subtask_host_state {
public:
  static inline const char* name = "subtask";

  explicit subtask_host_state(subtask_actor::pointer self) : self_(self) {}

  ~subtask_host_state();

  void open(subtask_setup setup);
  void connect(const subtask_links& links);
  void start();
  void receive(arrival& x);
  void credit(const credit_return& x);
  void run();
  void timer(std::uint64_t number);
  void wake();
  void interrupt();
  void checkpoint(const checkpoint_request& x);
  void conclude(generation_number generation);
  void take_state(state_read& x);
  void abandon();
  /// Tells the supervisor and quits.
  void fail(error problem);

private:
  /// A far end whose actor is known.
  struct peer {
    subtask_actor actor;
    std::uint32_t port = 0;
    std::uint32_t lane = 0;
    std::size_t owed = 0; ///< inputs: credit not returned yet
  };

  void schedule();
  void send_items();
  void collect_credits();
  void return_credits();
  void send_snapshot();
  void ask_state();
  void set_timer(work_state state);
  void publish();
  void count_wait(work_state state);
  void note_first_rows();

  subtask_actor::pointer self_;
  subtask_setup setup_;
  std::vector<std::vector<peer>> outputs_;
  std::vector<std::vector<peer>> inputs_;
  std::vector<outgoing_item> items_;     ///< scratch
  std::vector<returned_credit> credits_; ///< scratch
  std::size_t owed_ = 0;                 ///< over all inputs
  micros now_ = min_time;
  micros published_ = min_time;
  micros timer_at_ = max_time;     ///< of the timer under way
  std::uint64_t timer_number_ = 0; ///< older timers are ignored
  std::uint32_t reads_ = 0;        ///< of restored state, under way
  bool started_ = false;
  bool scheduled_ = false;
  bool drained_ = false; ///< and the coordinator knows
  bool stale_ = false;   ///< something happened since `published_`
  flow_counters flow_;
  micros aligned_ = 0;       ///< when the last barrier came, or went on
  micros blocked_since_ = 0; ///< 0 = it does not wait
  micros looked_ = min_time; ///< for first rows
};

/// The setup is taken out of the pointer.
subtask_actor::behavior_type subtask_host(subtask_actor::stateful_pointer<subtask_host_state> self,
                                          std::shared_ptr<subtask_setup> setup);

} // namespace ebb
