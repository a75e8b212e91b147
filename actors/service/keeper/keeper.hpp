/// Keeps the streams of a service: carries out what their lifecycles decide.
#pragma once

#include "actors/service/apply_plan.hpp"
#include "actors/service/keeper/keeper_world.hpp"
#include "actors/service/keeper/operations.hpp"
#include "actors/service/keeper/stream_slot.hpp"
#include "actors/service/lifecycle/placement_plan.hpp"
#include "actors/service/lifecycle/wake_queue.hpp"

#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <utility>
#include <vector>

namespace ebb {

/// Numbers of workers that one incarnation gives out.
constexpr std::uint64_t workers_an_incarnation = 1'000'000;

struct keeper_options {
  std::string data_folder;
  std::string files_folder; ///< relative paths of manifests start here
  std::uint64_t incarnation = 1;
  bool after_end = false; ///< the one before has ended, and its workers with it
  placement_limits placement;
  wake_queue_limits queue;
};

/// Used by one thread at a time; nothing blocks. Everything that is pure has been decided by
/// stream_lifecycle, wake_queue and placement_plan: here it happens.
class keeper {
public:
  keeper(keeper_options options, keeper_world& world);
  ~keeper();
  keeper(const keeper&) = delete;
  keeper& operator=(const keeper&) = delete;

  /// What the control database holds when the process starts.
  struct loaded {
    std::vector<std::pair<std::string, std::string>> names; ///< and uids
    std::vector<life_record> lives;
    std::vector<life_traits> traits;
    std::vector<kept_restore> restores;
  };

  void load(const loaded& all);

  void tick();
  /// `traceparent`: of the request whose rows came last; may be empty.
  void input_moved(const std::string& topic, const std::string& traceparent = {});

  // Manifests: durable already.

  void applied(const apply_plan& plan);

  // Workers. `worker`: the number in its name.

  using welcome_function = std::function<void(control_welcome)>;
  /// `welcome` is called before the worker gets orders: what it runs and nobody wants is refused.
  /// One that comes before `load` waits for it: nothing is known of its streams yet.
  void worker_here(std::uint64_t worker, const worker_hello& hello,
                   const welcome_function& welcome);
  void worker_gone(std::uint64_t worker);
  /// Workers of earlier control processes of which `living` are alive, and nobody else. When all of
  /// them have come back, what none of them has is started anew, and the answer is true; else ask
  /// again.
  [[nodiscard]] bool returned(const std::vector<std::uint64_t>& living);
  void worker_says(std::uint64_t worker, link_message&& what);

  // Persons. `done` is called when it has begun, with the operation's id, or has been refused.

  /// Of the request whose order comes next.
  void on_behalf_of(std::string traceparent) {
    behalf_ = std::move(traceparent);
  }

  using begun_function = std::function<void(const result<std::string>&)>;
  void sleep(const std::string& name, const begun_function& done);
  void wake(const std::string& name, const begun_function& done);
  void scale(const std::string& name, std::uint32_t parallelism, begun_function done);
  void savepoint(const std::string& name, const std::string& as, const begun_function& done);
  /// The wish is durable before `done` hears of it.
  void restore(const std::string& name, const restore_wish& wish, begun_function done);
  /// `done` when the stream is gone.
  void remove(const std::string& name, std::function<void(const result<std::string>&)> done);

  // Views.

  /// Null where there is none. Valid until the next call that is not const.
  [[nodiscard]] const stream_slot* find(const std::string& name) const;
  /// Qualified names of a namespace behind `after`, in order.
  [[nodiscard]] std::vector<const stream_slot*>
  list(const std::string& name_space, const std::string& after, std::size_t limit) const;
  /// Streams that read or write the topic, by name.
  [[nodiscard]] std::vector<std::string> users_of(const std::string& topic) const;
  [[nodiscard]] std::vector<std::string> why(const stream_slot& x) const;
  /// The workers that have its parts, in their order; none while it waits for them.
  [[nodiscard]] std::vector<std::uint64_t> workers_of(const stream_slot& x) const;
  [[nodiscard]] const operation* find_operation(const std::string& id) const;
  /// `changed` is called when the operation has ended; at once where it has.
  void await_operation(const std::string& id, std::function<void()> changed);
  /// Once, about then.
  void call_after(micros delay, std::function<void()> call);
  /// `take` gets each line that the stream logs, until it answers false; null when the stream is
  /// gone.
  void follow_lines(const std::string& uid, std::function<bool(const log_line*)> take);
  /// Has what was decided until now stored by the work that it gives to the control database next.
  void flush_events();
  [[nodiscard]] std::size_t count() const noexcept;

  /// All streams end with final checkpoints, then all workers; `done` when they have.
  void shut_down(std::function<void()> done);

private:
  using effect = lifecycle_effect;

  /// Of its uid, which lies in the slot alone: there are many slots.
  struct slot_hash {
    using is_transparent = void;

    std::size_t operator()(std::string_view uid) const noexcept {
      return std::hash<std::string_view>{}(uid);
    }

    std::size_t operator()(const std::unique_ptr<stream_slot>& x) const noexcept {
      return operator()(x->uid);
    }
  };

  struct slot_equal {
    using is_transparent = void;

    static std::string_view uid_of(std::string_view uid) noexcept {
      return uid;
    }

    static std::string_view uid_of(const std::unique_ptr<stream_slot>& x) noexcept {
      return x->uid;
    }

    template <class A, class B>
    bool operator()(const A& a, const B& b) const noexcept {
      return uid_of(a) == uid_of(b);
    }
  };

  stream_slot& add(const std::string& uid, const std::string& name, const life_traits& traits,
                   const life_record& life);
  /// Also makes it a reader of its topics.
  void take_traits(stream_slot& x, const life_traits& traits);
  void unlink_topics(const stream_slot& x);
  [[nodiscard]] std::shared_ptr<const lifecycle_policy> policy_for(const life_traits& x);
  stream_slot* by_uid(const std::string& uid);
  result<stream_slot*> by_name(const std::string& name);
  awake_part& awake(stream_slot& x);

  /// Carries out what the lifecycle wants, until it wants nothing. The slot may be gone then.
  void pump(stream_slot& x);
  void carry_out(stream_slot& x, effect& e);
  void record(const stream_slot& x, const effect& e);
  void compare(const stream_slot& x, const effect& e);
  void rewind(stream_slot& x, const effect& e);
  /// It cannot be: the stream goes on as it is.
  void drop_restore(stream_slot& x);
  void forget(stream_slot& x);
  void listen(stream_slot& x, bool on);
  void pump_queue();
  void pump_places();
  /// Of all parts of the placement, where all of them have a worker.
  void assign(const placement_key& key);
  void send_orders(const std::vector<placement_key>& all, start_stream order);
  /// Workers that the stream is to be spread over.
  [[nodiscard]] static std::uint32_t parts_for(const stream_slot& x);
  void set_timer(stream_slot& x);
  void arm_clock();
  void keep_event(const stream_slot& x, const char* kind, std::string text);
  void log(const stream_slot& slot, const log_line& x);
  void log(const stream_slot& slot, log_level level, std::string text);
  /// An order that the lifecycle takes or refuses at once, as an operation.
  void order(operation_kind what, const std::string& name, const begun_function& done,
             result<void> (stream_lifecycle::*give)(micros now));
  void check_operations(stream_slot& x);

  struct wished_savepoint {
    std::string operation;
    std::string uid;
    std::string as;
    std::uint64_t request;   ///< to the worker; 0 = it was not asked yet
    std::uint64_t placement; ///< that was asked
  };

  /// Those of a stream that can be made now.
  void take_savepoints(stream_slot& x);
  void ask_for_savepoint(const stream_slot& x, wished_savepoint& wish);
  void name_newest(const wished_savepoint& wish);
  void finish(const std::string& operation, const result<std::string>& how);
  void looked_after(stream_slot& x);

  void take(std::uint64_t worker, stream_started&& x);
  void take(std::uint64_t worker, stream_status&& x);
  void take(std::uint64_t worker, stream_ended&& x);
  void take(savepoint_made&& x);
  void take(log_line&& x);

  keeper_options options_;
  keeper_world& world_;
  std::unordered_set<std::unique_ptr<stream_slot>, slot_hash, slot_equal> streams_; ///< by uid
  std::map<std::string_view, stream_slot*> names_;                     ///< keys lie in the slots
  std::unordered_map<std::string, std::vector<stream_slot*>> readers_; ///< by topic
  std::set<std::pair<micros, stream_slot*>> timers_;
  std::map<std::pair<micros, std::string>, std::shared_ptr<const lifecycle_policy>> policies_;
  wake_queue queue_;
  placement_plan places_;
  std::unordered_map<std::uint64_t, std::string> connected_; ///< workers: where peers reach them
  bool loaded_ = false;
  std::map<std::uint64_t, std::pair<worker_hello, welcome_function>> early_; ///< came before that
  operations operations_;
  std::multimap<std::string, std::function<void()>> awaiting_;                 ///< by operation
  std::multimap<std::string, std::function<bool(const log_line*)>> followers_; ///< by stream
  std::multimap<micros, std::function<void()>> calls_;                         ///< by time
  std::vector<wished_savepoint> savepoints_;
  std::uint64_t next_request_ = 1;
  std::multimap<std::string, std::function<void(const result<std::string>&)>> removing_; ///< by uid
  std::vector<told_event> events_; ///< not stored yet
  micros flush_at_ = max_time;
  micros clock_ = max_time; ///< for which the world was asked
  bool ending_ = false;
  std::function<void()> shut_down_; ///< waits for the workers that are connected
  bool pumping_places_ = false;
  std::string behalf_; ///< traceparent of a person's order
};

} // namespace ebb
