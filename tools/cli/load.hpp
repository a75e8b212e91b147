/// Reads manifests for commands and prints what is wrong with them.
#pragma once

#include "actors/plan/manifest.hpp"

#include <string>
#include <vector>

namespace ebb::cli {

/// Prints `error: …` (or `warning: …`) with place, excerpt and hint to stderr.
void print_error(const error& problem);
void print_warning(const error& problem);

/// Prints why `run` or `up` does not start or has failed; the exit code. Errors in what a person
/// wrote end with 2, those of the run with 1.
[[nodiscard]] int exit_of_start(const error& problem);

/// All documents of the files, in order. Warnings are printed; names must differ across the files.
[[nodiscard]] result<manifest_documents> load_documents(const std::vector<std::string>& files);

/// The same for files that hold streams only; there must be one.
[[nodiscard]] result<std::vector<stream_definition>>
load_streams(const std::vector<std::string>& files);

} // namespace ebb::cli
