#include "actors/service/worker/log_rotation.hpp"
#include "actors/service/worker/worker_process.hpp"
#include "tools/cli/commands.hpp"
#include "tools/cli/load.hpp"
#include "tools/cli/process_memory.hpp"

#include <atomic>
#include <chrono>
#include <csignal>

namespace ebb::cli {

namespace {

/// Set while signals may come.
std::atomic<worker_process*> running{nullptr};

extern "C" void on_stop_signal(int) {
  if (auto* process = running.load())
    process->stop();
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
  options.rested = give_memory_back;
  options.looked = [&log] { log.look(); };
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
  return outcome == worker_outcome::stopped ? exit_done : exit_failed;
}

} // namespace ebb::cli
