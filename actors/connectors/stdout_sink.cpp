#include "actors/connectors/stdout_sink.hpp"

#include "actors/connectors/file_text_sink.hpp"
#include "actors/connectors/stdout_table.hpp"

#include <cerrno>
#include <fcntl.h>
#include <unistd.h>

namespace ebb {

namespace {

constexpr std::chrono::milliseconds table_patience{50};

} // namespace

result<std::unique_ptr<sink_writer>> open_stdout_sink(const sink_definition& sink,
                                                      const stdout_sink& options,
                                                      const schema& columns,
                                                      connector_context context) {
  EBB_ASSERT(context.io != nullptr);
  descriptor file(::fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 3));
  if (file.number() < 0) {
    auto problem = file_error("write", "standard output", errno);
    problem.place = sink.place;
    return problem;
  }
  text_sink_parts parts;
  switch (options.format) {
  case stdout_format::table:
    parts.format = make_table_writer(columns);
    parts.patience = table_patience;
    break;
  case stdout_format::json:
    parts.format = make_json_writer(columns);
    break;
  case stdout_format::csv:
    parts.format = make_csv_writer(columns, ',');
    break;
  }
  parts.output = std::make_unique<file_output>(
      make_writer(std::move(file), compression::none, "standard output"), context, nullptr);
  return make_text_sink(std::move(parts));
}

} // namespace ebb
