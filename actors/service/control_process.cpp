#include "actors/service/control_process.hpp"

#include "actors/gateway/service_routes.hpp"
#include "actors/runtime/engine_config.hpp"
#include "actors/runtime/io_pool.hpp"
#include "actors/runtime/processing_time.hpp"
#include "actors/service/keeper/input_positions.hpp"
#include "actors/service/process_log.hpp"
#include "actors/service/service_gateway.hpp"
#include "actors/service/service_resources.hpp"
#include "actors/service/stream_metrics.hpp"
#include "actors/service/topics/topic_host.hpp"
#include "actors/service/worker/peer_path.hpp"
#include "actors/service/worker_desk.hpp"

#include <caf/actor_system.hpp>
#include <caf/exit_reason.hpp>
#include <caf/send.hpp>
#include <caf/typed_event_based_actor.hpp>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <filesystem>
#include <future>
#include <unordered_map>
#include <utility>

namespace ebb {

namespace {

constexpr std::uint32_t actor_threads = 1;
constexpr std::uint32_t io_threads = 8;

/// A worker whose link is gone and whose process is there may connect again. One that lives does so
/// within milliseconds.
constexpr micros away_grace = micros_per_second / 2;

/// Between looks at who of an earlier control process's workers lives.
constexpr micros look_for_workers = micros_per_second / 20;

/// Without anything for so long, memory is given back.
constexpr micros rest_after = 3 * micros_per_second;

/// Between looks at the certificates of workers, at most.
constexpr micros longest_renewal = 600 * micros_per_second;

constexpr auto stop_patience = std::chrono::seconds(45);

/// Topics whose growth the keeper wants to know of. Thread-safe.
class moved_topics {
public:
  void listen(const std::string& topic, bool on) {
    std::lock_guard guard(mutex_);
    if (on)
      pending_.try_emplace(topic, false);
    else
      pending_.erase(topic);
  }

  /// Whether the keeper must be told: it is interested, and has not been told yet.
  bool moved(const std::string& topic) {
    std::lock_guard guard(mutex_);
    const auto found = pending_.find(topic);
    return found != pending_.end() && !std::exchange(found->second, true);
  }

  void told(const std::string& topic) {
    std::lock_guard guard(mutex_);
    if (const auto found = pending_.find(topic); found != pending_.end())
      found->second = false;
  }

private:
  std::mutex mutex_;
  std::unordered_map<std::string, bool> pending_;
};

} // namespace

struct control_process::parts final : keeper_world {
  parts(control_options o, worker_starter w)
      : options(std::move(o)), starter(std::move(w)), clock(processing_time()),
        config(actor_threads), system(config) {
    lane = io.open_lane();
    reading_lane = io.open_lane();
  }

  ~parts() override {
    // Whoever may call comes before what is called.
    http.reset();
    messages.reset();
    desk.reset();
    links.reset();
    if (streams)
      caf::anon_send_exit(streams, caf::exit_reason::user_shutdown);
    system.await_all_actors_done();
    // What jobs say to the actor now goes nowhere.
    drain(lane);
    drain(reading_lane);
    registry.reset();
  }

  /// Waits for the jobs of a lane.
  void drain(std::uint64_t of) {
    std::promise<void> done;
    io.submit(of, [&] { done.set_value(); });
    done.get_future().wait();
  }

  // --- keeper_world

  micros now() const override {
    return clock();
  }

  void run(std::function<void()> work, std::function<void()> then) override {
    io.submit(lane, [this, work = std::move(work), then = std::move(then)] {
      work();
      tell([then](keeper&) { then(); });
    });
  }

  void call_at(micros when) override {
    caf::anon_send(streams, keeper_timer_atom::value, when);
  }

  void start_worker(std::uint64_t worker) override {
    starter.start(worker_name(worker));
  }

  void start_worker_for(std::uint64_t worker, const stream_slot& stream,
                        std::uint64_t placement) override {
    worker_is_for(worker, stream, placement);
    start_worker(worker);
  }

  void worker_is_for(std::uint64_t worker, const stream_slot& stream,
                     std::uint64_t placement) override {
    if (starter.is_for)
      starter.is_for(worker_name(worker), {stream.name, stream.uid, placement});
  }

  bool takes_warm(const stream_slot& stream) const override {
    return !starter.takes_warm || starter.takes_warm(stream.name);
  }

  void kill_worker(std::uint64_t worker) override {
    starter.kill(worker_name(worker));
  }

  bool send(std::uint64_t worker, const link_message& what) override {
    return desk && desk->send(worker, what);
  }

  control_records& records() override {
    return *database;
  }

  topic_registry& topics() override {
    return *registry;
  }

  void listen(const std::string& topic, bool on) override {
    moved.listen(topic, on);
  }

  void show(const stream_slot& x) override {
    if (x.shown != x.life.phase())
      stir();
    numbers.seen(x);
    if (options.stream_changed)
      options.stream_changed(x.name);
  }

  void show(const wake_trace& x) override {
    numbers.woke(x);
  }

  void said(const stream_slot& x, const log_line& what) override {
    if (!options.stream_said)
      return;
    auto line = what;
    if (x.life.generation() != 0)
      line.fields.emplace_back("generation", std::to_string(x.life.generation()));
    if (x.awake && x.awake->status && x.awake->status->checkpoints.last != 0)
      line.fields.emplace_back("epoch", std::to_string(x.awake->status->checkpoints.last));
    options.stream_said(x.name, line);
  }

  void reads(const stream_slot& x) override {
    acks->set_reader(x.uid, x.name, x.inputs);
  }

  void gone(const stream_slot& x) override {
    acks->forget_reader(x.uid);
    numbers.gone(x);
  }

  // --- what comes from outside

  void tell(std::function<void(keeper&)> what) {
    caf::anon_send(streams, keeper_task{std::move(what)});
  }

  void topic_grew(const std::string& uid) {
    stir();
    if (!moved.moved(uid))
      return;
    const auto topic = registry->host(uid);
    tell([this, uid, trace = topic ? topic->last_trace() : std::string()](keeper& x) {
      moved.told(uid);
      x.input_moved(uid, trace);
    });
  }

  /// Something happens. Once nothing has for a while, memory is given back.
  void stir() {
    if (!options.rested)
      return;
    stirred.store(true, std::memory_order_relaxed);
    if (!watching.exchange(true))
      tell([this](keeper& k) { look_for_rest(k); });
  }

  void look_for_rest(keeper& k) {
    k.call_after(rest_after, [this, &k] {
      if (stirred.exchange(false))
        return look_for_rest(k);
      watching = false;
      io.submit(reading_lane, [this] {
        static_cast<void>(database->with([](control_db& db) -> result<void> {
          db.let_go_of_pages();
          return {};
        }));
        options.rested();
      });
    });
  }

  /// Looks after the certificates of workers while there are some.
  void renew(keeper& k) {
    const auto every = std::min(options.links.authority->times().lifetime / 12, longest_renewal);
    k.call_after(every, [this, &k] {
      renewing = false;
      if (desk && desk->renew(wall_clock()) && !renewing.exchange(true))
        renew(k);
    });
  }

  std::optional<std::string> name_space_of(const std::string& uid) {
    const auto name = acks->name_of(uid);
    return name ? std::optional(split(*name).name_space) : std::nullopt;
  }

  worker_desk_events desk_events() {
    worker_desk_events x;
    x.here = [this](std::uint64_t worker, worker_hello hello,
                    std::function<void(control_welcome)> answer) {
      starter.adopt(worker_name(worker), hello.pid);
      if (options.joined)
        options.joined(worker_name(worker), hello.peers,
                       hello.time == 0 ? 0 : hello.time - wall_clock());
      if (options.links.authority && !renewing.exchange(true))
        tell([this](keeper& k) { renew(k); });
      tell([worker, hello = std::move(hello), answer = std::move(answer)](keeper& k) {
        // It must know what is refused before it gets new orders.
        k.worker_here(worker, hello, answer);
      });
    };
    x.away = [this](std::uint64_t worker) {
      tell([this, worker](keeper& k) {
        k.call_after(away_grace, [this, worker, &k] {
          if (desk->connected(worker))
            return;
          starter.kill(worker_name(worker));
          desk->forget(worker);
          k.worker_gone(worker);
        });
      });
    };
    x.says = [this](std::uint64_t worker, link_message&& what) {
      tell([worker, what = std::make_shared<link_message>(std::move(what))](keeper& k) {
        k.worker_says(worker, std::move(*what));
      });
    };
    x.refused = [](const std::string& why) {
      tell_log(log_level::warning, "a worker was turned away: " + why);
    };
    x.recorded = [this](const std::string& uid) { acks->recorded(uid); };
    x.phase = [this](const char* phase, micros took) { numbers.checkpointed(phase, took); };
    return x;
  }

  result<void> open();
  result<void> open_topics();
  void load_streams(keeper::loaded all);
  void await_return();

  control_options options;
  worker_starter starter;
  clock_function clock;
  std::unique_ptr<control_records> database;
  std::uint64_t incarnation = 0;
  std::unique_ptr<ack_desk> acks;
  moved_topics moved;
  std::atomic<bool> stirred = false;  ///< since the last look for rest
  std::atomic<bool> watching = false; ///< for rest
  std::atomic<bool> renewing = false; ///< certificates of workers
  metrics_registry metrics;
  stream_metrics numbers{metrics, clock};
  std::unique_ptr<topic_registry> registry;
  std::uint64_t lane = 0;
  std::uint64_t reading_lane = 0;
  // Jobs use all of the above, and tell actors.
  engine_config config;
  caf::actor_system system;
  keeper_actor streams;
  io_pool io{io_threads};
  std::unique_ptr<link_loop> links;
  std::unique_ptr<worker_desk> desk;
  std::unique_ptr<resource_changes> changes;
  std::unique_ptr<service_resources> resources;
  std::unique_ptr<message_api> messages;
  std::unique_ptr<service_gateway> gateway;
  std::unique_ptr<http_server> http;
};

result<void> control_process::parts::open_topics() {
  topic_registry_options x;
  x.data_folder = options.data_folder;
  x.on_moved = [this](const std::string& uid) { topic_grew(uid); };
  x.needed = [this](const std::string& uid) {
    const auto topic = registry->find_uid(uid);
    return needed_offsets(*database, uid, topic ? topic->partitions : 0);
  };
  EBB_ASSIGN(registry, topic_registry::open(std::move(x), io, clock, metrics));
  EBB_ASSIGN(const auto all, database->with([](control_db& db) { return db.topics(); }));
  for (const auto& entry : all) {
    EBB_ASSIGN(const auto definition, definition_of(entry));
    EBB_TRY(registry->put(settings_of(definition, entry.uid)));
  }
  return {};
}

/// Workers that live have come back, or some of them are still waited for.
void control_process::parts::await_return() {
  if (!starter.living)
    return;
  const auto living = std::make_shared<std::vector<std::uint64_t>>();
  run(
      [this, living] {
        for (const auto& name : starter.living())
          if (const auto worker = worker_number(name))
            living->push_back(*worker);
      },
      [this, living] {
        tell([this, living](keeper& k) {
          if (!k.returned(*living))
            k.call_after(look_for_workers, [this] { await_return(); });
        });
      });
}

void control_process::parts::load_streams(keeper::loaded all) {
  std::promise<void> done;
  tell([&](keeper& k) {
    k.load(all);
    all = {};
    done.set_value();
  });
  done.get_future().wait();
}

result<void> control_process::parts::open() {
  EBB_ASSIGN(database, control_records::open(options.data_folder));
  acks = std::make_unique<ack_desk>(*database);
  EBB_ASSIGN(incarnation, database->with([this](control_db& db) {
    return db.begin_incarnation(options.least_incarnation);
  }));
  keeper::loaded loaded;
  bool after_end = false;
  EBB_TRY(database->with([&](control_db& db) -> result<void> {
    EBB_ASSIGN(after_end, db.follows_an_end(incarnation));
    EBB_ASSIGN(loaded.names, db.stream_names());
    EBB_ASSIGN(loaded.lives, db.lives());
    EBB_ASSIGN(loaded.traits, db.traits());
    EBB_ASSIGN(loaded.restores, db.restores());
    return {};
  }));
  keeper_options keeping_options;
  keeping_options.data_folder = options.data_folder;
  keeping_options.files_folder = options.files_folder;
  keeping_options.incarnation = incarnation;
  keeping_options.after_end = after_end;
  keeping_options.placement = options.placement;
  streams =
      system.spawn(keeping, keeper_setup{[this, keeping_options] {
                                           return std::make_unique<keeper>(keeping_options, *this);
                                         },
                                         clock});
  EBB_TRY(open_topics());
  EBB_ASSIGN(links, link_loop::start());
  EBB_ASSIGN(desk,
             worker_desk::listen(
                 *links, options.links, *database, *registry, io,
                 [this](const std::string& uid) { return name_space_of(uid); }, desk_events()));
  changes = std::make_unique<resource_changes>(*database, *registry, clock, options.files_folder);
  resources =
      std::make_unique<service_resources>(*changes, *database, *registry, io, lane, clock, streams);
  messages = std::make_unique<message_api>(*registry, io, acks.get(), metrics);
  gateway_parts x;
  x.records = database.get();
  x.topics = registry.get();
  x.messages = messages.get();
  x.acks = acks.get();
  x.io = &io;
  x.lane = lane;
  x.reading_lane = reading_lane;
  x.clock = clock;
  x.files_folder = options.files_folder;
  x.owner = options.owner;
  x.more_why = options.more_why;
  x.changes = changes.get();
  x.streams = streams;
  gateway = std::make_unique<service_gateway>(std::move(x));
  // A port that is taken is found before workers are started.
  EBB_ASSIGN(http, http_server::start(options.http, service_routes(), *gateway, metrics));
  load_streams(std::move(loaded));
  await_return();
  gateway->ready();
  stir();
  return {};
}

control_process::control_process(std::unique_ptr<parts> made) : parts_(std::move(made)) {}

control_process::~control_process() = default;

result<std::unique_ptr<control_process>> control_process::start(control_options options,
                                                                worker_starter workers) {
  auto made = std::make_unique<parts>(std::move(options), std::move(workers));
  EBB_TRY(made->open());
  return std::unique_ptr<control_process>(new control_process(std::move(made)));
}

void control_process::worker_gone(const std::string& name, const std::string&) {
  const auto worker = worker_number(name);
  if (!worker)
    return;
  // One that was killed has left its socket.
  std::error_code ignored;
  std::filesystem::remove(peer_path(socket_address(parts_->options.data_folder).socket, name),
                          ignored);
  parts_->tell([p = parts_.get(), worker = *worker](keeper& k) {
    if (p->desk)
      p->desk->forget(worker);
    k.worker_gone(worker);
  });
}

resource_desk& control_process::resources() {
  return *parts_->resources;
}

std::string control_process::url() const {
  return parts_->http->url();
}

std::size_t control_process::streams() const {
  std::promise<std::size_t> count;
  parts_->tell([&](keeper& k) { count.set_value(k.count()); });
  return count.get_future().get();
}

void control_process::stop() {
  parts_->http->stop(std::chrono::seconds(2));
  const auto done = std::make_shared<std::promise<void>>();
  parts_->tell([done](keeper& k) { k.shut_down([done] { done->set_value(); }); });
  if (done->get_future().wait_for(stop_patience) != std::future_status::ready)
    return;
  // Where it cannot be written, the next one takes it that the workers were lost.
  static_cast<void>(parts_->database->with(
      [this](control_db& db) { return db.end_incarnation(parts_->incarnation); }));
}

void control_process::leave() {
  parts_->http->stop(std::chrono::seconds(2));
}

} // namespace ebb
