#include "actors/plan/manifest.hpp"

#include "actors/plan/manifest_parts.hpp"

#include <filesystem>
#include <map>

namespace ebb {

namespace {

using manifest::located;
using manifest::reader;

constexpr std::uint64_t most_key_groups = 32'768;

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

/// `sleep`: checked; it takes effect where streams sleep, which `ebb run` does not let them.
result<void> check_sleep(const reader& in, const located& spec) {
  const auto at = reader::field(spec, "sleep");
  if (!at)
    return {};
  EBB_TRY(in.keys(at, {"idleAfter", "whenIdle", "advanceAfter"}));
  const auto idle_after = reader::field(at, "idleAfter");
  if (idle_after && idle_after.node->text != "never")
    EBB_TRY(in.duration(idle_after, 1));
  if (const auto x = reader::field(at, "advanceAfter"))
    EBB_TRY(in.duration(x, 1));
  if (const auto x = reader::field(at, "whenIdle")) {
    EBB_ASSIGN(const auto which, in.word(x, {"hold", "advance"}));
    if (which == 1)
      return in.fail(x, "whenIdle: advance is not available in this version",
                     "leave it out: windows of a quiet stream then wait for data", ec::unsupported);
  }
  return {};
}

result<void> check_pod(const reader& in, const located& spec) {
  const auto at = reader::field(spec, "pod");
  if (!at)
    return {};
  return in.keys(at,
                 {"resources", "nodeSelector", "tolerations", "affinity", "labels", "annotations"});
}

/// Labels and annotations: names to texts.
result<void> check_texts(const reader& in, const located& at) {
  if (!at)
    return {};
  if (at.node->kind != manifest::yaml_kind::map)
    return in.fail(at, "expected an object of names and texts", "write {team: web}");
  for (std::size_t i = 0; i < at.node->keys.size(); ++i)
    EBB_TRY(in.text({&at.node->values[i], at.path + '.' + at.node->keys[i].text}, "text"));
  return {};
}

/// Name → where it was given, so that a second use can point at the first.
class name_table {
public:
  result<void> add(const reader& in, const located& at, const std::string& name, const char* what) {
    const auto line = at.node->line;
    const auto [found, is_new] = names_.emplace(name, line);
    if (is_new)
      return {};
    return in.fail(reader::field(at, "name") ? reader::field(at, "name") : at,
                   std::string("two ") + what + " named " + name,
                   "the other one is in line " + std::to_string(found->second) + "; rename one");
  }

  [[nodiscard]] bool has(const std::string& name) const {
    return names_.count(name) != 0;
  }

  [[nodiscard]] std::vector<std::string> names() const {
    std::vector<std::string> out;
    for (const auto& [name, line] : names_)
      out.push_back(name);
    return out;
  }

private:
  std::map<std::string, std::uint32_t> names_;
};

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
    warn_unused();
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
      if (!is_new)
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

  const reader& in_;
  located spec_;
  stream_definition& out_;
  std::vector<located> source_nodes_;
  std::vector<located> operator_nodes_;
  std::vector<located> sink_nodes_;
  name_table names_;
};

result<std::string> read_metadata(const reader& in, const located& document) {
  EBB_ASSIGN(const auto at, in.required(document, "metadata", "metadata: {name: delays}"));
  EBB_TRY(in.keys(at, {"name", "namespace", "labels", "annotations"}));
  EBB_TRY(check_texts(in, reader::field(at, "labels")));
  EBB_TRY(check_texts(in, reader::field(at, "annotations")));
  if (const auto x = reader::field(at, "namespace"))
    EBB_TRY(in.label(x));
  EBB_ASSIGN(const auto name, in.required(at, "name", "name: delays"));
  return in.label(name);
}

result<stream_definition> read_stream(const reader& in, const located& document,
                                      const std::string& folder) {
  stream_definition out;
  out.folder = folder;
  out.place = in.place(document);
  EBB_ASSIGN(out.name, read_metadata(in, document));
  EBB_ASSIGN(const auto spec, in.required(document, "spec", "spec with sources"));
  EBB_TRY(in.keys(spec, {"sources", "operators", "sinks", "checkpoint", "sleep", "onChange",
                         "parallelism", "maxParallelism", "pod"}));
  EBB_TRY(read_settings(in, spec, out));
  EBB_TRY(check_sleep(in, spec));
  EBB_TRY(check_pod(in, spec));
  EBB_TRY(stream_reader(in, spec, out).run());
  return out;
}

/// Topics and functions may stand beside streams; what they say is used where they are applied.
result<void> check_other(const reader& in, const located& document, bool is_topic) {
  EBB_ASSIGN(const auto name, read_metadata(in, document));
  const auto spec = reader::field(document, "spec");
  if (spec && is_topic)
    EBB_TRY(in.keys(spec, {"schema", "partitions", "key", "retention", "format"}));
  in.warn(document, (is_topic ? "topic " : "function ") + name + " is not used",
          "this version runs the Stream documents of a file only");
  return {};
}

} // namespace

result<std::vector<stream_definition>>
parse_manifest(std::string_view text, const std::string& file, std::vector<error>& warnings) {
  if (text.starts_with("\xEF\xBB\xBF"))
    text.remove_prefix(3);
  const manifest::yaml_source source(text, file);
  EBB_ASSIGN(const auto documents, manifest::parse_yaml(source));
  const reader in(source, warnings);
  const auto folder = std::filesystem::path(file).parent_path().string();
  std::vector<stream_definition> out;
  name_table names;
  for (const auto& node : documents) {
    const located document{&node, {}};
    EBB_TRY(in.keys(document, {"apiVersion", "kind", "metadata", "spec", "status"}));
    EBB_ASSIGN(const auto version,
               in.required(document, "apiVersion", "apiVersion: ebb.dev/v1alpha1"));
    EBB_TRY(in.word(version, {"ebb.dev/v1alpha1"}));
    EBB_ASSIGN(const auto kind, in.required(document, "kind", "kind: Stream"));
    EBB_ASSIGN(const auto which, in.word(kind, {"Stream", "Topic", "Function"}));
    if (which != 0) {
      EBB_TRY(check_other(in, document, which == 1));
      continue;
    }
    EBB_ASSIGN(auto stream, read_stream(in, document, folder));
    EBB_TRY(names.add(in, reader::field(document, "metadata"), stream.name, "streams"));
    out.push_back(std::move(stream));
  }
  if (out.empty()) {
    auto problem = make_error(ec::invalid_argument, "the file has no document of kind Stream",
                              "begin with apiVersion: ebb.dev/v1alpha1 and kind: Stream");
    problem.place.file = file;
    return problem;
  }
  return out;
}

} // namespace ebb
