#include "actors/runtime/stream_run.hpp"

#include <caf/actor_system.hpp>
#include <caf/exit_reason.hpp>
#include <caf/send.hpp>
#include <caf/typed_event_based_actor.hpp>

#include <algorithm>
#include <utility>

namespace ebb {

stream_run::stream_run(caf::actor_system& system, const stage_plan& plan,
                       const stream_definition& stream, supervisor_setup setup,
                       std::function<void()> concluded, bool finished)
    : plan_(plan), stream_(stream), outcome_(setup.outcome) {
  if (finished) {
    outcome_ = std::make_shared<stream_outcome>();
    outcome_->set({});
    for (std::uint32_t i = 0; i < first_subtasks(plan).back(); ++i)
      boards_.push_back(std::make_shared<stats_board>());
    return;
  }
  for (const auto& x : setup.subtasks)
    boards_.push_back(x.board);
  setup.concluded = std::move(concluded);
  supervisor_ = system.spawn(ebb::supervisor, std::make_shared<supervisor_setup>(std::move(setup)));
  caf::anon_send(supervisor_, start_atom::value);
}

stream_run::~stream_run() {
  give_up();
}

void stream_run::give_up() {
  if (!outcome_->get())
    caf::anon_send_exit(supervisor_, caf::exit_reason::kill);
}

void stream_run::interrupt() {
  if (supervisor_)
    caf::anon_send(supervisor_, interrupt_atom::value);
}

std::optional<stream_outcome::value> stream_run::outcome() const {
  return outcome_->get();
}

bool stream_run::reported() const {
  return std::all_of(boards_.begin(), boards_.end(),
                     [](const auto& x) { return !x->read().steps.empty(); });
}

stream_report stream_run::report() const {
  auto result = report_of(plan_, stream_, boards_);
  if (const auto end = outcome_->get()) {
    result.interrupted = end->cut;
    result.finished = !end->cut && !end->problem;
  }
  return result;
}

} // namespace ebb
