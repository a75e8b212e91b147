/// Keeps `--stats` away from files that are not its own.
#pragma once

#include "actors/plan/manifest.hpp"
#include "schemas/error.hpp"

#include <string>
#include <vector>

namespace ebb::cli {

/// An error (ec::invalid_argument) where `--stats PATH` would replace one of the manifests, or what
/// is not the statistics of an earlier run (an empty file, a pipe or a device will do). Before the
/// manifests are read: a run that fails on them writes its statistics, too.
[[nodiscard]] result<void> check_stats_path(const std::string& path,
                                            const std::vector<std::string>& manifests);

/// An error where the path is one that a source of the streams reads, or that their sinks or their
/// bad records are written to, whether the file is there yet or not. `data`: the data folder, or
/// empty.
[[nodiscard]] result<void> check_stats_path(const std::string& path,
                                            const std::vector<stream_definition>& streams,
                                            const std::string& data);

} // namespace ebb::cli
