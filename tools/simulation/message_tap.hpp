/// Between the mailboxes and the actors: loses, doubles, delays and remembers messages.
#pragma once

#include "actors/runtime/supervisor.hpp"
#include "tools/simulation/dice.hpp"
#include "tools/simulation/process.hpp"

#include <caf/mailbox_element.hpp>
#include <caf/message.hpp>
#include <caf/scheduled_actor.hpp>

#include <deque>
#include <map>
#include <tuple>
#include <vector>

namespace ebb::sim {

/// Knows the actors of one generation by what they are told. Messages of checkpoints may be lost,
/// come twice or late; batches and credit come late at most, and in order.
class message_tap {
public:
  message_tap(dice& random, trace& log) : random_(random), log_(log) {}

  /// A new generation. What is delayed for the old one comes to nobody.
  void begin(generation_number generation, const fault_rates& rates,
             const std::vector<subtask_wiring>& wiring, std::size_t window,
             caf::actor_id supervisor);

  /// Another process of the generation is looked after by this actor.
  void add_part(caf::actor_id supervisor) {
    part_supervisors_.push_back(supervisor);
  }

  /// The actor is about to handle its next message. False: it must not run now (again: it may be
  /// asked once more), since the message was taken away or the actor killed.
  bool pass(caf::scheduled_actor& actor, micros now);

  /// Delivers what has been delayed until now, and now and then something of an older generation.
  void deliver(micros now);
  [[nodiscard]] micros next_time() const;

  /// A message is gone that nobody sends again: only a new generation helps.
  [[nodiscard]] bool needs_restart() const noexcept {
    return needs_restart_;
  }

  [[nodiscard]] bool supervisor_killed() const noexcept {
    return supervisor_killed_;
  }

  void drop_delayed();

  [[nodiscard]] std::uint64_t faults() const noexcept {
    return faults_;
  }

private:
  enum class kind : std::uint8_t {
    other,
    arrival,
    credit,
    request,
    part,
    written,
    done,
    drained,
    conclude,
  };

  enum class role : std::uint8_t { none, coordinator, writer, subtask };

  struct place {
    role what = role::none;
    std::uint32_t number = 0;
  };

  struct late {
    micros at = 0;
    caf::strong_actor_ptr to;
    caf::mailbox_element_ptr what;
  };

  /// All messages from one actor to another wait.
  struct held_link {
    micros at = 0;
    caf::strong_actor_ptr to;
    std::deque<caf::mailbox_element_ptr> what;
  };

  struct memory {
    generation_number generation = 0;
    place to;
    caf::message what;
  };

  [[nodiscard]] static kind kind_of(const caf::type_erased_tuple& x);
  [[nodiscard]] place place_of(caf::actor_id id) const;
  void learn(caf::scheduled_actor& actor, kind what, const caf::type_erased_tuple& x);
  void account(caf::actor_id to, kind what, const caf::type_erased_tuple& x);
  static void take_out(caf::actor_id from, held_link& link);
  void remember(const place& to, kind what, const caf::mailbox_element& x);

  [[nodiscard]] micros delay() {
    return static_cast<micros>(random_.below(random_.below(8) == 0 ? 300'000 : 10'000));
  }

  dice& random_;
  trace& log_;
  const fault_rates* rates_ = nullptr;
  generation_number generation_ = 0;
  caf::actor_id supervisor_ = 0;
  std::vector<caf::actor_id> part_supervisors_;
  const std::vector<subtask_wiring>* wiring_ = nullptr;
  std::size_t window_ = 0;
  std::map<caf::actor_id, place> places_;
  std::vector<caf::strong_actor_ptr> subtasks_;
  caf::strong_actor_ptr coordinator_;
  caf::strong_actor_ptr writer_;
  std::vector<late> late_;
  std::map<std::pair<caf::actor_id, caf::actor_id>, held_link> links_; ///< from, to
  std::vector<memory> memories_;
  /// Bytes on the way of each channel: by receiver, input, channel.
  std::map<std::tuple<std::uint32_t, std::uint32_t, std::uint32_t>, std::size_t> in_flight_;
  std::size_t largest_ = 0;
  bool needs_restart_ = false;
  bool supervisor_killed_ = false;
  std::uint64_t faults_ = 0;
};

} // namespace ebb::sim
