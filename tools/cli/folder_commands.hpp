/// Commands on a data folder, without a service: what its database says, and what the running
/// `ebb run` is asked for by its socket.
#pragma once

#include "storage/control_db.hpp"
#include "tools/client/commands.hpp"

#include <string>

namespace ebb::cli {

struct opened_stream {
  control_db database;
  stream_entry stream;
};

/// To read. ec::not_found names the streams that there are; of a service's folder those of
/// namespace default need no namespace.
[[nodiscard]] result<opened_stream> open_stream(const std::string& folder, const std::string& name);

/// Prints the error, if it is one; the exit code.
[[nodiscard]] int finish_on_folder(const result<int>& done);

/// savepoint, sleep, wake, scale, restore.
[[nodiscard]] int folder_operate(const std::string& folder, const std::string& verb,
                                 const client::operate_arguments& what);
[[nodiscard]] int folder_why(const std::string& folder, const client::view_arguments& what);
[[nodiscard]] int folder_logs(const std::string& folder, const client::view_arguments& what);

} // namespace ebb::cli
