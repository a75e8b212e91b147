#include "actors/service/hosting/placed_stream.hpp"

#include "actors/connectors/factory.hpp"
#include "actors/runtime/alarm_reason.hpp"
#include "actors/runtime/run_data.hpp"
#include "actors/service/hosting/part_begin.hpp"
#include "actors/service/past_output.hpp"

#include <caf/logger.hpp>
#include <caf/send.hpp>
#include <caf/typed_actor.hpp>

#include <algorithm>
#include <chrono>
#include <thread>
#include <utility>

namespace ebb {

namespace {

/// Whether it says something else to people, or to those who decide over sleep.
bool differs(const stream_status& a, const stream_status& b) {
  return a.activity != b.activity || a.busy != b.busy || a.next_timer != b.next_timer
         || a.checkpoints.completed != b.checkpoints.completed
         || a.checkpoints.failed != b.checkpoints.failed
         || a.checkpoints.alarm != b.checkpoints.alarm;
}

error killed() {
  return make_error(ec::cancelled, "the stream was killed while it started");
}

// How long the first reports of a stream that is to stop are waited for.
constexpr auto reports_within = std::chrono::seconds(1);
// Until the other parts have restored their state.
constexpr auto gather_within = std::chrono::seconds(60);
constexpr auto look_again = std::chrono::milliseconds(2);

} // namespace

placed_stream::placed_stream(start_stream order, caf::actor_system& system,
                             const stream_environment& environment, host_services& services)
    : placed_run(std::move(order)), system_(system), environment_(environment),
      services_(services) {
  if (!order_.peers.empty())
    meeting_ = part_meeting::make(services.peers(), order_);
}

result<void> placed_stream::gather(prepared_stream& stream) {
  EBB_TRY(meeting_->gather(to_begin(stream.start, stream.segments, stream.small), gather_within));
  stream.setup.peers = meeting_->hand_over(stream.start.generation);
  return {};
}

result<std::optional<stream_started>> placed_stream::open(const std::function<void()>& concluded) {
  {
    std::lock_guard guard(mutex_);
    if (killed_)
      return killed();
  }
  EBB_ASSIGN(parts_->planned, plan());
  const stream_placement me{order_.uid, order_.placement};
  parts_->topics = services_.topics(me, order_.name_space);
  parts_->connectors = make_connectors(parts_->topics.get());
  data_options options;
  options.folder = order_.data_folder;
  if (!order_.savepoint.empty()) {
    options.from = resume_from::savepoint;
    options.savepoint = order_.savepoint;
    options.output = past_output_of(order_.past_output);
  }
  EBB_ASSIGN(const auto files, services_.files(me));
  if (files)
    options.files = [files](const std::string&) { return result(files); };
  stream_started started{order_.uid, order_.placement, 0, {}};
  run_options run;
  run.data = make_run_data(options, services_.ledger(me));
  run.note = [&](const std::string&, const std::string& text) { started.notes.push_back(text); };
  auto environment = environment_;
  environment.data_folder = order_.data_folder;
  environment.keep = parts_;
  environment.note = [sinks = sinks_](const std::string&, const std::string& text) {
    sinks->told(text);
  };
  environment.parts = std::max(1U, static_cast<std::uint32_t>(order_.peers.size()));
  EBB_ASSIGN(auto prepared,
             prepare_run({&parts_->planned, 1}, *parts_->connectors, environment, run));
  auto& stream = prepared.front();
  const bool finished = stream.finished;
  if (meeting_ && !finished)
    if (auto gathered = gather(stream); !gathered) {
      abandon(stream.setup);
      return std::move(gathered).error();
    }
  {
    std::lock_guard guard(mutex_);
    if (killed_) {
      abandon(stream.setup);
      return killed();
    }
    board_ = stream.checkpoints;
    mapped_ = environment_.clock();
    if (stream.setup.checkpoints)
      started.generation = stream.setup.checkpoints->generation;
    generation_ = started.generation;
    run_ = std::make_unique<stream_run>(system_, parts_->planned.plan, parts_->planned.definition,
                                        std::move(stream.setup), concluded, finished);
    // Who spawns holds CAF's logger until the thread ends, and the actor system waits for it.
    caf::logger::set_current_actor_system(nullptr);
  }
  if (finished)
    concluded();
  return std::optional(std::move(started));
}

stream_ended placed_stream::close() {
  auto ended = placed_run::ended();
  std::unique_ptr<stream_run> run;
  {
    std::lock_guard guard(mutex_);
    run = std::move(run_);
    ended.next_timer = next_timer_;
  }
  if (!run)
    return ended;
  ended.next_timer = std::min(ended.next_timer, run->report().next_time);
  if (auto outcome = run->outcome()) {
    ended.cut = outcome->cut && !outcome->problem;
    ended.finished = !outcome->cut && !outcome->problem;
    ended.problem = std::move(outcome->problem);
  }
  return ended;
}

void placed_stream::stop() {
  const auto deadline = std::chrono::steady_clock::now() + reports_within;
  while (true) {
    {
      std::lock_guard guard(mutex_);
      if (!run_)
        return;
      if (run_->reported() || std::chrono::steady_clock::now() >= deadline) {
        next_timer_ = run_->report().next_time;
        run_->interrupt();
        return;
      }
    }
    std::this_thread::sleep_for(look_again);
  }
}

void placed_stream::kill() {
  {
    std::lock_guard guard(mutex_);
    killed_ = true;
    run_.reset();
  }
  if (meeting_)
    meeting_->cancel();
}

void placed_stream::savepoint(
    const std::string& name, const std::function<void(const result<epoch_number>&)>& answer) const {
  {
    std::lock_guard guard(mutex_);
    if (run_ && run_->supervisor()) {
      caf::anon_send(run_->supervisor(), savepoint_wish{name, answer});
      return;
    }
  }
  answer(make_error(ec::conflict, "the stream does not run"));
}

hosted_stream placed_stream::name() const {
  std::lock_guard guard(mutex_);
  return {order_.uid, order_.placement, generation_, 0};
}

stream_status placed_stream::status(const stream_report& from) const {
  stream_status x;
  x.uid = order_.uid;
  x.placement = order_.placement;
  x.activity = activity_of(from);
  x.next_timer = from.next_time;
  x.watermark = from.watermark;
  x.held_back = held_back_by(from);
  x.batches = from.batches;
  x.blocked = from.blocked;
  x.mapped = mapped_;
  x.first_record = from.first_in;
  x.first_output = from.first_out;
  for (const auto& y : from.sources)
    x.sources.push_back({y.name, y.rows, y.bytes, y.bad_rows});
  for (const auto& y : from.operators) {
    x.operators.push_back({y.name, y.rows_in, y.rows_out, y.late_rows, y.state_bytes});
    x.state_bytes += y.state_bytes;
  }
  for (const auto& y : from.sinks)
    x.sinks.push_back({y.name, y.rows, y.bytes});
  if (board_) {
    const auto made = board_->get();
    x.checkpoints = {made.completed, made.failed, made.last, made.longest, made.alarm};
    // It says more than what waits for it.
    if (auto waits = sinks_->text(); !waits.empty())
      x.checkpoints.alarm = std::move(waits);
  }
  return x;
}

std::optional<stream_status> placed_stream::change(bool always) {
  std::lock_guard guard(mutex_);
  if (!run_ || run_->outcome())
    return std::nullopt;
  auto x = status(run_->report());
  x.busy = !told_ || x.activity != told_->activity;
  if (told_ && alarm_reason(x.checkpoints.alarm) == alarm_reason(told_->checkpoints.alarm))
    x.checkpoints.alarm = told_->checkpoints.alarm;
  if (!always && told_ && !differs(x, *told_))
    return std::nullopt;
  told_ = x;
  return x;
}

} // namespace ebb
