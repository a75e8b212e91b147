#include "tools/cli/load.hpp"

#include "actors/connectors/file_overlap.hpp"
#include "actors/connectors/same_file.hpp"
#include "actors/plan/plan_graph.hpp"
#include "actors/plan/sink_folder.hpp"
#include "tools/cli/commands.hpp"

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <map>
#include <memory>

namespace ebb::cli {

namespace {

// A manifest is a page of text; what is larger was given by mistake.
constexpr std::size_t manifest_bytes_max = std::size_t{4} << 20;

result<std::string> read_all(const std::string& path) {
  const std::unique_ptr<std::FILE, int (*)(std::FILE*)> file{
      path == "-" ? stdin : std::fopen(path.c_str(), "rb"),
      path == "-" ? [](std::FILE*) { return 0; } : std::fclose};
  const auto failed = [&](int code) {
    auto problem = make_error(ec::invalid_argument,
                              std::string("cannot read the manifest: ") + std::strerror(code));
    problem.place.file = path;
    if (code == ENOENT)
      problem.hint = "check the path; it is taken from the current folder";
    return problem;
  };
  if (!file)
    return failed(errno);
  std::string text;
  char chunk[65'536];
  while (const auto count = std::fread(chunk, 1, sizeof chunk, file.get())) {
    text.append(chunk, count);
    if (text.size() > manifest_bytes_max) {
      auto problem = make_error(ec::invalid_argument, "the manifest is larger than 4Mi",
                                "is this a data file? manifests are YAML or JSON");
      problem.place.file = path;
      return problem;
    }
  }
  if (std::ferror(file.get()) != 0)
    return failed(errno == 0 ? EIO : errno);
  return text;
}

std::string folder_of(const std::string& path) {
  if (path == "-")
    return ".";
  const auto parent = std::filesystem::path{path}.parent_path().string();
  return parent.empty() ? "." : parent;
}

// Two sinks that end in one file, by whatever name, of one stream or two.
result<void> check_outputs(const std::vector<stream_definition>& streams) {
  std::map<std::string, std::string> taken; // file, or its unfinished form → sink
  for (const auto& stream : streams)
    for (const auto& sink : stream.sinks) {
      const auto* file = std::get_if<file_sink>(&sink.connector);
      if (file == nullptr)
        continue;
      const auto whole = real_path(std::filesystem::path{stream.folder} / file->path);
      if (is_special_file(whole.string()))
        continue;
      const auto name = "sink " + sink.name + " of stream " + stream.name;
      for (const auto& path : {whole.string(), whole.string() + ".part"}) {
        const auto [other, fresh] = taken.emplace(path, name);
        if (fresh)
          continue;
        auto problem =
            make_error(ec::invalid_argument,
                       name + " writes " + file->path + ", which " + other->second + " writes, too",
                       "give each sink a file of its own");
        problem.place = sink.place;
        return problem;
      }
    }
  return {};
}

void print(const char* kind, const error& problem) {
  std::fprintf(stderr, "%s: %s\n", kind, to_string(problem).c_str());
}

} // namespace

void print_error(const error& problem) {
  print("error", problem);
}

void print_warning(const error& problem) {
  print("warning", problem);
}

namespace {

// A name that an earlier file has given to another document of the kind.
template <class Definition>
result<void> add(std::vector<Definition>& to, std::vector<Definition> from, const char* kind) {
  for (auto& x : from) {
    const bool taken =
        std::any_of(to.begin(), to.end(), [&](const auto& y) { return y.name == x.name; });
    if (taken) {
      auto problem =
          make_error(ec::invalid_argument, kind + (" \"" + x.name) + "\" is defined twice",
                     std::string("give each ") + kind + " of the files its own metadata.name");
      problem.place = x.place;
      return problem;
    }
    to.push_back(std::move(x));
  }
  return {};
}

// A query that is refused may well be the one that should read the source.
void drop_unused(const manifest_documents& parsed, std::vector<error>& warnings) {
  const auto unused = [](const error& x) { return x.message.starts_with("nothing reads "); };
  if (std::any_of(warnings.begin(), warnings.end(), unused)
      && std::any_of(parsed.streams.begin(), parsed.streams.end(),
                     [](const auto& stream) { return !plan_stream(stream); }))
    std::erase_if(warnings, unused);
}

result<manifest_documents> load(const std::vector<std::string>& files, bool topics) {
  manifest_documents all;
  for (const auto& path : files) {
    EBB_ASSIGN(const auto text, read_all(path));
    std::vector<error> warnings;
    result<manifest_documents> parsed = manifest_documents{};
    if (topics) {
      parsed = parse_documents(text, path, warnings);
    } else if (auto streams = parse_manifest(text, path, warnings); streams) {
      parsed->streams = *std::move(streams);
    } else {
      parsed = std::move(streams).error();
    }
    if (parsed)
      drop_unused(*parsed, warnings);
    for (const auto& warning : warnings)
      print_warning(warning);
    if (!parsed)
      return std::move(parsed).error();
    for (auto& stream : parsed->streams)
      stream.folder = folder_of(path);
    EBB_TRY(add(all.streams, std::move(parsed->streams), "stream"));
    EBB_TRY(add(all.topics, std::move(parsed->topics), "topic"));
  }
  EBB_TRY(check_outputs(all.streams));
  for (const auto& stream : all.streams)
    EBB_TRY(check_file_overlap(stream));
  return all;
}

} // namespace

int exit_of_start(const error& problem) {
  print_error(problem);
  switch (problem.code) {
  case ec::invalid_argument:
  case ec::unsupported:
  case ec::not_found:
    return exit_invalid;
  case ec::conflict:
    return exit_conflict;
  default:
    return exit_failed;
  }
}

result<manifest_documents> load_documents(const std::vector<std::string>& files) {
  return load(files, true);
}

result<std::vector<stream_definition>> load_streams(const std::vector<std::string>& files) {
  EBB_ASSIGN(auto documents, load(files, false));
  return std::move(documents.streams);
}

} // namespace ebb::cli
