/// Options of the commands that serve: `ebb up`, and the processes that it runs streams in.
#pragma once

#include "tools/cli/commands.hpp"

namespace CLI {
class App;
} // namespace CLI

namespace ebb::cli {

void add_up(CLI::App& app, up_arguments& to);

/// Hidden: the service starts its workers by it.
CLI::App* add_worker(CLI::App& app, worker_arguments& to);

} // namespace ebb::cli
