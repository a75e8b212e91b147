// Commands that look into a data folder, also while a run uses it.

#include "actors/runtime/moment_text.hpp"
#include "actors/runtime/state_rows.hpp"
#include "actors/service/file_checks.hpp"
#include "actors/service/views.hpp"
#include "storage/control_db.hpp"
#include "tools/cli/commands.hpp"
#include "tools/cli/folder_commands.hpp"
#include "tools/cli/stats.hpp"
#include "tools/cli/text_table.hpp"
#include "tools/client/yaml_text.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <cstdio>
#include <utility>

namespace ebb::cli {

namespace {

using json = nlohmann::ordered_json;

std::string segments_folder(const std::string& folder, const stream_entry& stream) {
  return folder + "/streams/" + stream.uid + "/segments";
}

result<int> show_checkpoints(const state_arguments& arguments) {
  if (arguments.watch)
    return make_error(ec::invalid_argument, "--watch asks a service, and --data a folder",
                      "leave one of them out");
  EBB_ASSIGN(auto opened, open_stream(arguments.data, arguments.stream));
  EBB_ASSIGN(auto records, opened.database.records(opened.stream.uid));
  EBB_ASSIGN(const auto savepoints, opened.database.savepoints(opened.stream.uid));
  EBB_ASSIGN(const auto given_up, opened.database.given_up_savepoints(opened.stream.uid));
  for (const auto& x : savepoints)
    if (std::none_of(records.begin(), records.end(),
                     [&](const auto& r) { return r.epoch == x.record.epoch; }))
      records.push_back(x.record);
  std::sort(records.begin(), records.end(),
            [](const auto& a, const auto& b) { return a.epoch > b.epoch; });
  const auto names_of = [&](std::uint64_t epoch) {
    std::vector<std::string> names;
    for (const auto& x : savepoints)
      if (x.record.epoch == epoch)
        names.push_back(x.name);
    return names;
  };
  if (arguments.output == "json" || arguments.output == "yaml") {
    EBB_ASSIGN(const auto kept, opened.database.records(opened.stream.uid));
    const auto all = checkpoints_json(kept, savepoints, given_up, kept.size() + savepoints.size());
    std::fputs(client::listing_text(json::parse(all), arguments.output).c_str(), stdout);
    return exit_done;
  }
  if (arguments.output == "name") {
    for (const auto& x : records) {
      const auto names = names_of(x.epoch);
      std::printf("checkpoint/%s\n",
                  names.empty() ? std::to_string(x.epoch).c_str() : names.front().c_str());
    }
    return exit_done;
  }
  text_table table({"EPOCH", "TIME", "REASON", "TOOK", "ALIGN", "SNAPSHOT", "WRITE", "WRITTEN",
                    "SEGMENTS", "STATE", "GENERATION", "SAVEPOINT"});
  for (const std::size_t i : {0U, 3U, 4U, 5U, 6U, 7U, 8U, 9U, 10U})
    table.right(i);
  for (const auto& x : records) {
    std::uint64_t state = 0;
    for (const auto& segment : x.segments)
      state += segment.bytes;
    std::string names;
    for (const auto& name : names_of(x.epoch))
      names += (names.empty() ? "" : ", ") + name
               + (std::find(given_up.begin(), given_up.end(), name) == given_up.end()
                      ? ""
                      : " (given up)");
    table.add({std::to_string(x.epoch), moment_text(x.when),
               std::string(to_string(x.reason)) + (x.finished ? ", finished" : ""),
               duration_text(x.phases.align + x.phases.serialise + x.phases.write
                             + x.phases.commit),
               duration_text(x.phases.align), duration_text(x.phases.serialise),
               duration_text(x.phases.write), size_text(x.bytes), std::to_string(x.segments.size()),
               size_text(state), std::to_string(x.generation), names});
  }
  std::fputs(table.text().c_str(), stdout);
  return exit_done;
}

result<int> inspect(const state_arguments& arguments) {
  EBB_ASSIGN(auto opened, open_stream(arguments.data, arguments.stream));
  const auto& stream = opened.stream;
  EBB_ASSIGN(const auto record, opened.database.newest_record(stream.uid));
  if (!record)
    return make_error(ec::not_found, "stream " + stream.name + " has no checkpoint yet",
                      "run it with --data until its first checkpoint");
  EBB_ASSIGN(const auto found, read_state_rows({segments_folder(arguments.data, stream),
                                                arguments.target, arguments.key, arguments.limit},
                                               stream, *record));
  if (arguments.output == "json") {
    std::puts(json::parse(state_json(found)).dump(2).c_str());
    return exit_done;
  }
  text_table table({"STATE", "KEY GROUP", "KEY", "VALUE"});
  table.right(1);
  for (const auto& x : found.rows)
    table.add({x.state, x.group, x.key, x.value});
  std::printf("stream %s, epoch %llu of %s\n", stream.name.c_str(),
              static_cast<unsigned long long>(record->epoch), moment_text(record->when).c_str());
  std::fputs(table.text().c_str(), stdout);
  if (found.more)
    std::printf("more than %llu %s: name a key, or raise --limit\n",
                static_cast<unsigned long long>(arguments.limit),
                arguments.limit == 1 ? "entry" : "entries");
  return exit_done;
}

result<int> verify_all(const state_arguments& arguments) {
  const auto folders = folders_of(arguments.data);
  EBB_ASSIGN(auto database, control_db::open_read_only(arguments.data));
  EBB_ASSIGN(const auto streams, database.streams());
  EBB_ASSIGN(const auto topics, database.topics());
  text_table table({"NAME", "FILE", "SIZE", "RESULT"});
  table.right(2);
  std::uint64_t files = 0;
  std::uint64_t damaged = 0;
  const auto tell = [&](const checked_file& x) {
    ++files;
    damaged += x.problem ? 1 : 0;
    if (arguments.output == "json")
      std::puts(check_json(x).c_str());
    else
      table.add({x.kind + '/' + x.name, x.file,
                 x.kind == "control" ? std::to_string(x.rows) + (x.rows == 1 ? " entry" : " entries")
                 : x.kind == "topic" ? counted(x.rows, "row")
                                     : size_text(x.bytes),
                 x.problem ? x.problem->message : "good"});
    return true;
  };
  for (const auto& stream : streams) {
    if (stream.life == stream_life::deleted)
      continue;
    EBB_ASSIGN(auto records, database.records(stream.uid));
    EBB_ASSIGN(const auto savepoints, database.savepoints(stream.uid));
    for (const auto& x : savepoints)
      records.push_back(x.record);
    static_cast<void>(
        check_segments(segments_folder(arguments.data, stream), stream, records, tell));
  }
  for (const auto& topic : topics) {
    auto reader = topic_reader::open(arguments.data + "/topics/" + topic.uid);
    const topic_rows_source from{
        [&]() -> result<std::vector<topic_bounds>> {
          return reader ? reader->bounds() : reader.error();
        },
        [&](std::uint32_t partition, std::uint64_t offset, const topic_read_limits& limits) {
          return reader->read(partition, offset, limits);
        }};
    static_cast<void>(check_topic(topic.name, from, tell));
  }
  static_cast<void>(check_control(arguments.data, folders, database.check(), tell));
  if (arguments.output == "json")
    std::puts(json{{"files", files}, {"damaged", damaged}}.dump().c_str());
  else
    std::fputs(table.text().c_str(), stdout);
  if (damaged == 0)
    return exit_done;
  return make_error(ec::corrupt,
                    counted(damaged, "file") + (damaged == 1 ? " is damaged" : " are damaged"),
                    "restore them from a copy of the data folder; ebb run goes back to an older "
                    "checkpoint where no output has gone out since");
}

} // namespace

int checkpoints_command(const state_arguments& arguments) {
  return finish_on_folder(show_checkpoints(arguments));
}

int inspect_command(const state_arguments& arguments) {
  return finish_on_folder(inspect(arguments));
}

int verify_command(const state_arguments& arguments) {
  return finish_on_folder(verify_all(arguments));
}

} // namespace ebb::cli
