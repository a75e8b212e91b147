/// Pods of workers: what is asked for, and what one says. Pure.
#pragma once

#include "k8s-bridge/client/kube_answer.hpp"
#include "k8s-bridge/worker_backend.hpp"
#include "schemas/error.hpp"
#include "schemas/types.hpp"

#include <map>
#include <optional>
#include <string>
#include <vector>

namespace ebb {

/// What all workers of a control process have in common.
struct pod_template {
  std::string name_space;
  std::string image;
  std::string pull_policy; ///< empty = the cluster's default
  kube_json pull_secrets;  ///< null = none
  kube_json tolerations;   ///< null = none
  kube_json owner;         ///< an ownerReference; null = none
  /// Of control's data, for streams that read or write files; empty = there is none.
  std::string claim;
  std::string data_folder;               ///< where it is mounted
  std::string data_path;                 ///< the data folder within the claim, `` or `x/y`
  std::vector<std::string> shared_paths; ///< below the data folder, that such streams use
  std::vector<std::string> arguments;    ///< of `ebb worker`, without identity, cache and name
  std::string cache_limit;               ///< a quantity: of copies, then the pod is evicted
  kube_json cache_volume; ///< a volume without name, that pods share copies in; null = none
  kube_json resources;    ///< of the container; null = the defaults
  std::int64_t user = 65532;             ///< that runs it; 0 is not allowed
  std::int64_t group = 65532;
  int grace_seconds = 40;
};

/// What a stream's manifest says of its pod, and whose it is.
struct pod_wish {
  std::string stream; ///< empty = any
  std::string name_space;
  kube_json pod;      ///< spec.pod; null = nothing
  bool files = false; ///< it reads or writes files of control's volume

  bool operator==(const pod_wish&) const = default;
};

[[nodiscard]] kube_json make_worker_pod(const pod_template& from, const std::string& worker,
                                        const pod_wish& wish);

/// Whether a stream's spec has connectors of files, or keeps bad records in one.
[[nodiscard]] bool uses_files(const kube_json& spec);

/// What a worker proves with who it is, by name of the file; the pod waits for it, and takes it
/// with it.
[[nodiscard]] kube_json make_worker_secret(const pod_template& from, const std::string& worker,
                                           const std::string& pod_uid,
                                           const std::map<std::string, std::string>& files);

/// Labels that all of them have: `app.kubernetes.io/…` for a labelSelector.
[[nodiscard]] std::string worker_selector();

/// The volume that `claim:NAME` or `node:/PATH` means, without a name.
[[nodiscard]] result<kube_json> read_cache_volume(const std::string& text);

struct observed_pod {
  std::string uid;
  std::string worker; ///< its name, of its label; empty = it is none of ours
  std::string stream; ///< whose it is, of its labels; may be empty
  std::string stream_name_space;
  bool deleting = false;
  bool running = false;             ///< its container has started
  std::optional<worker_exit> ended; ///< its container, or the pod for another reason
  std::string problem;              ///< why it does not start, or has ended; may be empty
  std::string problem_reason;       ///< `Unschedulable`, `ImageCannotBePulled`, or Kubernetes' own
};

[[nodiscard]] result<observed_pod> read_worker_pod(const std::string& body);

} // namespace ebb
