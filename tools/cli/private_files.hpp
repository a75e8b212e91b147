/// What of a service other users of the machine can read and should not.
#pragma once

#include <string>
#include <vector>

namespace ebb::cli {

/// One sentence each, with the remedy: files with tokens, keys or state in the data folder that an
/// earlier version or a person has left readable, and the key of the interface. `group`: the
/// group's right counts, too; a cluster gives volumes to one.
[[nodiscard]] std::vector<std::string>
readable_by_others(const std::string& data_folder, const std::string& tls_key, bool group);

} // namespace ebb::cli
