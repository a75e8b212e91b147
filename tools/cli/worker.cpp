#include "actors/service/worker/log_rotation.hpp"
#include "actors/service/worker/worker_process.hpp"
#include "tools/cli/commands.hpp"
#include "tools/cli/load.hpp"
#include "tools/cli/process_memory.hpp"

#include <atomic>
#include <chrono>
#include <csignal>
#include <filesystem>
#include <utility>

namespace ebb::cli {

namespace {

/// Set while signals may come.
std::atomic<worker_process*> running{nullptr};

extern "C" void on_stop_signal(int) {
  if (auto* process = running.load())
    process->stop();
}

result<void> use_tls(const worker_arguments& arguments, worker_options& options) {
  const auto place = parse_place(arguments.control);
  if (!place)
    return make_error(ec::invalid_argument, "--control " + arguments.control + " is no address",
                      "with --identity write HOST:PORT");
  options.place = *place;
  EBB_ASSIGN(options.identity, link_identity::load(arguments.identity, link_side::worker));
  return {};
}

} // namespace

int worker_command(const worker_arguments& arguments) {
  // A reader that goes away shows as an error of the write.
  std::signal(SIGPIPE, SIG_IGN);
  const log_rotation log(arguments.log);
  worker_options options;
  options.control = arguments.control;
  options.name = arguments.name;
  options.version = EBB_VERSION;
  options.host.threads = arguments.threads;
  options.orphan_timeout = std::chrono::duration_cast<std::chrono::milliseconds>(
      std::chrono::duration<double>(arguments.orphan_timeout));
  if (!arguments.cache.empty())
    options.cache = {arguments.cache + '/' + arguments.name, arguments.cache_bytes};
  options.node_cache = {arguments.node_cache, arguments.cache_bytes};
  options.rested = give_memory_back;
  options.looked = [&log] { log.look(); };
  if (!arguments.identity.empty()) {
    if (auto used = use_tls(arguments, options); !used) {
      print_error(used.error());
      return exit_failed;
    }
  }
  auto made = worker_process::make(std::move(options));
  if (!made) {
    print_error(made.error());
    return exit_failed;
  }
  running = made->get();
  std::signal(SIGTERM, on_stop_signal);
  std::signal(SIGINT, on_stop_signal);
  const auto outcome = (*made)->run();
  std::signal(SIGTERM, SIG_IGN);
  std::signal(SIGINT, SIG_IGN);
  running = nullptr;
  made->reset();
  if (!arguments.cache.empty()) {
    std::error_code ignored;
    std::filesystem::remove_all(arguments.cache + '/' + arguments.name, ignored);
  }
  return outcome == worker_outcome::stopped ? exit_done : exit_failed;
}

} // namespace ebb::cli
