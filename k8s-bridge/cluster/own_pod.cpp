// What workers' pods take over from control's.
#include "k8s-bridge/cluster/kubernetes_service.hpp"

#include <string_view>

namespace ebb {

namespace {

const kube_json* named(const kube_json* list, const char* field, std::string_view name) {
  if (list != nullptr && list->is_array())
    for (const auto& x : *list)
      if (text_at(x, {field}) == name)
        return &x;
  return nullptr;
}

/// The mount that holds the folder, the deepest one.
const kube_json* mount_of(const kube_json& container, const std::string& folder) {
  const kube_json* best = nullptr;
  std::size_t depth = 0;
  if (const auto* all = member(container, {"volumeMounts"}); all != nullptr && all->is_array())
    for (const auto& x : *all) {
      const auto path = text_at(x, {"mountPath"});
      const bool holds = folder == path || folder.starts_with(path + '/');
      if (holds && path.size() >= depth) {
        best = &x;
        depth = path.size();
      }
    }
  return best;
}

result<void> take_volume(const kube_json& pod, const kube_json& container, pod_template& to) {
  const auto* mount = mount_of(container, to.data_folder);
  const auto* volume =
      mount == nullptr ? nullptr
                       : named(member(pod, {"spec", "volumes"}), "name", text_at(*mount, {"name"}));
  if (volume == nullptr || member(*volume, {"persistentVolumeClaim"}) == nullptr)
    return make_error(ec::invalid_argument,
                      "the data folder " + to.data_folder
                          + " is on no volume that workers can share",
                      "mount a persistentVolumeClaim there (deployments/ebb.yaml does)");
  to.claim = text_at(*volume, {"persistentVolumeClaim", "claimName"});
  auto path = text_at(*mount, {"subPath"});
  auto below = to.data_folder.substr(text_at(*mount, {"mountPath"}).size());
  while (below.starts_with('/'))
    below.erase(0, 1);
  if (!below.empty())
    path += (path.empty() ? "" : "/") + below;
  to.data_path = std::move(path);
  return {};
}

void take_owner(const kube_json& pod, pod_template& to) {
  const auto* owners = member(pod, {"metadata", "ownerReferences"});
  if (owners == nullptr || !owners->is_array() || owners->empty())
    return;
  const auto& x = owners->front();
  to.owner = {{"apiVersion", text_at(x, {"apiVersion"})},
              {"kind", text_at(x, {"kind"})},
              {"name", text_at(x, {"name"})},
              {"uid", text_at(x, {"uid"})}};
}

void take_user(const kube_json& pod, const kube_json& container, pod_template& to) {
  const auto take = [&](const kube_json& of, const char* name, std::int64_t& into) {
    if (const auto number = number_at(of, {"securityContext", name}); number > 0)
      into = number;
  };
  const auto* spec = member(pod, {"spec"});
  take(*spec, "runAsUser", to.user);
  take(*spec, "runAsGroup", to.group);
  take(container, "runAsUser", to.user);
  take(container, "runAsGroup", to.group);
}

} // namespace

result<pod_template> template_of(const kube_json& own_pod, const kubernetes_options& options) {
  pod_template to;
  to.name_space = options.name_space;
  to.image = options.image;
  to.data_folder = options.data_folder;
  to.shared_paths = options.shared_paths;
  to.arguments = options.arguments;
  to.cache_limit = options.cache_limit;
  to.cache_volume = options.cache_volume;
  if (own_pod.is_null()) {
    if (to.image.empty())
      return make_error(ec::invalid_argument, "it is not known which image workers have",
                        "give --worker-image, or run in a pod and set POD_NAME");
    return to;
  }
  const auto* containers = member(own_pod, {"spec", "containers"});
  const auto* container = named(containers, "name", "control");
  if (container == nullptr && containers != nullptr && !containers->empty())
    container = &containers->front();
  if (container == nullptr)
    return make_error(ec::invalid_argument, "our own pod has no container");
  if (to.image.empty())
    to.image = text_at(*container, {"image"});
  to.pull_policy = text_at(*container, {"imagePullPolicy"});
  if (const auto* x = member(own_pod, {"spec", "imagePullSecrets"}))
    to.pull_secrets = *x;
  if (const auto* x = member(own_pod, {"spec", "tolerations"}))
    to.tolerations = *x;
  take_owner(own_pod, to);
  take_user(own_pod, *container, to);
  EBB_TRY(take_volume(own_pod, *container, to));
  return to;
}

} // namespace ebb
