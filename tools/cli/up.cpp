// `ebb up`: the service on this machine.

#include "actors/links/link_place.hpp"
#include "actors/runtime/engine_config.hpp"
#include "actors/service/apply_plan.hpp"
#include "actors/service/control_process.hpp"
#include "actors/service/process_log.hpp"
#include "k8s-bridge/bridge.hpp"
#include "k8s-bridge/local_backend.hpp"
#include "k8s-bridge/worker_logs.hpp"
#include "storage/files.hpp"
#include "tools/cli/commands.hpp"
#include "tools/cli/load.hpp"
#include "tools/cli/private_files.hpp"
#include "tools/cli/process_memory.hpp"
#include "tools/cli/stats.hpp"
#include "tools/cli/up_kubernetes.hpp"

#include <caf/actor_system.hpp>
#include <caf/exit_reason.hpp>
#include <caf/send.hpp>
#include <caf/typed_event_based_actor.hpp>

#include <algorithm>
#include <csignal>
#include <filesystem>
#include <functional>
#include <mutex>
#include <unistd.h>

namespace ebb::cli {

namespace {

/// Addresses as people write them: `8181`, `:8181`, `127.0.0.1:8181`, `[::1]:8181`.
result<void> parse_address(const std::string& text, http_options& to) {
  const auto wrong = [&] {
    return make_error(ec::invalid_argument, "--listen " + text + " is no address",
                      "write HOST:PORT, like 127.0.0.1:8181");
  };
  const auto colon = text.rfind(':');
  auto host = colon == std::string::npos ? std::string{} : text.substr(0, colon);
  const auto port = colon == std::string::npos ? text : text.substr(colon + 1);
  if (host.size() > 2 && host.front() == '[' && host.back() == ']')
    host = host.substr(1, host.size() - 2);
  if (!host.empty())
    to.address = host;
  const auto number = parse_port(port);
  if (!number)
    return wrong();
  to.port = *number;
  return {};
}

/// SIGINT and SIGTERM, as a thing to wait for: blocked in all threads that start afterwards.
class signals {
public:
  signals() {
    sigemptyset(&set_);
    sigaddset(&set_, SIGINT);
    sigaddset(&set_, SIGTERM);
    pthread_sigmask(SIG_BLOCK, &set_, nullptr);
    std::signal(SIGPIPE, SIG_IGN);
  }

  int wait() const {
    int signal = 0;
    sigwait(&set_, &signal);
    return signal;
  }

  /// The next one ends the process at once.
  void let_go() const {
    pthread_sigmask(SIG_UNBLOCK, &set_, nullptr);
  }

private:
  sigset_t set_{};
};

/// What streams say, for programs: people ask `ebb logs`.
void tell_stream(const std::string& qualified, const log_line& what) {
  if (log_form_now() != log_form::json || what.level == log_level::debug)
    return;
  const auto name = split(qualified);
  log_fields fields{{"namespace", name.name_space}, {"stream", name.name}};
  fields.insert(fields.end(), what.fields.begin(), what.fields.end());
  tell_log(what.level, what.text, fields);
}

result<control_options> options_of(const up_arguments& arguments) {
  control_options options;
  EBB_TRY(parse_address(arguments.listen, options.http));
  options.data_folder = std::filesystem::absolute(arguments.data).lexically_normal().string();
  while (options.data_folder.size() > 1 && options.data_folder.back() == '/')
    options.data_folder.pop_back();
  if (!arguments.files.empty()) {
    // On a volume that is new there is nothing yet.
    if (arguments.backend == "kubernetes")
      EBB_TRY(make_folder(arguments.files));
    std::error_code problem;
    if (arguments.backend == "kubernetes") // on control's volume, which is empty at first
      std::filesystem::create_directories(arguments.files, problem);
    const auto files = std::filesystem::canonical(arguments.files, problem);
    if (problem)
      return make_error(ec::not_found, "--files " + arguments.files + ": " + problem.message(),
                        "name a folder that exists");
    options.files_folder = files.string();
  }
  options.http.tls_certificate = arguments.tls_certificate;
  options.http.tls_key = arguments.tls_key;
  options.http.token_folder = options.data_folder;
  options.http.version = version_text();
  options.placement.warm = arguments.warm.value_or(1);
  options.placement.max_workers = arguments.max_workers.value_or(8);
  options.rested = give_memory_back;
  options.stream_said = tell_stream;
  return options;
}

using make_backend =
    std::function<result<std::unique_ptr<worker_backend>>(worker_listener& listener)>;
using living_workers = std::function<std::vector<std::string>()>;

/// Copies that workers have who share no folder with this process.
std::string cache_folder(const std::string& data_folder) {
  return data_folder + "/cache";
}

/// Of workers that are gone: they were killed, or the machine has stopped.
void remove_caches(const std::string& data_folder, const std::vector<std::string>& living) {
  std::error_code problem;
  std::vector<std::filesystem::path> gone;
  for (std::filesystem::directory_iterator x(cache_folder(data_folder), problem), end;
       !problem && x != end; x.increment(problem))
    if (std::find(living.begin(), living.end(), x->path().filename()) == living.end())
      gone.push_back(x->path());
  for (const auto& x : gone)
    std::filesystem::remove_all(x, problem);
}

/// Processes of this machine, with logs in the data folder.
make_backend local_workers(const std::string& data_folder, const worker_address& at,
                           const up_arguments& arguments) {
  local_backend_options backend;
  backend.arguments = {"worker"};
  backend.arguments.insert(backend.arguments.end(), at.arguments.begin(), at.arguments.end());
  const auto add = [&](const char* name, const std::string& value) {
    backend.arguments.insert(backend.arguments.end(), {name, value});
  };
  if (arguments.threads != 0)
    add("--threads", std::to_string(arguments.threads));
  if (arguments.store == "link") {
    add("--cache", cache_folder(data_folder));
    add("--cache-bytes", std::to_string(arguments.cache_bytes));
  }
  backend.log_folder = data_folder + "/logs";
  return [backend](worker_listener& listener) { return make_local_backend(backend, listener); };
}

/// Workers through the bridge actor.
class bridged_workers {
public:
  /// `caches`: the folder that holds theirs, by name; empty = they have none here.
  bridged_workers(make_backend make, living_workers living, std::string caches)
      : living_(std::move(living)), caches_(std::move(caches)), config_(1), system_(config_) {
    bridge_setup setup;
    setup.make = std::move(make);
    setup.tell = [this](const worker_news& x) { told(x); };
    bridge_ = system_.spawn(bridge, std::move(setup));
  }

  ~bridged_workers() {
    caf::anon_send_exit(bridge_, caf::exit_reason::user_shutdown);
    bridge_ = nullptr;
    system_.await_all_actors_done();
  }

  bridged_workers(const bridged_workers&) = delete;
  bridged_workers& operator=(const bridged_workers&) = delete;

  worker_starter starter() {
    using kind = worker_order::kind;
    return {[this](const std::string& name) {
              order({kind::start, name, 0});
            },
            {},
            [this](const std::string& name, std::int64_t pid) {
              order({kind::adopt, name, pid});
            },
            [this](const std::string& name) {
              order({kind::kill, name, 0});
            },
            living_};
  }

  /// Null: nobody is told.
  void tell(control_process* to) {
    std::lock_guard guard(mutex_);
    to_ = to;
  }

private:
  void order(worker_order x) {
    caf::anon_send(bridge_, std::move(x));
  }

  void told(const worker_news& x) {
    if (x.what == worker_news::kind::started)
      return;
    const auto how = x.what == worker_news::kind::failed ? x.why.message : to_string(x.how);
    tell_log(x.what == worker_news::kind::failed ? log_level::error : log_level::info,
             x.name + ": " + how, {{"worker", x.name}});
    if (!caches_.empty()) {
      std::error_code ignored;
      std::filesystem::remove_all(caches_ + '/' + x.name, ignored);
    }
    std::lock_guard guard(mutex_);
    if (to_ != nullptr)
      to_->worker_gone(x.name, how);
  }

  const living_workers living_;
  const std::string caches_;
  engine_config config_;
  caf::actor_system system_;
  bridge_actor bridge_;
  std::mutex mutex_;
  control_process* to_ = nullptr;
};

void tell_begin(const control_process& service, const std::string& data, const std::string& files,
                bool hints) {
  const auto serves =
      "ebb serves " + counted(service.streams(), "stream") + " at " + service.url();
  if (log_form_now() == log_form::json)
    return tell_log(log_level::info, serves,
                    {{"url", service.url()}, {"data", data}, {"files", files}});
  tell_log(log_level::info, serves);
  tell_log(log_level::info, "data: " + data);
  tell_log(log_level::info,
           "files of streams: " + (files.empty() ? std::string("none (--files DIR)") : files));
  if (hints)
    tell_log(log_level::info,
             "next: ebb apply -f FILE, ebb get streams, ebb send TOPIC; Ctrl-C ends it");
}

/// Serves until a signal comes.
int serve(const up_arguments& arguments, const signals& until, control_options options,
          bridged_workers& workers, kubernetes_service* cluster) {
  const auto data = options.data_folder;
  const auto files = options.files_folder;
  auto starter = workers.starter();
  if (cluster != nullptr) {
    starter.is_for = [cluster](const std::string& worker, const worker_claim& whose) {
      cluster->is_for(worker, whose);
    };
    starter.takes_warm = [cluster](const std::string& stream) {
      return cluster->takes_warm(stream);
    };
  }
  auto service = control_process::start(std::move(options), std::move(starter));
  if (!service)
    return exit_of_start(service.error());
  workers.tell(service->get());
  if (cluster != nullptr)
    cluster->serve((*service)->resources());
  tell_begin(**service, data, files, arguments.hints && cluster == nullptr);
  const int signal = until.wait();
  tell_log(log_level::info, cluster == nullptr ? "ending: streams make their last checkpoints"
                                               : "ending: workers go on");
  until.let_go();
  if (cluster == nullptr) {
    (*service)->stop();
  } else {
    cluster->leave();
    (*service)->leave();
  }
  workers.tell(nullptr);
  service->reset();
  // SIGTERM is how the system ends a service that has done its work.
  return signal == SIGINT ? exit_interrupted : exit_done;
}

} // namespace

int up_command(const up_arguments& arguments) {
  const signals until;
  const bool terminal = ::isatty(STDERR_FILENO) == 1;
  set_log_form(arguments.log_format == "json" || (arguments.log_format == "auto" && !terminal)
                   ? log_form::json
                   : log_form::text);
  auto options = options_of(arguments);
  if (!options)
    return exit_of_start(options.error());
  const auto data = options->data_folder;
  const bool in_cluster = arguments.backend == "kubernetes";
  for (const auto& x : readable_by_others(data, options->http.tls_key, !in_cluster))
    tell_log(log_level::warning, log_form_now() == log_form::text ? "warning: " + x : x);
  // Messages and state are nobody else's business. A folder that is there keeps its mode.
  if (auto made = make_folder(data, 0700); !made)
    return exit_of_start(made.error());
  if (in_cluster) {
    auto cluster = join_cluster(arguments, *options);
    if (!cluster)
      return exit_of_start(cluster.error());
    auto& joined = **cluster;
    bridged_workers workers(
        [&joined](worker_listener& listener) { return joined.make_backend(listener); },
        [&joined] { return joined.living(); }, {});
    return serve(arguments, until, *std::move(options), workers, &joined);
  }
  auto links = arguments.links == "tls" ? tls_address(data) : socket_address(data);
  if (!links)
    return exit_of_start(links.error());
  options->links = *links;
  const worker_logs logs(data + "/logs");
  remove_caches(data, logs.living());
  bridged_workers workers(
      local_workers(data, *links, arguments), [logs] { return logs.living(); }, cache_folder(data));
  return serve(arguments, until, *std::move(options), workers, nullptr);
}

} // namespace ebb::cli
