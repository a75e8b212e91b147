#include "tools/client/manifests.hpp"

#include "actors/plan/manifest_yaml.hpp"

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <memory>

namespace ebb::client {

namespace {

namespace fs = std::filesystem;

error file_error(const std::string& path, const std::string& message,
                 const std::string& hint = {}) {
  auto problem = make_error(ec::invalid_argument, message, hint);
  problem.place.file = path;
  return problem;
}

result<std::string> read_all(const std::string& path, std::size_t most) {
  const bool standard = path == "-";
  const std::unique_ptr<std::FILE, int (*)(std::FILE*)> file{
      standard ? stdin : std::fopen(path.c_str(), "rb"),
      standard ? [](std::FILE*) { return 0; } : std::fclose};
  const auto failed = [&] {
    return file_error(path, std::string("cannot read the manifest: ") + std::strerror(errno),
                      errno == ENOENT ? "check the path; it is taken from the current folder" : "");
  };
  if (!file)
    return failed();
  std::string text;
  char chunk[65'536];
  while (const auto count = std::fread(chunk, 1, sizeof chunk, file.get())) {
    text.append(chunk, count);
    if (text.size() > most)
      return file_error(path, "the manifests are larger than 4Mi",
                        "is this a data file? ebb send TOPIC FILE submits messages");
  }
  return std::ferror(file.get()) != 0 ? result<std::string>(failed()) : std::move(text);
}

result<std::vector<std::string>> files_in(const std::string& path) {
  std::error_code code;
  if (path == "-" || !fs::is_directory(path, code))
    return std::vector<std::string>{path};
  std::vector<std::string> out;
  for (fs::directory_iterator i(path, code), end; !code && i != end; i.increment(code)) {
    const auto kind = i->path().extension();
    if ((kind == ".yaml" || kind == ".yml" || kind == ".json") && !i->is_directory())
      out.push_back(i->path().string());
  }
  if (code)
    return file_error(path, "cannot read the folder: " + code.message());
  if (out.empty())
    return file_error(path, "the folder has no manifests",
                      "they are files named *.yaml, *.yml or *.json, right in the folder");
  std::sort(out.begin(), out.end());
  return out;
}

std::string text_at(const manifest::yaml_node* node, std::string_view key) {
  const auto* value = node == nullptr ? nullptr : node->find(key);
  return value == nullptr || value->kind != manifest::yaml_kind::text ? std::string{} : value->text;
}

} // namespace

result<manifest_bundle> load_bundle(const std::vector<std::string>& paths) {
  manifest_bundle out;
  std::uint32_t line = 1;
  for (const auto& path : paths) {
    EBB_ASSIGN(const auto files, files_in(path));
    for (const auto& file : files) {
      EBB_ASSIGN(auto text, read_all(file, manifest::max_manifest_bytes - out.body.size()));
      if (!out.body.empty()) {
        if (out.body.back() != '\n') {
          out.body += '\n';
          ++line;
        }
        out.body += "---\n";
        ++line;
      }
      out.body += text;
      const auto lines = static_cast<std::uint32_t>(std::count(text.begin(), text.end(), '\n'));
      out.parts.push_back({file == "-" ? "standard input" : file, line, std::move(text)});
      line += lines;
    }
  }
  return out;
}

error placed_in(const manifest_bundle& bundle, const error& problem) {
  if (problem.place.line == 0 || !problem.place.file.empty())
    return problem;
  const manifest_bundle::part* in = nullptr;
  for (const auto& x : bundle.parts)
    if (x.first_line <= problem.place.line)
      in = &x;
  if (in == nullptr)
    return problem;
  const auto line = problem.place.line - in->first_line + 1;
  const manifest::yaml_source source(in->text, in->file);
  if (problem.place.column != 0 && problem.excerpt.empty())
    return source.fail(line, problem.place.column, problem.place.field, problem.message,
                       problem.hint, problem.code);
  auto out = problem;
  out.place.file = in->file;
  out.place.line = line;
  return out;
}

result<std::vector<manifest_name>> names_in(const manifest_bundle& bundle) {
  std::vector<manifest_name> out;
  for (const auto& x : bundle.parts) {
    const manifest::yaml_source source(x.text, x.file);
    EBB_ASSIGN(const auto documents, manifest::parse_yaml(source));
    for (const auto& node : documents) {
      const auto* metadata = node.find("metadata");
      manifest_name one{text_at(&node, "kind"), text_at(metadata, "name"),
                        text_at(metadata, "namespace")};
      if (one.kind.empty() || one.name.empty())
        return source.fail(node.line, node.column, one.kind.empty() ? "kind" : "metadata.name",
                           "it is missing", "a manifest has apiVersion, kind, metadata and spec");
      out.push_back(std::move(one));
    }
  }
  return out;
}

} // namespace ebb::client
