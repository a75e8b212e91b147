#include "k8s-bridge/cluster/worker_pod.hpp"

#include "k8s-bridge/cluster/resource_status.hpp"

#include <array>
#include <string_view>
#include <utility>

namespace ebb {

namespace {

constexpr const char* container_name = "worker";
constexpr const char* number_label = "ebb.dev/worker";
constexpr const char* stream_label = "ebb.dev/stream";
constexpr const char* name_space_label = "ebb.dev/stream-namespace";
constexpr int signal_base = 128;

/// Manifests may say these of a pod, and nothing else.
constexpr std::array<const char*, 3> pod_fields{"nodeSelector", "tolerations", "affinity"};

std::string joined(const std::string& folder, const std::string& path) {
  return folder.empty() ? path : folder + '/' + path;
}

constexpr const char* identity_folder = "/identity";
constexpr const char* cache_folder = "/cache";
constexpr const char* node_cache_folder = "/node-cache";
constexpr int group_reads = 0440;

/// What a stream's files lie in, of control's volume.
void mount_data(const pod_template& from, kube_json& mounts) {
  for (const auto& path : from.shared_paths)
    mounts.push_back({{"name", "data"},
                      {"mountPath", from.data_folder + '/' + path},
                      {"subPath", joined(from.data_path, path)}});
}

/// The volume is one node's: on control's, with what the manifest asks for.
void place_beside_control(kube_json& spec) {
  kube_json term{{"topologyKey", "kubernetes.io/hostname"}};
  term["labelSelector"]["matchLabels"] = {{"app.kubernetes.io/name", "ebb"},
                                          {"app.kubernetes.io/component", "control"}};
  spec["affinity"]["podAffinity"]["requiredDuringSchedulingIgnoredDuringExecution"].push_back(
      std::move(term));
}

void merge_texts(const kube_json& wish, const char* name, kube_json& to) {
  if (const auto* all = member(wish, {name}); all != nullptr && all->is_object())
    for (const auto& [key, value] : all->items())
      if (value.is_string() && !key.starts_with("ebb.dev/")
          && !key.starts_with("app.kubernetes.io/"))
        to[key] = value;
}

/// The one that the pod has, of its statuses.
const kube_json* container_state(const kube_json& pod) {
  const auto* all = member(pod, {"status", "containerStatuses"});
  if (all == nullptr || !all->is_array() || all->empty())
    return nullptr;
  return member(all->front(), {"state"});
}

worker_exit exit_of(std::int64_t code) {
  if (code > signal_base)
    return {worker_exit::kind::signaled, static_cast<int>(code - signal_base)};
  return {worker_exit::kind::exited, static_cast<int>(code)};
}

/// `ErrImagePull`, `ImagePullBackOff`, `InvalidImageName` …
bool lacks_image(std::string_view reason) {
  return reason.find("Image") != std::string_view::npos;
}

/// `CreateContainerConfigError`, `RunContainerError` …
bool cannot_start(std::string_view reason) {
  return reason.ends_with("Error");
}

void read_waiting(const kube_json& pod, observed_pod& to) {
  if (const auto* state = container_state(pod)) {
    const auto reason = text_at(*state, {"waiting", "reason"});
    if (lacks_image(reason) || cannot_start(reason)) {
      to.problem_reason = lacks_image(reason) ? "ImageCannotBePulled" : reason;
      to.problem = text_at(*state, {"waiting", "message"});
      return;
    }
  }
  const auto* conditions = member(pod, {"status", "conditions"});
  if (conditions == nullptr || !conditions->is_array())
    return;
  for (const auto& x : *conditions)
    if (text_at(x, {"type"}) == "PodScheduled" && text_at(x, {"status"}) == "False") {
      to.problem_reason = text_at(x, {"reason"});
      to.problem = text_at(x, {"message"});
    }
}

} // namespace

std::string worker_selector() {
  return "app.kubernetes.io/name=ebb,app.kubernetes.io/component=worker";
}

kube_json make_worker_pod(const pod_template& from, const std::string& worker,
                          const pod_wish& wish) {
  kube_json pod{{"apiVersion", "v1"}, {"kind", "Pod"}};
  auto& metadata = pod["metadata"];
  metadata = {{"name", pod_name(worker)}, {"namespace", from.name_space}};
  auto& labels = metadata["labels"];
  labels = kube_json::object();
  merge_texts(wish.pod, "labels", labels);
  labels["app.kubernetes.io/name"] = "ebb";
  labels["app.kubernetes.io/component"] = "worker";
  labels["app.kubernetes.io/managed-by"] = "ebb";
  labels[number_label] = worker;
  if (!wish.stream.empty()) {
    labels[stream_label] = wish.stream;
    labels[name_space_label] = wish.name_space;
  }
  kube_json annotations = kube_json::object();
  merge_texts(wish.pod, "annotations", annotations);
  if (!annotations.empty())
    metadata["annotations"] = std::move(annotations);
  if (!from.owner.is_null())
    metadata["ownerReferences"] = kube_json::array({from.owner});

  auto& spec = pod["spec"];
  spec = {{"restartPolicy", "Never"},
          {"automountServiceAccountToken", false},
          {"enableServiceLinks", false},
          {"terminationGracePeriodSeconds", from.grace_seconds}};
  spec["securityContext"] = {{"runAsNonRoot", true},
                             {"runAsUser", from.user},
                             {"runAsGroup", from.group},
                             {"fsGroup", from.group},
                             {"fsGroupChangePolicy", "OnRootMismatch"},
                             {"seccompProfile", {{"type", "RuntimeDefault"}}}};
  if (!from.pull_secrets.is_null())
    spec["imagePullSecrets"] = from.pull_secrets;
  if (!from.tolerations.is_null())
    spec["tolerations"] = from.tolerations;
  for (const auto* field : pod_fields)
    if (const auto* value = member(wish.pod, {field}))
      spec[field] = *value;

  auto arguments = kube_json::array({"worker"});
  for (const auto& x : from.arguments)
    arguments.push_back(x);
  for (const auto& x :
       {std::string("--identity"), std::string(identity_folder), std::string("--cache"),
        std::string(cache_folder), std::string("--name"), worker})
    arguments.push_back(x);
  if (!from.cache_volume.is_null()) {
    arguments.push_back("--node-cache");
    arguments.push_back(node_cache_folder);
  }
  kube_json container{{"name", container_name}, {"image", from.image}, {"args", arguments}};
  if (!from.pull_policy.empty())
    container["imagePullPolicy"] = from.pull_policy;
  container["securityContext"] = {{"allowPrivilegeEscalation", false},
                                  {"readOnlyRootFilesystem", true},
                                  {"capabilities", {{"drop", kube_json::array({"ALL"})}}}};
  if (const auto* resources = member(wish.pod, {"resources"}))
    container["resources"] = *resources;
  else if (!from.resources.is_null())
    container["resources"] = from.resources;
  auto mounts = kube_json::array(
      {{{"name", "tmp"}, {"mountPath", "/tmp"}},
       {{"name", "cache"}, {"mountPath", cache_folder}},
       {{"name", "identity"}, {"mountPath", identity_folder}, {"readOnly", true}}});
  auto cache = kube_json::object();
  if (!from.cache_limit.empty())
    cache["sizeLimit"] = from.cache_limit;
  auto volumes = kube_json::array(
      {{{"name", "tmp"}, {"emptyDir", kube_json::object()}},
       {{"name", "cache"}, {"emptyDir", std::move(cache)}},
       {{"name", "identity"},
        {"secret", {{"secretName", pod_name(worker)}, {"defaultMode", group_reads}}}}});
  if (!from.cache_volume.is_null()) {
    mounts.push_back({{"name", "node-cache"}, {"mountPath", node_cache_folder}});
    volumes.push_back(from.cache_volume);
    volumes.back()["name"] = "node-cache";
  }
  if (wish.files && !from.claim.empty()) {
    mount_data(from, mounts);
    volumes.push_back({{"name", "data"}, {"persistentVolumeClaim", {{"claimName", from.claim}}}});
    place_beside_control(spec);
  }
  container["volumeMounts"] = std::move(mounts);
  spec["containers"] = kube_json::array({std::move(container)});
  spec["volumes"] = std::move(volumes);
  return pod;
}

bool uses_files(const kube_json& spec) {
  for (const auto* list : {"sources", "sinks"})
    if (const auto* all = member(spec, {list}); all != nullptr && all->is_array())
      for (const auto& x : *all)
        if (member(x, {"file"}) != nullptr || text_at(x, {"onBadRecord"}) == "quarantine")
          return true;
  return false;
}

kube_json make_worker_secret(const pod_template& from, const std::string& worker,
                             const std::string& pod_uid,
                             const std::map<std::string, std::string>& files) {
  kube_json secret{{"apiVersion", "v1"}, {"kind", "Secret"}, {"immutable", true}};
  secret["metadata"] = {{"name", pod_name(worker)},
                        {"namespace", from.name_space},
                        {"labels",
                         {{"app.kubernetes.io/name", "ebb"},
                          {"app.kubernetes.io/component", "worker"},
                          {"app.kubernetes.io/managed-by", "ebb"}}}};
  secret["metadata"]["ownerReferences"] = kube_json::array(
      {{{"apiVersion", "v1"}, {"kind", "Pod"}, {"name", pod_name(worker)}, {"uid", pod_uid}}});
  for (const auto& [name, text] : files)
    secret["stringData"][name] = text;
  return secret;
}

result<kube_json> read_cache_volume(const std::string& text) {
  const auto refuse = [&](const std::string& what) -> result<kube_json> {
    return make_error(ec::invalid_argument, "--cache-volume " + text + ' ' + what,
                      "write claim:NAME, a PersistentVolumeClaim of control's namespace, or "
                      "node:/PATH, a folder that each node has and that is the workers' user's");
  };
  const auto colon = text.find(':');
  const auto kind = text.substr(0, colon);
  const auto value = colon == std::string::npos ? std::string() : text.substr(colon + 1);
  if (kind == "claim") {
    constexpr std::size_t longest = 253;
    if (value.empty() || value.size() > longest
        || value.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789-.") != std::string::npos)
      return refuse("has no claim's name");
    return kube_json{{"persistentVolumeClaim", {{"claimName", value}}}};
  }
  if (kind == "node") {
    if (!value.starts_with('/') || value == "/" || (value + '/').find("/../") != std::string::npos)
      return refuse("has no path of a folder");
    return kube_json{{"hostPath", {{"path", value}, {"type", "Directory"}}}};
  }
  return refuse("is no volume");
}

result<observed_pod> read_worker_pod(const std::string& body) {
  EBB_ASSIGN(const auto pod, parse_kube_json(body));
  observed_pod x;
  x.uid = text_at(pod, {"metadata", "uid"});
  if (const auto* labels = member(pod, {"metadata", "labels"})) {
    x.worker = text_at(*labels, {number_label});
    x.stream = text_at(*labels, {stream_label});
    x.stream_name_space = text_at(*labels, {name_space_label});
  }
  x.deleting = member(pod, {"metadata", "deletionTimestamp"}) != nullptr;
  const auto phase = text_at(pod, {"status", "phase"});
  const auto* state = container_state(pod);
  x.running = state != nullptr && member(*state, {"running"}) != nullptr;
  if (phase == "Succeeded" || phase == "Failed") {
    x.ended = worker_exit{};
    if (const auto* over = state == nullptr ? nullptr : member(*state, {"terminated"})) {
      x.ended = exit_of(number_at(*over, {"exitCode"}));
      x.problem_reason = text_at(*over, {"reason"});
      x.problem = text_at(*over, {"message"});
    }
    if (auto reason = text_at(pod, {"status", "reason"}); !reason.empty()) {
      x.problem_reason = std::move(reason);
      x.problem = text_at(pod, {"status", "message"});
    }
  } else if (!x.running) {
    read_waiting(pod, x);
  }
  return x;
}

} // namespace ebb
