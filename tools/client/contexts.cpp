#include "tools/client/contexts.hpp"

#include "actors/plan/manifest.hpp"
#include "actors/plan/manifest_yaml.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <fcntl.h>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <sys/stat.h>
#include <unistd.h>
#include <vector>

namespace ebb::client {

namespace {

using manifest::yaml_kind;
using manifest::yaml_node;
using manifest::yaml_source;

struct field {
  const char* name;
  std::string service_context::*member;
};

constexpr std::array<field, 5> fields{{{"server", &service_context::server},
                                       {"token", &service_context::token},
                                       {"namespace", &service_context::name_space},
                                       {"ca", &service_context::ca},
                                       {"pin", &service_context::pin}}};

error wrong(const yaml_source& source, const yaml_node& where, const std::string& message,
            const std::string& hint = {}) {
  return source.fail(where.line, where.column, {}, message, hint);
}

error unknown(const yaml_source& source, const yaml_node& key,
              const std::vector<std::string>& known) {
  const auto nearest = nearest_name(key.text, known);
  return wrong(source, key, "unknown field \"" + key.text + '"',
               nearest.empty() ? std::string{} : "did you mean " + nearest + '?');
}

result<std::string> text_in(const yaml_source& source, const yaml_node& value) {
  if (value.kind == yaml_kind::text)
    return value.text;
  return wrong(source, value, "a text is expected here");
}

result<service_context> read_context(const yaml_source& source, const yaml_node& node) {
  if (node.kind != yaml_kind::map)
    return wrong(source, node, "a context has fields such as server and token");
  service_context out;
  for (std::size_t i = 0; i < node.keys.size(); ++i) {
    const auto* known = std::find_if(fields.begin(), fields.end(),
                                     [&](const auto& x) { return x.name == node.keys[i].text; });
    if (known == fields.end())
      return unknown(source, node.keys[i], {"server", "token", "namespace", "ca", "pin"});
    EBB_ASSIGN(out.*known->member, text_in(source, node.values[i]));
  }
  return out;
}

/// Always quoted, so that nothing in it means anything to YAML.
std::string quoted(const std::string& text) {
  std::string out = "\"";
  for (const char c : text) {
    constexpr const char* digits = "0123456789abcdef";
    const auto byte = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\')
      (out += '\\') += c;
    else if (byte < 0x20 || byte == 0x7f)
      (out += "\\x").append({digits[byte >> 4], digits[byte & 15]});
    else
      out += c;
  }
  return out + '"';
}

error file_error(const std::string& path, const std::string& what, int code) {
  auto problem = make_error(ec::io, what + ": " + std::strerror(code));
  problem.place.file = path;
  return problem;
}

} // namespace

result<context_file> parse_contexts(const std::string& text, const std::string& file) {
  const yaml_source source(text, file);
  EBB_ASSIGN(const auto documents, manifest::parse_yaml(source));
  context_file out;
  if (documents.empty())
    return out;
  const auto& root = documents.front();
  if (root.kind != yaml_kind::map)
    return wrong(source, root, "the file has the fields current and contexts");
  const yaml_node* current = nullptr;
  for (std::size_t i = 0; i < root.keys.size(); ++i) {
    const auto& key = root.keys[i];
    const auto& value = root.values[i];
    if (key.text == "current") {
      current = &value;
      EBB_ASSIGN(out.current, text_in(source, value));
    } else if (key.text == "contexts") {
      if (value.kind != yaml_kind::map)
        return wrong(source, value, "contexts are written as NAME: {server: URL}");
      for (std::size_t k = 0; k < value.keys.size(); ++k) {
        EBB_ASSIGN(auto one, read_context(source, value.values[k]));
        out.contexts.emplace(value.keys[k].text, std::move(one));
      }
    } else {
      return unknown(source, key, {"current", "contexts"});
    }
  }
  if (!out.current.empty() && out.contexts.count(out.current) == 0)
    return wrong(source, *current, "there is no context " + out.current,
                 "ebb context list shows those there are");
  return out;
}

std::string to_yaml(const context_file& x) {
  std::string out;
  if (!x.current.empty())
    out += "current: " + quoted(x.current) + '\n';
  out += x.contexts.empty() ? "contexts: {}\n" : "contexts:\n";
  for (const auto& [name, context] : x.contexts) {
    out += "  " + quoted(name) + ":\n";
    for (const auto& y : fields)
      if (!(context.*y.member).empty())
        out += "    " + std::string(y.name) + ": " + quoted(context.*y.member) + '\n';
  }
  return out;
}

result<context_file> load_contexts(const std::string& path) {
  if (path.empty())
    return context_file{};

  struct stat info {};

  if (::stat(path.c_str(), &info) != 0) {
    if (errno == ENOENT || errno == ENOTDIR)
      return context_file{};
    return file_error(path, "cannot read the contexts", errno);
  }
  std::ifstream file(path, std::ios::binary);
  std::ostringstream text;
  if (!file || !(text << file.rdbuf()))
    return info.st_size == 0 ? result<context_file>(context_file{})
                             : file_error(path, "cannot read the contexts", errno);
  EBB_ASSIGN(auto out, parse_contexts(text.str(), path));
  const bool secret = std::any_of(out.contexts.begin(), out.contexts.end(),
                                  [](const auto& y) { return !y.second.token.empty(); });
  if (secret && (info.st_mode & (S_IRWXG | S_IRWXO)) != 0) {
    auto problem = make_error(ec::invalid_argument,
                              "the file holds tokens, and others than its owner may use it",
                              "chmod 600 " + path);
    problem.place.file = path;
    return problem;
  }
  return out;
}

result<void> save_contexts(const context_file& x, const std::string& path) {
  if (path.empty())
    return make_error(ec::invalid_argument, "there is no place for contexts",
                      "name a file in EBB_CONFIG");
  std::error_code code;
  const auto folder = std::filesystem::path(path).parent_path();
  if (!folder.empty())
    std::filesystem::create_directories(folder, code);
  auto fresh = path + ".XXXXXX";
  const int file = ::mkostemp(fresh.data(), O_CLOEXEC); // mode 0600
  if (file < 0)
    return file_error(path, "cannot write the contexts", errno);
  const auto text = to_yaml(x);
  const bool good = ::write(file, text.data(), text.size()) == static_cast<ssize_t>(text.size())
                    && ::fsync(file) == 0;
  const int why = errno;
  ::close(file);
  if (good && ::rename(fresh.c_str(), path.c_str()) == 0)
    return {};
  const int failed = good ? errno : why;
  ::unlink(fresh.c_str());
  return file_error(path, "cannot write the contexts", failed);
}

std::string context_path() {
  const auto variable = [](const char* name) {
    const char* value = std::getenv(name);
    return std::string(value == nullptr ? "" : value);
  };
  if (const auto named = variable("EBB_CONFIG"); !named.empty())
    return named;
  if (const auto base = variable("XDG_CONFIG_HOME"); !base.empty())
    return base + "/ebb/config.yaml";
  const auto home = variable("HOME");
  return home.empty() ? home : home + "/.config/ebb/config.yaml";
}

} // namespace ebb::client
