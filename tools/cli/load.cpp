#include "tools/cli/load.hpp"

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <memory>
#include <set>

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

result<std::vector<stream_definition>> load_streams(const std::vector<std::string>& files) {
  std::vector<stream_definition> streams;
  std::set<std::string> names;
  for (const auto& path : files) {
    EBB_ASSIGN(const auto text, read_all(path));
    std::vector<error> warnings;
    auto parsed = parse_manifest(text, path, warnings);
    for (const auto& warning : warnings)
      print_warning(warning);
    if (!parsed)
      return std::move(parsed).error();
    for (auto& stream : *parsed) {
      if (!names.insert(stream.name).second) {
        auto problem =
            make_error(ec::invalid_argument, "stream \"" + stream.name + "\" is defined twice",
                       "give each stream of the files its own metadata.name");
        problem.place = stream.place;
        return problem;
      }
      stream.folder = folder_of(path);
      streams.push_back(std::move(stream));
    }
  }
  if (streams.empty()) {
    auto problem = make_error(ec::invalid_argument, "there is no Stream in it",
                              "a manifest needs a document with kind: Stream");
    problem.place.file = files.empty() ? "" : files.front();
    return problem;
  }
  return streams;
}

} // namespace ebb::cli
