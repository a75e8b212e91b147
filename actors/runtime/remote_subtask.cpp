#include "actors/runtime/remote_subtask.hpp"

#include <caf/typed_event_based_actor.hpp>

#include <utility>

namespace ebb {

namespace {

template <class Self>
void end_with(Self self, const supervisor_actor& supervisor) {
  // Without its supervisor nobody would ever stop it.
  self->monitor(supervisor);
  self->set_down_handler([self](const caf::down_msg&) { self->quit(); });
}

peer_items to_items(std::uint32_t subtask, arrival& x) {
  peer_items result{subtask, x.input, x.channel, {}};
  result.items.reserve(x.items.size());
  for (auto& item : x.items)
    result.items.push_back({static_cast<std::uint8_t>(item.what), item.time, std::move(item.rows),
                            item.bytes, item.epoch});
  return result;
}

} // namespace

subtask_actor::behavior_type remote_subtask(subtask_actor::pointer self,
                                            const remote_subtask_setup& setup) {
  end_with(self, setup.supervisor);
  const auto is_current = [peers = setup.peers](generation_number x) {
    return x == peers->generation();
  };
  const auto send = [peers = setup.peers, part = setup.part](const peer_message& x) {
    peers->send(part, x);
  };
  const auto order = [send, number = setup.number](peer_order::kind what) {
    peer_order x;
    x.what = what;
    x.subtask = number;
    send(x);
  };
  return {
      // Its own process connects and starts it.
      [](const subtask_links&) {},
      [](start_atom) {},
      [send, is_current, number = setup.number](arrival& x) {
        if (is_current(x.generation))
          send(to_items(number, x));
      },
      [send, is_current, number = setup.number](const credit_return& x) {
        if (is_current(x.generation))
          send(peer_credit{number, x.output, x.target, x.bytes});
      },
      [](run_atom) {},
      [](timer_atom, std::uint64_t) {},
      [](wake_atom) {},
      [order](interrupt_atom) { order(peer_order::kind::interrupt); },
      [send, is_current, number = setup.number](const checkpoint_request& x) {
        if (is_current(x.generation))
          send(peer_order{peer_order::kind::checkpoint, number, x.epoch, x.base, x.whole});
      },
      [order, is_current](conclude_atom, generation_number x) {
        if (is_current(x))
          order(peer_order::kind::conclude);
      },
      [](state_read&) {},
      [self, order](abandon_atom) {
        order(peer_order::kind::abandon);
        self->quit();
      },
  };
}

coordinator_actor::behavior_type remote_coordinator(coordinator_actor::pointer self,
                                                    const std::shared_ptr<stream_peers>& peers,
                                                    const supervisor_actor& supervisor) {
  end_with(self, supervisor);
  return {
      [](const subtask_list&) {},
      [peers](drained_atom, generation_number x, std::uint32_t subtask) {
        if (x == peers->generation())
          peers->send(0, peer_report{peer_report::kind::drained, subtask, 0, {}});
      },
      [peers](const epoch_written& x) {
        if (x.generation == peers->generation())
          peers->send(0, to_peer_written(x.epoch, x.part));
      },
      [peers](const step_done& x) {
        if (x.problem)
          peers->send(0, peer_report{peer_report::kind::unwritten, 0, x.epoch, x.problem});
      },
      [](retry_atom) {},
      [](timer_atom, std::uint64_t) {},
      [](savepoint_wish& x) {
        x.answer(make_error(ec::internal, "savepoints are made by part 0 of a stream"));
      },
  };
}

} // namespace ebb
