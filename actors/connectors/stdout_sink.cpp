#include "actors/connectors/stdout_sink.hpp"

#include "actors/connectors/apply_output.hpp"
#include "actors/connectors/debezium_writer.hpp"
#include "actors/connectors/direct_target.hpp"
#include "actors/connectors/sink_parts.hpp"
#include "actors/connectors/stdout_table.hpp"

#include <cerrno>
#include <fcntl.h>
#include <unistd.h>

namespace ebb {

namespace {

constexpr std::chrono::milliseconds table_patience{50};
constexpr const char* shown = "standard output";

std::unique_ptr<record_writer> make_plain_csv(const schema& columns) {
  return make_csv_writer(columns, ',');
}

result<std::unique_ptr<output_target>>
target_of(const sink_definition& sink, const connector_context& context, text_sink_parts& parts) {
  if (write_mode_of(context) == write_mode::exactly_once) {
    EBB_ASSIGN(auto how, stage_in_output_folder(sink.name, context, 0));
    how.has_offsets = false;
    parts.discard = [stopped = how.stopped] { *stopped = true; };
    how.target = [](epoch_number) { return std::string(stdout_target); };
    // How many rows there were is no part of any epoch.
    how.rest = show_file;
    return make_staged_target(std::move(how));
  }
  descriptor file(::fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 3));
  if (file.number() < 0)
    return file_error("write", shown, errno);
  if (write_mode_of(context) == write_mode::at_least_once)
    return make_direct_target(std::move(file), compression::none, 0, shown);
  return make_plain_target(make_writer(std::move(file), compression::none, shown), nullptr);
}

} // namespace

result<std::unique_ptr<sink_writer>> open_stdout_sink(const sink_definition& sink,
                                                      const stdout_sink& options,
                                                      const schema& columns,
                                                      connector_context context) {
  EBB_ASSERT(context.io != nullptr);
  text_sink_parts parts;
  const bool changes = context.updating;
  switch (options.format) {
  case stdout_format::table:
    parts.format =
        changes ? make_signed_writer(columns, make_table_writer) : make_table_writer(columns);
    parts.patience = table_patience;
    break;
  case stdout_format::json:
    parts.format =
        changes ? make_debezium_writer(columns, context.unique_key) : make_json_writer(columns);
    break;
  case stdout_format::csv:
    parts.format = changes ? make_signed_writer(columns, make_plain_csv) : make_plain_csv(columns);
    break;
  }
  auto target = target_of(sink, context, parts);
  if (!target) {
    auto problem = std::move(target).error();
    problem.place = sink.place;
    return problem;
  }
  parts.output = std::make_unique<file_output>(*std::move(target), context);
  return make_text_sink(std::move(parts));
}

} // namespace ebb
