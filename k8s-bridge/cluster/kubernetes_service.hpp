/// A control process's side of its cluster: its number, its workers' pods, its streams and topics.
#pragma once

#include "actors/links/link_credential.hpp"
#include "actors/service/control_process.hpp"
#include "actors/service/resource_desk.hpp"
#include "k8s-bridge/client/kube_access.hpp"
#include "k8s-bridge/cluster/worker_pod.hpp"
#include "k8s-bridge/worker_backend.hpp"

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

namespace ebb {

struct kubernetes_options {
  kube_access access;
  std::string name_space; ///< of control and workers
  std::string own_pod;    ///< control's; empty = it is none, and `image` must be given
  std::string holder;     ///< who we are, for people
  std::string image;      ///< of workers; empty = that of control's pod
  std::string watched;    ///< the one namespace whose streams and topics count; empty = all
  std::string data_folder;
  std::vector<std::string> shared_paths; ///< below it, that streams with files use
  std::vector<std::string> arguments;    ///< of `ebb worker`, that lead to control's links
  std::string cache_limit;               ///< of a worker's copies, a quantity
  kube_json cache_volume;                ///< where workers share copies; null = nowhere
  /// Makes a worker's identity for what it may speak for: its files by name. On the cluster's
  /// thread.
  std::function<result<std::map<std::string, std::string>>(const link_credential& whose)>
      make_identity;
  micros patience = 60 * micros_per_second; ///< for the cluster, at the start
};

class kubernetes_service {
public:
  /// Finds itself in the cluster and takes the next number of a control process. Blocks.
  [[nodiscard]] static result<std::unique_ptr<kubernetes_service>>
  start(kubernetes_options options);
  ~kubernetes_service();
  kubernetes_service(const kubernetes_service&) = delete;
  kubernetes_service& operator=(const kubernetes_service&) = delete;

  /// This control process's number is not to be below.
  [[nodiscard]] std::uint64_t incarnation() const noexcept;

  /// Pods as workers; once. It is gone before the service.
  [[nodiscard]] std::unique_ptr<worker_backend> make_backend(worker_listener& listener);

  /// From any thread, before the worker is started, or when one of none gets a stream: whose it
  /// is.
  void is_for(const std::string& worker, const worker_claim& whose);

  /// From any thread: whether a pod that was made for no stream has all that this one asks for.
  [[nodiscard]] bool takes_warm(const std::string& stream) const;

  /// Workers that have a pod. Blocks until it is known, at most ten seconds.
  [[nodiscard]] std::vector<std::string> living() const;

  /// From now on streams and topics are the cluster's. `desk` outlives `leave`.
  void serve(resource_desk& desk);
  /// No more of it.
  void leave();

  /// A worker has joined; other workers reach it at `peers`, and its clock is before ours by
  /// `ahead`. The first one tells whether the cluster's network enforces policies. From any thread.
  void joined(const std::string& worker, const std::string& peers, micros ahead);

  /// What is wrong with the stream's pods, and between us and the cluster; for people. From any
  /// thread. `stream`: qualified.
  [[nodiscard]] std::vector<std::string> why(const std::string& stream) const;

  /// From any thread; also before `serve` and after `leave`. `name`: qualified.
  void stream_changed(const std::string& name);

private:
  struct parts;
  explicit kubernetes_service(std::unique_ptr<parts> made);

  std::unique_ptr<parts> parts_;
};

/// The template of workers' pods, from control's own pod: image, claim, secrets, tolerations.
[[nodiscard]] result<pod_template> template_of(const kube_json& own_pod,
                                               const kubernetes_options& options);

} // namespace ebb
