#include "actors/service/hosting/placed_part.hpp"

#include "actors/connectors/factory.hpp"
#include "actors/runtime/part_supervisor.hpp"
#include "actors/runtime/stream_store.hpp"
#include "actors/service/hosting/part_begin.hpp"

#include <caf/actor_system.hpp>
#include <caf/logger.hpp>
#include <caf/send.hpp>
#include <caf/typed_event_based_actor.hpp>

#include <chrono>
#include <utility>

namespace ebb {

namespace {

// Part 0 restores its own state before it calls, and workers may still be starting.
constexpr auto begin_within = std::chrono::seconds(60);
constexpr auto join_within = std::chrono::seconds(15);

std::shared_ptr<checkpoint_store> store_of(const peer_begin& begin, std::uint32_t part,
                                           std::shared_ptr<snapshot_store> files) {
  stream_entry entry;
  entry.uid = begin.start.uid;
  entry.key_groups = begin.key_groups;
  entry.generation = begin.start.generation;
  // Records are part 0's.
  auto no_ledger = std::make_shared<shared_ledger>([]() -> result<std::unique_ptr<stream_ledger>> {
    return make_error(ec::internal, "a part of a stream has no ledger");
  });
  if (!files)
    files = make_segment_folder(begin.segment_folder);
  files->begin(entry.generation);
  return std::make_shared<stream_store>(std::move(no_ledger), std::move(files), entry,
                                        std::vector<segment_info>{}, part);
}

} // namespace

placed_part::placed_part(start_stream order, caf::actor_system& system,
                         const stream_environment& environment, host_services& services)
    : placed_run(std::move(order)), system_(system), environment_(environment), services_(services),
      meeting_(part_meeting::make(services.peers(), order_)) {}

placed_part::~placed_part() {
  kill();
}

result<supervisor_setup> placed_part::build(const peer_begin& begin) {
  EBB_ASSIGN(parts_->planned, plan());
  const stream_placement me{order_.uid, order_.placement};
  parts_->topics = services_.topics(me, order_.name_space);
  parts_->connectors = make_connectors(parts_->topics.get());
  auto environment = environment_;
  environment.data_folder = order_.data_folder;
  environment.keep = parts_;
  environment.note = [to = &services_, me](const std::string&, const std::string& text) {
    to->note(me, text);
  };
  environment.part = order_.part;
  environment.parts = static_cast<std::uint32_t>(order_.peers.size());
  EBB_ASSIGN(const auto files, services_.files(me));
  auto start = start_of(begin);
  auto segments = segments_of(begin);
  if (files) {
    // Part 0's folders are another process's.
    if (!start.output_folder.empty())
      start.output_folder = files->folder(stored_area::output);
    segments.folder = files->folder(stored_area::segments);
    segments.store = files;
  }
  EBB_ASSIGN(auto setup, build_stream(parts_->planned.plan, parts_->planned.definition,
                                      *parts_->connectors, environment, &start));
  const auto restore = [&]() -> result<void> {
    if (start.epoch == 0)
      return {};
    EBB_ASSIGN(const auto state, open_recorded(segments, begin.small));
    return restore_state(start, *state, begin.small, *environment.io, setup);
  };
  if (auto restored = restore(); !restored) {
    abandon(setup);
    return std::move(restored).error();
  }
  auto& checkpoints = setup.checkpoints.emplace();
  checkpoints.generation = start.generation;
  checkpoints.store = store_of(begin, order_.part, files);
  checkpoints.clock = environment.clock;
  checkpoints.io = environment.io;
  checkpoints.lane = environment.io->open_lane();
  return setup;
}

result<std::optional<stream_started>> placed_part::open(const std::function<void()>& concluded) {
  EBB_ASSIGN(const auto begin, meeting_->await_begin(begin_within));
  EBB_TRY(meeting_->join(join_within));
  EBB_ASSIGN(auto setup, build(begin));
  setup.concluded = concluded;
  setup.peers = meeting_->hand_over(begin.start.generation);
  setup.peers->attached = [peers = setup.peers.get()] { peers->send(0, peer_ready{}); };
  for (const auto& x : setup.subtasks)
    if (x.task)
      x.board->published = [peers = setup.peers, number = x.number](const stats_board& board) {
        peers->send(0, to_peer_stats(number, board.read()));
      };
  std::lock_guard guard(mutex_);
  if (killed_) {
    abandon(setup);
    return make_error(ec::cancelled, "the part was killed while it started");
  }
  generation_ = begin.start.generation;
  supervisor_ =
      system_.spawn(part_supervisor, std::make_shared<supervisor_setup>(std::move(setup)));
  // Who spawns holds CAF's logger until the thread ends, and the actor system waits for it.
  caf::logger::set_current_actor_system(nullptr);
  return std::optional<stream_started>{};
}

stream_ended placed_part::close() {
  std::lock_guard guard(mutex_);
  supervisor_ = nullptr;
  return ended();
}

void placed_part::hurry() {
  meeting_->give_up();
}

void placed_part::kill() {
  {
    std::lock_guard guard(mutex_);
    killed_ = true;
    if (supervisor_)
      caf::anon_send_exit(std::exchange(supervisor_, nullptr), caf::exit_reason::kill);
  }
  meeting_->cancel();
}

hosted_stream placed_part::name() const {
  std::lock_guard guard(mutex_);
  return {order_.uid, order_.placement, generation_, order_.part};
}

} // namespace ebb
