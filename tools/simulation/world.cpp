#include "tools/simulation/world_incarnation.hpp"

#include <caf/send.hpp>
#include <caf/typed_event_based_actor.hpp>

#include <algorithm>
#include <utility>

namespace ebb::sim {

namespace {

constexpr std::uint64_t generations_with_faults = 8;
constexpr std::uint64_t generations_max = 12;
constexpr std::uint64_t steps_max = 400'000;
/// Then nothing more goes wrong in a generation.
constexpr micros faults_last = 5 * micros_per_second;
/// Longer than every deadline and retry.
constexpr micros patience = 60 * micros_per_second;
/// For messages that nobody sends again.
constexpr micros patience_after_loss = 10 * micros_per_second;
constexpr micros hour = 3600 * micros_per_second;

/// What a generation may end with: each follows from a fault.
bool expected_problem(const std::string& text) {
  for (const char* x : {"the simulated disk", "without a reason", "newer generation", "is lost"})
    if (text.find(x) != std::string::npos)
      return true;
  return false;
}

} // namespace

world::world(std::uint64_t seed, bool parts, virtual_actors& actors, stream_shapes& shapes,
             trace& log)
    : random_(dice::mixed(seed)), actors_(actors), shapes_(shapes), log_(log), disk_(log),
      tap_(random_, log) {
  draw();
  if (parts) {
    parts_ = static_cast<std::uint32_t>(2 + random_.below(2));
    part_kills_ = random_.one_of({0U, 100U, 1'000U});
  }
}

world::~world() = default;

// Each seed has a character: most faults are off in most seeds, and then frequent.
void world::draw() {
  shape_ = random_.below(stream_shapes::count());
  for (auto* x : {&a_, &b_}) {
    x->seed = random_.next();
    x->rows.resize(1 + random_.below(4));
    for (auto& rows : x->rows)
      rows = static_cast<std::uint32_t>(random_.below(8) == 0 ? 0 : 10 + random_.below(50));
    x->keys = random_.one_of({1U, 3U, 12U});
    x->pauses = random_.one_of({0U, 100'000U, 500'000U});
    x->pause_max = random_.one_of({2'000, 20'000, 200'000});
  }
  const auto some = [&](std::initializer_list<std::uint32_t> chances) {
    return random_.below(3) == 0 ? random_.one_of(chances) : 0U;
  };
  rates_.lose = some({2'000, 20'000, 100'000});
  rates_.twice = some({20'000, 200'000});
  rates_.delay = some({5'000, 50'000, 200'000});
  rates_.stale = some({10'000, 100'000});
  rates_.kill = some({100, 500, 2'000});
  rates_.crash = some({500, 5'000, 30'000});
  rates_.refuse = some({5'000, 50'000, 200'000});
  rates_.slow = some({10'000, 200'000});
  rates_.jump = some({100, 2'000});
  settings_.interval = random_.one_of({3'000, 10'000, 40'000});
  settings_.pace = random_.one_of({0, 1, 10});
  settings_.abort_after = random_.one_of({300'000, 1'500'000, 6'000'000});
  settings_.epoch_block = random_.one_of({1U, 3U, 64U});
  settings_.attempts_max = random_.one_of({2U, 15U});
  window_ = random_.one_of({512U, 4'096U, 65'536U});
  slice_ = random_.one_of({1U, 4U, 64U});
  cost_ = random_.one_of({2, 20, 100});
  order_ = static_cast<std::uint32_t>(random_.below(4));
  interrupts_ = random_.below(4) == 0 ? 2 : 0;
  savepoints_ = random_.below(4) == 0 ? 3 : 0;
  returns_ = savepoints_ != 0 && random_.below(2) == 0 ? 2 : 0;
}

life_report world::run() {
  began_ = actors_.now();
  auto how = end::again;
  while (how == end::again && log_.violation().empty()) {
    if (++report_.generations > generations_max) {
      log_.violated("no end after " + std::to_string(generations_max) + " generations");
      break;
    }
    if (report_.generations > generations_with_faults) {
      rates_ = none_;
      part_kills_ = 0;
      interrupts_ = 0;
      returns_ = 0;
    }
    if (returns_ != 0 && random_.below(2) == 0)
      go_back();
    how = live();
  }
  if (log_.violation().empty())
    check_output();
  for (auto& x : incarnations_)
    x->drop();
  report_.violation = log_.violation();
  report_.faults = tap_.faults();
  return report_;
}

// `--from` a savepoint: no other process may run then.
void world::go_back() {
  for (auto& x : incarnations_)
    x->end();
  if (!disk_.go_back())
    return;
  --returns_;
  ++report_.returns;
}

world::end world::live() {
  // Before anything else: from now on older generations are refused.
  const auto generation = *disk_.next_generation();
  clock_offset_ = static_cast<micros>(random_.below(2 * hour)) - hour;
  incarnations_.push_back(std::make_unique<incarnation>(*this, generation, rates_));
  auto& x = *incarnations_.back();
  const auto parallelism = static_cast<std::uint32_t>(1 + random_.below(parallelism_max));
  log_.note("generation, parallelism", generation, parallelism);
  auto planned = shapes_.planned(shape_, parallelism);
  if (!planned) {
    log_.violated("cannot plan: " + planned.error().message);
    return end::again;
  }
  stream_environment environment;
  environment.make = make_operator;
  environment.io = &x.io;
  environment.clock = [this] { return hour * 500'000 + clock_offset_ + actors_.now(); };
  environment.slice.steps = slice_;
  environment.batches.rows_min = 8;
  environment.channel_window = window_;
  environment.source_allowance = 40;
  environment.parts = std::min(parts_, parallelism);
  run_options options;
  options.data = std::make_shared<memory_run_data>(disk_, x.by);
  auto prepared = prepare_run({*planned, 1}, x.connectors, environment, options);
  if (!prepared) {
    if (!expected_problem(prepared.error().message))
      log_.violated("cannot start: " + prepared.error().message);
    return end::again;
  }
  auto& made = prepared->front();
  if (made.finished)
    return end::finished;
  made.setup.checkpoints->settings = settings_;
  x.wiring = made.setup.wiring;
  x.outcome = made.setup.outcome;
  x.board = made.checkpoints;
  x.born = actors_.now();
  if (environment.parts > 1) {
    if (!join_parts(x, **planned, made, environment))
      return end::again;
    made.setup.peers = std::make_shared<stream_peers>(0, environment.parts, generation);
    x.links->connect(0, made.setup.peers);
    x.peers = made.setup.peers;
  }
  x.supervisor =
      actors_.system().spawn(supervisor, std::make_shared<supervisor_setup>(std::move(made.setup)));
  tap_.begin(generation, rates_, x.wiring, window_, x.supervisor.address().id());
  if (x.others.empty())
    caf::anon_send(x.supervisor, start_atom::value);
  else
    start_parts(x);
  return outlive(x);
}

world::end world::outlive(incarnation& x) {
  auto how = end::again;
  for (;;) {
    if (!log_.violation().empty())
      break;
    if (x.by->dead())
      break;
    if (const auto outcome = x.outcome->get()) {
      if (outcome->problem) {
        log_.note("the stream has failed");
        if (!expected_problem(outcome->problem->message))
          log_.violated("the stream has failed: " + outcome->problem->message);
      } else if (!outcome->cut) {
        how = end::finished;
      }
      break;
    }
    if (tap_.supervisor_killed() && random_.below(20) == 0)
      break;
    if (random_.chance(rates_.crash / 64)) {
      log_.note("crash between two messages");
      x.by->die();
      break;
    }
    if (++report_.steps > steps_max) {
      log_.violated("no end after " + std::to_string(steps_max) + " steps");
      break;
    }
    const auto age = actors_.now() - x.born;
    if (age > faults_last || report_.steps > steps_max / 4) {
      rates_ = none_;
      part_kills_ = 0;
    }
    const bool lost = tap_.needs_restart() || tap_.supervisor_killed();
    if (age > (lost ? patience_after_loss : patience)) {
      if (!lost)
        log_.violated("no end after " + std::to_string(patience / micros_per_second)
                      + " s though nothing was lost for good");
      log_.note("restart for want of a message");
      ++report_.restarts;
      break;
    }
    step(x);
  }
  report_.checkpoints += x.board->get().completed;
  tear_down(x);
  return how;
}

void world::step(incarnation& x) {
  tap_.deliver(actors_.now());
  const bool elsewhere = !x.others.empty() && step_parts(x);
  if (interrupts_ != 0 && random_.chance(500)) {
    --interrupts_;
    log_.note("interrupt");
    caf::anon_send(x.supervisor, interrupt_atom::value);
  }
  if (savepoints_ != 0 && random_.chance(2'000)) {
    --savepoints_;
    const auto answers = std::make_shared<int>(0);
    caf::anon_send(x.supervisor, savepoint_wish{"s", [this, answers](const result<epoch_number>&) {
                                                  if (++*answers > 1)
                                                    log_.violated("a savepoint is answered twice");
                                                }});
  }
  bool done = elsewhere || (random_.below(6) == 0 && x.io.run_one());
  done = done || (random_.below(64) == 0 && run_old_io());
  done = done || run_message() || x.run_io() || run_old_io();
  if (done) {
    actors_.advance(cost_);
    if (random_.chance(rates_.jump))
      clock_offset_ += static_cast<micros>(
          random_.below(static_cast<std::uint64_t>(random_.one_of({10'000, 1'000'000}))));
  } else {
    move_clock(x);
  }
  log_.at(actors_.now() - began_);
}

/// Jobs of a generation whose actors are gone, but whose process lives on.
bool world::run_old_io() {
  for (auto& x : incarnations_)
    if (x != incarnations_.back() && x->run_io())
      return true;
  return false;
}

bool world::run_message() {
  const auto count = actors_.ready();
  if (count == 0)
    return false;
  std::size_t pick = 0;
  switch (order_) {
  case 0:
    pick = random_.below(count);
    break;
  case 1: // mostly first come, first served
    pick = random_.below(8) == 0 ? random_.below(count) : 0;
    break;
  case 2: // mostly the last one
    pick = random_.below(8) == 0 ? random_.below(count) : count - 1;
    break;
  default: // one actor rarely gets its turn
    pick = random_.below(count);
    if (auto* actor = actors_.actor(pick);
        actor != nullptr && actor->id() % 7 == 0 && random_.below(8) != 0)
      pick = random_.below(count);
    break;
  }
  auto* actor = actors_.actor(pick);
  if (actor != nullptr && !tap_.pass(*actor, actors_.now()))
    return true;
  actors_.run(pick);
  return true;
}

void world::move_clock(incarnation& x) {
  auto next = std::min({actors_.next_time(), tap_.next_time(), x.io.next_time()});
  if (x.links)
    next = std::min(next, x.links->next_time());
  for (const auto& old : incarnations_)
    next = std::min(next, old->next_io());
  if (next == max_time) {
    if (!tap_.needs_restart() && !tap_.supervisor_killed())
      log_.violated("nothing more will happen, and the stream has not ended");
    // Only a new generation helps.
    actors_.advance(patience + 1);
    return;
  }
  actors_.advance(std::max<micros>(1, next - actors_.now()));
}

// Whatever ended the generation: its actors have to go, without a durable trace if the process
// died.
void world::tear_down(incarnation& x) {
  const bool alive = x.outcome->get().has_value() && !x.by->dead();
  if (!alive) {
    x.by->die();
    x.io.drop();
    if (x.links)
      x.links->cut(0);
    caf::anon_send_exit(x.supervisor, caf::exit_reason::kill);
  }
  x.supervisor = nullptr;
  tap_.drop_delayed();
  settle(x);
  if (!alive)
    x.io.drop();
  if (actors_.running() != 0 && log_.violation().empty())
    log_.violated(std::to_string(actors_.running()) + " actors are left of a generation");
  actors_.flush_timers();
  if (!alive)
    x.io.drop();
}

void world::check_output() {
  if (!disk_.record() || !disk_.record()->finished)
    log_.violated("the last record does not say that the input has ended");
  if (!disk_.unapplied().empty())
    log_.violated("output of the last record is not applied");
  const auto expected = stream_shapes::expected(shape_, a_.all(), b_.all());
  for (std::size_t i = 0; i < expected.size(); ++i)
    check_sink(i, expected[i]);
}

void world::check_sink(std::size_t sink, const std::vector<output_row>& expected) {
  const std::string name = sink == 0 ? "first" : "second";
  const auto found = disk_.targets().find(name);
  auto rows = stream_shapes::left_by(shape_, sink,
                                     found == disk_.targets().end() ? std::vector<output_row>{}
                                                                    : found->second.rows);
  report_.rows += rows.size();
  if (stream_shapes::keeps_order(shape_, sink)) {
    std::map<std::int64_t, std::int64_t> last;
    for (const auto& row : rows) {
      const auto offset = row.back();
      auto& before = last.try_emplace(row[row.size() - 2], -1).first->second;
      if (offset <= before)
        log_.violated("sink " + name + ": offset " + std::to_string(offset) + " after "
                      + std::to_string(before));
      before = offset;
    }
  }
  std::sort(rows.begin(), rows.end());
  if (rows == expected)
    return;
  std::vector<output_row> lost;
  std::vector<output_row> extra;
  std::set_difference(expected.begin(), expected.end(), rows.begin(), rows.end(),
                      std::back_inserter(lost));
  std::set_difference(rows.begin(), rows.end(), expected.begin(), expected.end(),
                      std::back_inserter(extra));
  auto text = "sink " + name + ": " + std::to_string(lost.size()) + " rows lost, "
              + std::to_string(extra.size()) + " too many of " + std::to_string(expected.size());
  const auto show = [&](const char* what, const std::vector<output_row>& x) {
    if (x.empty())
      return;
    text += what;
    for (const auto v : x.front())
      text += std::to_string(v) + ' ';
  };
  show("; lost: ", lost);
  show("; too many: ", extra);
  log_.violated(text);
}

} // namespace ebb::sim
