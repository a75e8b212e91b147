#include "actors/plan/manifest.hpp"

#include "actors/plan/changelog.hpp"
#include "actors/plan/manifest_parts.hpp"
#include "actors/plan/sink_folder.hpp"

#include <filesystem>
#include <map>

namespace ebb {

namespace {

using manifest::located;
using manifest::name_table;
using manifest::reader;

constexpr std::uint64_t most_key_groups = 32'768;
constexpr std::uint64_t most_workers = 64;

/// What the documents of one stream say besides sources, operators and sinks.
result<void> read_settings(const reader& in, const located& spec, stream_definition& out) {
  if (const auto x = reader::field(spec, "maxParallelism")) {
    EBB_ASSIGN(const auto value, in.integer(x, 1, most_key_groups));
    out.max_parallelism = static_cast<std::uint16_t>(value);
  }
  if (const auto x = reader::field(spec, "parallelism")) {
    EBB_ASSIGN(const auto value, in.integer(x, 1, out.max_parallelism));
    out.parallelism = static_cast<std::uint32_t>(value);
  }
  if (const auto x = reader::field(spec, "workers")) {
    EBB_ASSIGN(const auto value, in.integer(x, 1, most_workers));
    out.workers = static_cast<std::uint32_t>(value);
  }
  if (const auto x = reader::field(spec, "checkpoint")) {
    EBB_TRY(in.keys(x, {"interval", "mode"}));
    if (const auto interval = reader::field(x, "interval")) {
      EBB_ASSIGN(out.checkpoint_interval, in.duration(interval, 1));
    }
    if (const auto mode = reader::field(x, "mode")) {
      EBB_ASSIGN(const auto which, in.word(mode, {"exactly-once", "at-least-once"}));
      out.exactly_once = which == 0;
    }
  }
  if (const auto x = reader::field(spec, "onChange")) {
    EBB_ASSIGN(const auto which, in.word(x, {"refuse", "reset"}));
    out.reset_state = which == 1;
  }
  return {};
}

result<void> read_sleep(const reader& in, const located& spec, sleep_definition& out) {
  const auto at = reader::field(spec, "sleep");
  if (!at)
    return {};
  EBB_TRY(in.keys(at, {"idleAfter", "whenIdle", "advanceAfter"}));
  if (const auto x = reader::field(at, "idleAfter")) {
    EBB_ASSIGN(out.idle_after, in.duration_or(x, "never", 1));
  }
  if (const auto x = reader::field(at, "advanceAfter")) {
    EBB_ASSIGN(out.advance_after, in.duration(x, 1));
  }
  if (const auto x = reader::field(at, "whenIdle")) {
    EBB_ASSIGN(const auto which, in.word(x, {"hold", "advance"}));
    out.advance = which == 1;
  }
  return {};
}

std::string normal_path(const std::string& folder, const std::string& path) {
  return (std::filesystem::path(folder) / path).lexically_normal().string();
}

/// Reads the lists of one stream and checks what holds across them.
class stream_reader {
public:
  stream_reader(const reader& in, located spec, stream_definition& out)
      : in_(in), spec_(std::move(spec)), out_(out) {}

  result<void> run() {
    EBB_ASSIGN(const auto sources, in_.required(spec_, "sources", "a list of sources"));
    EBB_ASSIGN(source_nodes_, in_.items(sources, "sources", manifest::max_sources));
    EBB_ASSIGN(operator_nodes_,
               in_.items(reader::field(spec_, "operators"), "operators", manifest::max_operators));
    EBB_ASSIGN(sink_nodes_, in_.items(reader::field(spec_, "sinks"), "sinks", manifest::max_sinks));
    if (source_nodes_.empty())
      return in_.fail(sources, "a stream needs at least one source", "begin it with `- name: `");
    for (const auto& at : source_nodes_) {
      EBB_ASSIGN(auto source, manifest::read_source(in_, at));
      EBB_TRY(names_.add(in_, at, source.name, "sources or operators"));
      out_.sources.push_back(std::move(source));
    }
    for (const auto& at : operator_nodes_) {
      EBB_ASSIGN(auto step, manifest::read_operator(in_, at, out_.max_parallelism));
      EBB_TRY(names_.add(in_, at, step.name, "sources or operators"));
      out_.operators.push_back(std::move(step));
    }
    EBB_TRY(read_sinks());
    EBB_TRY(check_files());
    warn_circles();
    warn_unused();
    warn_without_key();
    return {};
  }

private:
  result<void> read_sinks() {
    name_table sinks;
    for (std::size_t i = 0; i < sink_nodes_.size(); ++i) {
      EBB_ASSIGN(auto sink, manifest::read_sink(in_, sink_nodes_[i]));
      if (sink.name.empty())
        sink.name = i == 0 ? "sink" : "sink-" + std::to_string(i + 1);
      EBB_TRY(sinks.add(in_, sink_nodes_[i], sink.name, "sinks"));
      if (sink.from.empty()) {
        EBB_ASSIGN(sink.from, default_input(sink_nodes_[i]));
      } else if (!names_.has(sink.from)) {
        const auto nearest = nearest_name(sink.from, names_.names());
        return in_.fail(
            reader::field(sink_nodes_[i], "from"), "there is no operator or source " + sink.from,
            nearest.empty() ? "name one that this stream has" : "did you mean " + nearest + "?");
      }
      out_.sinks.push_back(std::move(sink));
    }
    if (!out_.sinks.empty())
      return {};
    sink_definition shown;
    shown.name = "sink";
    shown.connector = stdout_sink{};
    shown.place = out_.place;
    EBB_ASSIGN(shown.from, default_input(spec_));
    out_.sinks.push_back(std::move(shown));
    return {};
  }

  result<std::string> default_input(const located& at) const {
    if (!out_.operators.empty())
      return out_.operators.back().name;
    if (out_.sources.size() == 1)
      return out_.sources.front().name;
    return in_.fail(at, "from is missing: there are several sources and no operator",
                    "add a sink with from: " + out_.sources.front().name);
  }

  /// No two sinks write one file, and none writes what a source reads.
  result<void> check_files() const {
    std::map<std::string, std::string> writers;
    for (std::size_t i = 0; i < sink_nodes_.size(); ++i) {
      const auto* file = std::get_if<file_sink>(&out_.sinks[i].connector);
      if (file == nullptr)
        continue;
      const auto at = reader::field(reader::field(sink_nodes_[i], "file"), "path");
      const auto path = normal_path(out_.folder, file->path);
      const auto [other, is_new] = writers.emplace(path, out_.sinks[i].name);
      if (!is_new && !is_special_file(path))
        return in_.fail(at,
                        "sinks " + other->second + " and " + out_.sinks[i].name
                            + " write one file, " + path,
                        "give each its own path");
      for (const auto& source : out_.sources) {
        const auto* input = std::get_if<file_source>(&source.connector);
        if (input != nullptr && normal_path(out_.folder, input->path) == path)
          return in_.fail(
              at, "this sink would overwrite what source " + source.name + " reads, " + path,
              "give it another path");
      }
    }
    return {};
  }

  [[nodiscard]] bool is_read(const std::string& name, std::size_t first_operator) const {
    for (auto i = first_operator; i < out_.operators.size(); ++i)
      if (manifest::mentions(out_.operators[i].sql, name))
        return true;
    for (const auto& sink : out_.sinks)
      if (sink.from == name)
        return true;
    return false;
  }

  /// A stream that reads what it writes goes on for ever.
  void warn_circles() const {
    for (std::size_t i = 0; i < sink_nodes_.size(); ++i)
      if (const auto* to = std::get_if<topic_sink>(&out_.sinks[i].connector))
        for (const auto& source : out_.sources)
          if (const auto* from = std::get_if<topic_source>(&source.connector);
              from != nullptr && from->name == to->name)
            in_.warn(sink_nodes_[i],
                     "sink " + out_.sinks[i].name + " writes topic " + to->name + ", which source "
                         + source.name + " reads: rows may go round for ever",
                     "write to another topic");
  }

  void warn_unused() const {
    for (std::size_t i = 0; i < out_.sources.size(); ++i)
      if (!is_read(out_.sources[i].name, 0))
        in_.warn(source_nodes_[i], "nothing reads source " + out_.sources[i].name,
                 "name it in a query, or remove it");
    for (std::size_t i = 0; i < out_.operators.size(); ++i)
      if (!is_read(out_.operators[i].name, i + 1))
        in_.warn(operator_nodes_[i], "nothing reads operator " + out_.operators[i].name,
                 "name it in a later operator or in a sink's from, or remove it");
  }

  /// What a wrong or missing `before` costs is seen late, or never.
  void warn_without_key() const {
    for (std::size_t i = 0; i < out_.sources.size(); ++i)
      if (const auto& source = out_.sources[i];
          reads_changes(source) && source.primary_key.empty())
        in_.warn(reader::field(source_nodes_[i], "schema"),
                 "source " + source.name
                     + " reads changes without a PRIMARY KEY: they are matched by whole rows, so "
                       "before must have all fields of u and d records as they were, and one that "
                       "is wrong may make results wrong without an error",
                 "add PRIMARY KEY (…) where a row has one: then the source knows what was there, "
                 "whatever before says");
  }

  const reader& in_;
  located spec_;
  stream_definition& out_;
  std::vector<located> source_nodes_;
  std::vector<located> operator_nodes_;
  std::vector<located> sink_nodes_;
  name_table names_;
};

} // namespace

result<stream_definition> manifest::read_stream(const reader& in, const located& document,
                                                const std::string& folder) {
  stream_definition out;
  out.folder = folder;
  out.place = in.place(document);
  EBB_ASSIGN(auto named, read_metadata(in, document));
  out.name = std::move(named.name);
  out.name_space = std::move(named.name_space);
  EBB_ASSIGN(const auto spec, in.required(document, "spec", "spec with sources"));
  EBB_TRY(in.keys(spec, {"sources", "operators", "sinks", "checkpoint", "sleep", "onChange",
                         "parallelism", "maxParallelism", "workers", "pod"}));
  EBB_TRY(read_settings(in, spec, out));
  EBB_TRY(read_sleep(in, spec, out.sleep));
  EBB_TRY(manifest::check_pod(in, spec));
  EBB_TRY(stream_reader(in, spec, out).run());
  return out;
}

} // namespace ebb
