#include "k8s-bridge/client/kube_access.hpp"

#include "actors/connectors/file_base64.hpp"
#include "actors/plan/manifest_yaml.hpp"

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <utility>

namespace ebb {

namespace {

using manifest::yaml_kind;
using manifest::yaml_node;

constexpr const char* pod_folder = "/var/run/secrets/kubernetes.io/serviceaccount";

std::string from_environment(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? std::string() : std::string(value);
}

result<std::string> read_text(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::ostringstream text;
  if (file)
    text << file.rdbuf();
  if (!file)
    return make_error(ec::not_found, path + " cannot be read", "check the path and its rights");
  return std::move(text).str();
}

std::string trimmed(std::string x) {
  while (!x.empty() && (x.back() == '\n' || x.back() == '\r' || x.back() == ' '))
    x.pop_back();
  return x;
}

/// Paths through nodes; a missing node is an empty text.
class reader {
public:
  reader(const manifest::yaml_source& source, std::string folder)
      : source_(source), folder_(std::move(folder)) {}

  static std::string text(const yaml_node* of, const char* name) {
    const auto* found = of == nullptr ? nullptr : of->find(name);
    return found != nullptr && found->kind == yaml_kind::text ? found->text : std::string();
  }

  /// The entry of a list of `{name, KIND: {…}}`.
  result<const yaml_node*> entry(const yaml_node& root, const char* list, const char* kind,
                                 const std::string& name) const {
    const auto* all = root.find(list);
    if (all != nullptr)
      for (const auto& x : all->values)
        if (text(&x, "name") == name)
          if (const auto* found = x.find(kind))
            return found;
    return wrong(root, std::string("the kubeconfig has no ") + kind + " named " + name);
  }

  /// `FIELD-data` in base64, else the file that FIELD names.
  result<std::string> data(const yaml_node& of, const std::string& field) const {
    const auto inline_text = text(&of, (field + "-data").c_str());
    if (!inline_text.empty()) {
      std::string decoded(base64_decoded_max(inline_text.size()), '\0');
      const auto size = base64_decode(inline_text, decoded.data());
      if (!size)
        return wrong(of, field + "-data is not base64");
      decoded.resize(*size);
      return decoded;
    }
    const auto path = text(&of, field.c_str());
    if (path.empty())
      return std::string();
    return read_text(absolute(path));
  }

  [[nodiscard]] std::string absolute(const std::string& path) const {
    return path.empty() || path.front() == '/' ? path : folder_ + '/' + path;
  }

  [[nodiscard]] error wrong(const yaml_node& at, std::string message) const {
    return source_.fail(at.line, at.column, {}, std::move(message),
                        "kubectl config view shows what is in it");
  }

private:
  const manifest::yaml_source& source_;
  std::string folder_;
};

result<void> read_user(const reader& from, const yaml_node& user, kube_access& to) {
  EBB_ASSIGN(to.certificate, from.data(user, "client-certificate"));
  EBB_ASSIGN(to.key, from.data(user, "client-key"));
  to.token = reader::text(&user, "token");
  to.token_file = from.absolute(reader::text(&user, "tokenFile"));
  if (const auto name = reader::text(&user, "username"); !name.empty())
    to.user = name + ':' + reader::text(&user, "password");
  if (user.find("auth-provider") != nullptr)
    return from.wrong(user, "auth-provider is not supported; Kubernetes has replaced it by exec");
  if (const auto* plugin = user.find("exec")) {
    to.plugin.command = reader::text(plugin, "command");
    to.plugin.api_version = reader::text(plugin, "apiVersion");
    if (to.plugin.command.find('/') != std::string::npos)
      to.plugin.command = from.absolute(to.plugin.command);
    if (const auto* arguments = plugin->find("args"))
      for (const auto& x : arguments->values)
        to.plugin.arguments.push_back(x.text);
    if (const auto* environment = plugin->find("env"))
      for (const auto& x : environment->values)
        to.plugin.environment.push_back(reader::text(&x, "name") + '=' + reader::text(&x, "value"));
  }
  return {};
}

result<kube_access> pod_access() {
  kube_access x;
  auto host = from_environment("KUBERNETES_SERVICE_HOST");
  if (host.find(':') != std::string::npos)
    host = '[' + host + ']';
  x.server = "https://" + host + ':' + from_environment("KUBERNETES_SERVICE_PORT");
  x.token_file = std::string(pod_folder) + "/token";
  EBB_ASSIGN(x.authority, read_text(std::string(pod_folder) + "/ca.crt"));
  if (const auto name = read_text(std::string(pod_folder) + "/namespace"))
    x.name_space = trimmed(*name);
  x.in_cluster = true;
  return x;
}

result<kube_access> read_file(const std::string& path, const std::string& context) {
  EBB_ASSIGN(const auto text, read_text(path));
  auto read = parse_kubeconfig(text, std::filesystem::path(path).parent_path().string(), context);
  if (!read && read.error().place.file == "kubeconfig")
    read.error().place.file = path;
  return read;
}

} // namespace

result<kube_access> parse_kubeconfig(const std::string& text, const std::string& folder,
                                     const std::string& context) {
  const manifest::yaml_source source(text, "kubeconfig");
  EBB_ASSIGN(const auto documents, manifest::parse_yaml(source));
  if (documents.empty() || documents.front().kind != yaml_kind::map)
    return make_error(ec::invalid_argument, "the kubeconfig is empty");
  const auto& root = documents.front();
  const reader from(source, folder);
  const auto chosen = context.empty() ? reader::text(&root, "current-context") : context;
  if (chosen.empty())
    return make_error(ec::invalid_argument, "the kubeconfig names no current-context",
                      "kubectl config use-context NAME sets one");
  EBB_ASSIGN(const auto* in, from.entry(root, "contexts", "context", chosen));
  EBB_ASSIGN(const auto* cluster,
             from.entry(root, "clusters", "cluster", reader::text(in, "cluster")));
  kube_access x;
  x.server = reader::text(cluster, "server");
  while (x.server.ends_with('/'))
    x.server.pop_back();
  if (!x.server.starts_with("https://") && !x.server.starts_with("http://"))
    return from.wrong(*cluster, "server must be an http or https URL");
  if (auto name = reader::text(in, "namespace"); !name.empty())
    x.name_space = std::move(name);
  x.insecure = reader::text(cluster, "insecure-skip-tls-verify") == "true";
  if (!reader::text(cluster, "tls-server-name").empty())
    return from.wrong(*cluster, "tls-server-name is not supported: use a server name that the "
                                "certificate has");
  x.proxy = reader::text(cluster, "proxy-url");
  EBB_ASSIGN(x.authority, from.data(*cluster, "certificate-authority"));
  if (const auto user = reader::text(in, "user"); !user.empty()) {
    EBB_ASSIGN(const auto* node, from.entry(root, "users", "user", user));
    EBB_TRY(read_user(from, *node, x));
  }
  return x;
}

result<kube_access> find_kube_access(const std::string& file, const std::string& context) {
  if (!file.empty())
    return read_file(file, context);
  if (!from_environment("KUBERNETES_SERVICE_HOST").empty()
      && std::filesystem::exists(std::string(pod_folder) + "/token"))
    return pod_access();
  auto list = from_environment("KUBECONFIG");
  if (list.empty())
    list = from_environment("HOME") + "/.kube/config";
  std::istringstream paths(list);
  for (std::string path; std::getline(paths, path, ':');)
    if (std::filesystem::exists(path))
      return read_file(path, context);
  return make_error(ec::not_found, "there is no kubeconfig: looked for " + list,
                    "give --kubeconfig FILE, or set KUBECONFIG; in a pod, mount its service "
                    "account's token");
}

} // namespace ebb
