/// Whose a file is that sinks write: one stream's at a time.
#pragma once

#include "actors/connectors/file_io.hpp"
#include "schemas/error.hpp"

#include <string>

namespace ebb {

/// Claims an open file for a writer until all descriptors of this open file are closed, also by the
/// writer's death. A writer of the same name is let in: a process that was given up may not know it
/// yet, and its generation keeps it out. An error (ec::conflict, with the process id) while a writer
/// of another name has it. Nothing is claimed where the file system has no locks. `file` may be read
/// and written; `shown`: its path.
[[nodiscard]] result<void> claim_file(const descriptor& file, const std::string& writer,
                                      const std::string& shown);

/// The error that `claim_file` would have, without a claim.
[[nodiscard]] result<void> check_claim(const descriptor& file, const std::string& writer,
                                       const std::string& shown);

/// Of a sink of a stream with checkpoints, whatever process it runs in; of a stream without a uid,
/// this process. A copy of the data folder has streams of the same uids, which are other writers.
[[nodiscard]] std::string claim_name(const std::string& stream_uid, const std::string& data_folder,
                                     const std::string& sink);

} // namespace ebb
