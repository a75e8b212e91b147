/// A model of the service around the lifecycle of streams: topics, a durable database, a control
/// process and workers that can die at any instant, persons and producers. Everything that can
/// happen next is an action; who drives the world chooses.
#pragma once

#include "actors/service/lifecycle/placement_plan.hpp"
#include "actors/service/lifecycle/stream_lifecycle.hpp"
#include "actors/service/lifecycle/wake_queue.hpp"

#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

namespace ebb::model {

/// A promise was broken.
struct violation : std::runtime_error {
  using std::runtime_error::runtime_error;
};

enum class act : std::uint8_t {
  // What goes by itself.
  effect,         ///< the control process carries out the next effect of stream a
  job,            ///< a job of its I/O threads is done
  answer,         ///< answer b for stream a is handled
  notice,         ///< the subscription of stream a tells
  to_worker,      ///< the next message on the link to worker a
  to_control,     ///< the next message on the link from worker a
  run,            ///< run b of worker a takes a step
  commit,         ///< the same makes a checkpoint
  say,            ///< the same says its status, or again that it has ended
  connect,        ///< worker a has started, or its link is there again
  see_death,      ///< the control process sees that worker a is dead
  thaw,           ///< worker a goes on
  miss_heartbeat, ///< the control process kills worker a, which is frozen
  start_control,
  pass_time, ///< until something is due
  // What others do to it.
  append,       ///< to topic a; b: it sets a timer
  kill_control, ///< b: jobs under way take effect
  kill_worker,
  freeze,
  cut_link,
  lose_to_worker,
  lose_to_control,
  fail_job,  ///< b: it has taken effect all the same
  fail_run,  ///< run b of worker a; in a way that another try heals
  spoil_run, ///< the same, in one that it does not
  sleep,     ///< a person, to stream a
  wake,
  stop,
  define,
  restore, ///< b: a savepoint that there is not
  remove,
};
inline constexpr auto acts = static_cast<std::size_t>(act::remove) + 1;

/// Does not happen by itself.
[[nodiscard]] constexpr bool is_adverse(act x) noexcept {
  return x >= act::append;
}

struct action {
  act what = act::pass_time;
  std::uint32_t a = 0;
  std::uint32_t b = 0;
};

[[nodiscard]] std::string to_string(const action& x);

struct stream_settings {
  std::vector<std::uint32_t> topics;
  std::int64_t finish_at = INT64_MAX; ///< its input ends at this many rows of its first topic
  std::shared_ptr<const lifecycle_policy> policy;
};

struct world_settings {
  std::uint32_t topics = 1;
  std::vector<stream_settings> streams;
  placement_limits placement;
  wake_queue_limits queue;
  micros status_every = 5 * micros_per_second;
  micros timer_delay = 20 * micros_per_second;
};

class world {
public:
  explicit world(world_settings settings);

  /// All that can happen now; adverse ones only on demand, once for each place where they can.
  void list_actions(std::vector<action>& out, bool adverse) const;
  /// Throws `violation`.
  void carry_out(const action& x);
  /// When something is due next by itself; max_time = never.
  [[nodiscard]] micros next_time() const;
  /// Nothing is under way, and nothing will be without somebody.
  [[nodiscard]] bool is_quiet() const;
  /// All that was appended has been read and applied, all timers have fired. Throws `violation`.
  void check_end() const;
  /// Worlds with the same digest go on in the same way.
  [[nodiscard]] std::uint64_t digest() const;
  /// What each stream says of itself.
  [[nodiscard]] std::string describe() const;

  [[nodiscard]] micros now() const noexcept {
    return now_;
  }

  [[nodiscard]] const stream_lifecycle* lifecycle(std::uint32_t stream) const {
    return control_ ? control_->lives[stream].get() : nullptr;
  }

private:
  struct stored_stream {
    lifecycle_record record;
    std::uint64_t definition = 1;
    std::uint64_t generation = 0;
    std::vector<std::int64_t> positions;
    std::multiset<micros> timers;
    bool open = false; ///< a run may have changed something since the last cut
    bool applied = true;
    std::vector<std::int64_t> saved_positions; ///< the savepoint
    std::multiset<micros> saved_timers;
    std::uint64_t placed_max = 0; ///< highest placement that was ever placed
    bool gone = false;
  };

  struct job {
    std::uint32_t stream = 0;
    lifecycle_effect effect;
  };

  struct answer {
    lifecycle_effect::kind what;
    std::uint32_t number = 0;
    bool done = true;
    ec problem = ec::io;
    comparison found = comparison::nothing;
  };

  struct control_process {
    control_process(const world_settings& x, std::uint64_t incarnation, micros now)
        : queue(x.queue), plan(x.placement, incarnation << 16, now,
                               incarnation == 1 ? 0 : now + micros_per_second) {}

    std::vector<std::unique_ptr<stream_lifecycle>> lives;
    std::vector<std::deque<lifecycle_effect>> effects;
    std::vector<std::vector<answer>> answers;
    std::vector<bool> armed;
    std::vector<micros> noticed; ///< an append that the subscription tells; 0 = none
    std::vector<job> jobs;
    std::map<placement_key, std::uint64_t> definitions;
    std::map<placement_key, std::uint64_t> sayers; ///< who spoke of it last
    std::set<placement_key> killed;
    wake_queue queue;
    placement_plan plan;
  };

  enum class run_state : std::uint8_t { begin, working, applying, ended };

  struct run {
    run_state state = run_state::begin;
    bool stop = false;
    bool final = false;
    bool asked = false; ///< its end was asked for
    std::uint64_t generation = 0;
    std::uint64_t definition = 0;
    std::vector<std::int64_t> positions;
    std::multiset<micros> timers;
    bool dirty = false;
    std::uint64_t activity = 0;
    std::uint64_t said_activity = UINT64_MAX;
    micros say_at = 0;
    run_end end;
  };

  enum class word : std::uint8_t {
    assign,
    stop,
    drop,
    release,
    end,
    hello,
    started,
    status,
    ended,
    dropped
  };

  struct message {
    word what;
    std::uint32_t stream = 0;
    std::uint64_t placement = 0;
    std::uint64_t definition = 0;
    std::uint64_t generation = 0;
    run_status status = {};
    run_end end = {};
  };

  using run_key = std::pair<std::uint32_t, std::uint64_t>; ///< stream, placement

  struct worker {
    bool alive = true;
    bool frozen = false;
    bool linked = false;
    std::map<run_key, run> runs;
    std::deque<message> to_worker;
    std::deque<message> to_control;
  };

  void start_control();
  void kill_control(bool effective);
  void collect(std::uint32_t stream);
  void carry_out_plan();
  void carry_out_queue();
  void do_effect(std::uint32_t stream);
  void do_job(std::size_t number, bool effective, bool reported);
  void do_record(std::uint32_t stream, const lifecycle_record& x);
  void do_answer(std::uint32_t stream, std::uint32_t number);
  void do_person(act what, std::uint32_t stream, std::uint32_t b);
  void connect(std::uint64_t number);
  void hear(std::uint64_t from, const message& x);
  void obey(worker& w, const message& x);
  void say(worker& w, const message& x);
  void tell(std::uint64_t to, const message& x);
  void step(worker& w, const run_key& key, run& r);
  void commit(worker& w, const run_key& key, run& r);
  void say_status(worker& w, const run_key& key, run& r);
  void end_run(worker& w, const run_key& key, run& r, run_end end);
  [[nodiscard]] bool call(worker& w, const run_key& key, run& r);
  [[nodiscard]] bool has_input(std::uint32_t stream, const run& r) const;
  [[nodiscard]] bool can_step(std::uint32_t stream, const worker& w, const run& r) const;
  [[nodiscard]] bool is_finished(std::uint32_t stream, const run& r) const;
  [[nodiscard]] bool has_read_all(std::uint32_t stream) const;
  void check_step() const;

  world_settings settings_;
  micros now_ = micros_per_second;
  std::vector<std::vector<micros>>
      topics_; ///< per row the delay of the timer that it sets; 0 = none
  std::vector<stored_stream> stored_;
  std::uint64_t incarnation_ = 0;
  std::unique_ptr<control_process> control_;
  std::map<std::uint64_t, worker> workers_;
};

} // namespace ebb::model
