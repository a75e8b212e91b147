#include "actors/service/worker/worker_process.hpp"

#include "actors/links/link_loop.hpp"
#include "actors/links/link_server.hpp"
#include "actors/links/remote_ledger.hpp"
#include "actors/links/remote_objects.hpp"
#include "actors/plan/manifest.hpp"
#include "actors/runtime/processing_time.hpp"
#include "actors/service/worker/ended_streams.hpp"
#include "actors/service/worker/peer_path.hpp"
#include "actors/service/worker/peer_server.hpp"
#include "actors/service/worker/remote_topics.hpp"
#include "actors/service/worker/worker_log.hpp"
#include "schemas/overloaded.hpp"
#include "storage/files.hpp"

#include <algorithm>
#include <atomic>
#include <map>
#include <mutex>
#include <random>
#include <set>
#include <unistd.h>
#include <utility>
#include <variant>
#include <vector>

namespace ebb {

namespace {

using clock = control_session::clock;

// While streams run, what has changed is told so often, everything so often.
constexpr std::chrono::milliseconds look_every{100};
constexpr std::chrono::seconds tell_all_every{4};
// Looks without any change after which streams rest.
constexpr std::uint32_t quiet_looks = 3;
// Between two parts of a stream credit bounds what waits: this is for the widest stream, so that a
// link which is full means that something is wrong.
constexpr std::size_t peer_queue_bytes = std::size_t{512} << 20;
// What is still to be sent at the end.
constexpr std::chrono::seconds farewell_within{5};

std::uint64_t random_session() {
  std::random_device source;
  return (std::uint64_t{source()} << 32 | source()) | 1;
}

} // namespace

class worker_process::parts final : public session_listener,
                                    public host_listener,
                                    public host_services {
public:
  parts(worker_options options, bell made)
      : options_(std::move(options)), wake_(std::move(made)), session_number_(random_session()),
        calls_(std::make_shared<link_calls>()),
        log_([this](const log_line& x) { return static_cast<bool>(session_->send(x)); }) {}

  ~parts() override {
    // Jobs of streams that wait for the control process fail; then the streams go, then the link.
    calls_->stop();
    host_.reset();
    peers_.reset();
    loop_.reset();
  }

  result<void> open() {
    std::string unshared;
    if (!options_.cache.folder.empty()) {
      EBB_ASSIGN(unshared, open_cache());
    }
    auto connect = options_.connect;
    if (!connect) {
      auto how = options_.link;
      how.queue_bytes = std::max(how.queue_bytes, peer_queue_bytes);
      EBB_ASSIGN(loop_, link_loop::start(how));
      connect = [this](link_handlers handlers) {
        const auto own = identity();
        return own ? connect_link(*loop_, options_.place, own, std::move(handlers))
                   : connect_link(*loop_, options_.control, std::move(handlers));
      };
    }
    if (loop_)
      EBB_TRY(meet_peers());
    session_.emplace(std::move(connect), *this, wake_, calls_, clock::now());
    host_.emplace(options_.host, *this, *this);
    if (!unshared.empty())
      log_.write(log_level::warning, unshared);
    return {};
  }

  worker_outcome run() {
    std::optional<clock::time_point> end_by;
    while (true) {
      const auto now = clock::now();
      if (stopping_ && !end_by) {
        end_by = now + options_.stop_within;
        for (const auto& x : host_->hosted())
          host_->stop({x.uid, x.placement, false});
      }
      if (end_by && (now >= *end_by || host_->count() == 0))
        break;
      session_->step(now);
      const auto alone = session_->alone_since();
      const auto orphan_at = alone ? std::optional(*alone + options_.orphan_timeout) : std::nullopt;
      if (!end_by && orphan_at && now >= *orphan_at) {
        log_.write(log_level::error, "there is no control process: ending");
        return worker_outcome::orphaned;
      }
      look(now);
      wake_.wait(earliest({session_->next(), end_by, orphan_at, next_look()}));
    }
    say_farewell();
    return worker_outcome::stopped;
  }

  void stop() noexcept {
    stopping_ = true;
    wake_.ring();
  }

private:
  using key = std::pair<std::string, std::uint64_t>;

  static std::optional<clock::time_point>
  earliest(std::initializer_list<std::optional<clock::time_point>> all) {
    std::optional<clock::time_point> first;
    for (const auto& x : all)
      if (x && (!first || *x < *first))
        first = x;
    return first;
  }

  // The main loop.

  [[nodiscard]] std::optional<clock::time_point> next_look() const {
    if (quiet_ >= quiet_looks && !disturbed_ && host_->count() == 0)
      return std::nullopt;
    return next_look_;
  }

  void look(clock::time_point now) {
    const auto due = next_look();
    if (!due || now < *due)
      return;
    next_look_ = now + look_every;
    if (options_.looked)
      options_.looked();
    const bool all = newly_welcomed_.exchange(false) || now >= next_all_;
    if (all)
      next_all_ = now + tell_all_every;
    bool busy = false;
    for (const auto& x : host_->changes(all)) {
      busy |= x.busy;
      log_.alarm(x.uid, x.checkpoints.alarm);
      static_cast<void>(session_->send(x));
    }
    const bool restless = disturbed_.exchange(false) || busy || is_opening();
    quiet_ = restless ? 0 : std::min(quiet_ + 1, quiet_looks + 1);
    if (quiet_ == quiet_looks && options_.rested)
      options_.rested();
  }

  /// A stream is being started: the code that it needs is not to be given back now.
  [[nodiscard]] bool is_opening() const {
    const auto all = host_->hosted();
    return std::any_of(all.begin(), all.end(), [](const auto& x) { return x.generation == 0; });
  }

  /// What was said of the streams' ends goes out.
  void say_farewell() {
    session_->finish();
    const auto until = clock::now() + farewell_within;
    while (session_->has_link() && clock::now() < until)
      wake_.wait(until);
  }

  // session_listener: in the link's thread.

  worker_hello hello() override {
    worker_hello x{options_.version, ::getpid(), options_.name, session_number_, {}};
    if (peers_)
      x.peers = peers_->address();
    x.time = wall_clock();
    // In this order: a stream is noted as ended before it leaves the host.
    x.hosted = host_->hosted();
    std::lock_guard guard(mutex_);
    for (auto& y : ended_.hosted())
      if (std::none_of(x.hosted.begin(), x.hosted.end(),
                       [&](const auto& z) { return z.uid == y.uid && z.placement == y.placement; }))
        x.hosted.push_back(std::move(y));
    return x;
  }

  void welcomed(const control_welcome& x) override {
    for (const auto& y : x.refused) {
      log_.write(log_level::warning, "its placement is refused: " + y.reason, y.uid);
      kill({y.uid, y.placement, true}, false);
    }
    std::vector<link_message> due;
    {
      std::lock_guard guard(mutex_);
      for (auto& y : ended_.welcomed(x))
        due.emplace_back(std::move(y));
      for (auto& [at, y] : std::exchange(unsaid_starts_, {}))
        due.emplace_back(std::move(y));
      for (auto& [incarnation, y] : std::exchange(unsaid_savepoints_, {}))
        if (incarnation == x.incarnation)
          due.emplace_back(std::move(y));
    }
    for (const auto& y : due)
      static_cast<void>(session_->send(y));
    log_.flush();
    newly_welcomed_ = true;
  }

  void received(link_message&& x) override {
    std::visit(overloaded{
                   [this](start_stream& y) { start(std::move(y)); },
                   [this](const stop_stream& y) {
                     if (y.kill)
                       kill(y, true);
                     else
                       host_->stop(y);
                   },
                   [this](const savepoint_stream& y) { host_->savepoint(y); },
                   [this](const worker_shutdown&) { stop(); },
                   [this](const worker_identity& y) { prove_with(y); },
                   [this](const auto&) {
                     log_.write(log_level::warning,
                                "the control process has said what only workers say");
                   },
               },
               x);
  }

  void note(log_level level, const std::string& text) override {
    log_.write(level, text);
  }

  [[nodiscard]] std::shared_ptr<const link_identity> identity() {
    std::lock_guard guard(identity_mutex_);
    return identity_;
  }

  /// From the next connection on, to the control process and with other workers.
  void prove_with(const worker_identity& x) {
    auto made = link_identity::of(x.authority, x.certificate, x.key);
    if (!made || !options_.identity)
      return log_.write(log_level::warning,
                        "the control process has sent a certificate that is of no use"
                            + (made ? std::string() : ": " + made.error().message));
    std::lock_guard guard(identity_mutex_);
    identity_ = *std::move(made);
  }

  void start(start_stream x) {
    std::optional<stream_ended> said;
    {
      std::lock_guard guard(mutex_);
      if (const auto* over = ended_.find(x.uid, x.placement))
        said = *over;
      else
        ended_.replace(x.uid, x.placement);
    }
    if (!said && stopping_)
      said = stream_ended{x.uid,
                          x.placement,
                          false,
                          false,
                          make_error(ec::cancelled, "worker " + options_.name + " is ending"),
                          max_time,
                          {}};
    if (said) {
      static_cast<void>(session_->send(*said));
    } else {
      log_.know(x.uid, qualified_name(x.name_space, x.name), x.trace);
      host_->start(std::move(x));
    }
    disturbed_ = true;
    wake_.ring();
  }

  /// `ordered`: the control process waits for the end.
  void kill(const stop_stream& x, bool ordered) {
    calls_->cancel({x.uid, x.placement});
    std::optional<stream_ended> over;
    {
      std::lock_guard guard(mutex_);
      over = ended_.forget(x.uid, x.placement);
      if (!over)
        killed_.emplace(x.uid, x.placement);
    }
    if (over && ordered)
      static_cast<void>(session_->send(*over));
    if (over)
      return;
    host_->stop(x);
    // Where there is none, nobody tells its end.
    const auto hosted = host_->hosted();
    if (std::none_of(hosted.begin(), hosted.end(), [&](const auto& y) {
          return y.uid == x.uid && y.placement == x.placement && y.part == 0;
        })) {
      std::lock_guard guard(mutex_);
      killed_.erase({x.uid, x.placement});
    }
  }

  // host_listener: in threads of the host.

  void tell(stream_started x) override {
    for (const auto& text : x.notes)
      log_.write(log_level::info, text, x.uid);
    const key at{x.uid, x.placement};
    {
      std::lock_guard guard(mutex_);
      generations_[at] = x.generation;
    }
    if (session_->send(x))
      return;
    std::lock_guard guard(mutex_);
    unsaid_starts_.insert_or_assign(at, std::move(x));
  }

  void tell(stream_ended x) override {
    if (x.problem)
      log_.write(log_level::error, to_string(*x.problem), x.uid);
    log_.forget(x.uid);
    const key at{x.uid, x.placement};
    // Of the other parts nothing is asked again.
    if (x.part == 0) {
      std::lock_guard guard(mutex_);
      const auto generation = generations_.extract(at);
      unsaid_starts_.erase(at);
      if (killed_.erase(at) == 0)
        ended_.add(x, generation.empty() ? 0 : generation.mapped());
    }
    static_cast<void>(session_->send(x));
    // What its merges and the like may still ask is of no use.
    calls_->cancel({x.uid, x.placement});
    disturbed_ = true;
    wake_.ring();
  }

  void tell(savepoint_made x) override {
    const auto incarnation = session_->incarnation();
    if (session_->send(x))
      return;
    std::lock_guard guard(mutex_);
    unsaid_savepoints_.emplace_back(incarnation, std::move(x));
  }

  // host_services.

  std::shared_ptr<shared_ledger> ledger(const stream_placement& of) override {
    return std::make_shared<shared_ledger>(
        [calls = calls_, of]() -> result<std::unique_ptr<stream_ledger>> {
          return std::unique_ptr<stream_ledger>(std::make_unique<remote_ledger>(calls, of));
        });
  }

  std::unique_ptr<topic_access> topics(const stream_placement& of, const std::string&) override {
    return make_remote_topics(calls_, session_->watches(), of,
                              cache_ ? topic_reading::link : topic_reading::files);
  }

  result<std::shared_ptr<snapshot_store>> files(const stream_placement& of) override {
    if (!cache_)
      return std::shared_ptr<snapshot_store>{};
    EBB_ASSIGN(auto opened, cache_->open(of.uid, std::make_shared<remote_objects>(calls_, of)));
    return std::shared_ptr<snapshot_store>(std::move(opened));
  }

  void note(const stream_placement& of, const std::string& text) override {
    log_.write(log_level::warning, text, of.uid);
  }

  peer_desk& peers() override {
    return *peers_;
  }

  /// Why the node's copies cannot be used, where they were to be: streams run without, too.
  result<std::string> open_cache() {
    auto how = options_.cache;
    std::string unshared;
    if (!options_.node_cache.folder.empty()) {
      if (auto node = node_cache::open(options_.node_cache)) {
        how.node = *std::move(node);
        how.folder = how.node->own_folder();
      } else {
        unshared = "copies of state are not shared on this node: " + to_string(node.error());
      }
    }
    if (how.node == nullptr)
      EBB_TRY(make_folder(how.folder, 0700));
    cache_.emplace(std::move(how));
    return unshared;
  }

  result<void> meet_peers() {
    if (options_.identity) {
      // Who reaches the control process this way is reached this way by its other workers.
      EBB_ASSIGN(const auto own, address_towards(options_.place));
      EBB_ASSIGN(peers_, peer_server::listen(*loop_, own, [this] { return identity(); }));
      return {};
    }
    EBB_TRY(make_folder(peer_folder(options_.control), 0700));
    EBB_ASSIGN(peers_, peer_server::listen(*loop_, peer_path(options_.control, options_.name)));
    return {};
  }

  const worker_options options_;
  const bell wake_;
  const std::uint64_t session_number_;
  const std::shared_ptr<link_calls> calls_;
  std::atomic<bool> stopping_ = false;
  std::atomic<bool> newly_welcomed_ = false;
  std::atomic<bool> disturbed_ = false; ///< a stream has come or gone since the last look

  // Of the main loop.
  clock::time_point next_look_ = clock::now();
  clock::time_point next_all_ = clock::now();
  std::uint32_t quiet_ = 0;

  std::mutex identity_mutex_;
  std::shared_ptr<const link_identity> identity_ = options_.identity;

  std::mutex mutex_; ///< guards what follows; nothing is called with it
  ended_streams ended_;
  std::set<key> killed_; ///< their ends are said once
  std::map<key, std::uint64_t> generations_;
  std::map<key, stream_started> unsaid_starts_;
  std::vector<std::pair<std::uint64_t, savepoint_made>> unsaid_savepoints_; ///< by incarnation

  std::optional<snapshot_cache> cache_;
  worker_log log_;
  std::optional<control_session> session_;
  std::unique_ptr<link_loop> loop_;
  std::unique_ptr<peer_server> peers_; ///< null where a test connects
  std::optional<stream_host> host_;
};

worker_process::worker_process(std::unique_ptr<parts> made) : parts_(std::move(made)) {}

worker_process::~worker_process() = default;

result<std::unique_ptr<worker_process>> worker_process::make(worker_options options) {
  EBB_ASSIGN(auto wake, bell::make());
  auto made = std::make_unique<parts>(std::move(options), std::move(wake));
  EBB_TRY(made->open());
  return std::unique_ptr<worker_process>(new worker_process(std::move(made)));
}

worker_outcome worker_process::run() {
  return parts_->run();
}

void worker_process::stop() noexcept {
  parts_->stop();
}

} // namespace ebb
