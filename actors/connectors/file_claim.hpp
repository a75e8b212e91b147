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

} // namespace ebb
