/// Makes the pods of workers what they should be.
#pragma once

#include "k8s-bridge/client/kube_calls.hpp"
#include "k8s-bridge/client/resource_mirror.hpp"
#include "k8s-bridge/cluster/pod_trouble.hpp"
#include "k8s-bridge/cluster/worker_state.hpp"

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace ebb {

struct worker_reconciler_options {
  pod_template pods;
  /// What a worker proves with who it is: files by name, that its pod gets as a secret. May be
  /// null.
  std::function<result<std::map<std::string, std::string>>(const std::string& worker)> identity;
  /// Nothing is left of the worker. May be null.
  std::function<void(const std::string& worker)> clean;
  /// Whose the worker will be. May be null.
  std::function<pod_wish(const std::string& worker)> wish;
  /// A pod that an earlier control process has made: whose it is. May be null.
  std::function<void(const std::string& worker, const std::string& name_space,
                     const std::string& stream)>
      belongs;
  /// Why a worker does not start, or has ended badly, for people. May be null.
  std::function<void(const std::string& worker, const pod_trouble& why)> trouble;
  /// Its process runs. May be null.
  std::function<void(const std::string& worker)> runs;
  /// Pods cannot be watched; null: they can again. May be null.
  std::function<void(const error* why)> watch_trouble;
};

/// On the world's thread. `listener` outlives it; its pid is always 0.
class worker_reconciler {
public:
  worker_reconciler(kube_calls& calls, worker_reconciler_options options,
                    worker_listener& listener);
  ~worker_reconciler();
  worker_reconciler(const worker_reconciler&) = delete;
  worker_reconciler& operator=(const worker_reconciler&) = delete;

  void start();

  /// Orders. `run` of one that has gone, or is being ended, means nothing.
  void wish(const std::string& worker, worker_wish what);
  /// It runs: an earlier control process has asked for it.
  void adopt(const std::string& worker);

  [[nodiscard]] bool synced() const noexcept {
    return mirror_.synced();
  }

  /// Wishes may be others now: pods that do not run yet, and would be made otherwise, go.
  void review();

  /// Workers with a pod that has not ended.
  [[nodiscard]] std::vector<std::string> living() const;

private:
  struct entry {
    observed_worker state;
    bool busy = false; ///< a call is under way
    std::optional<pod_wish> made_with;
    bool proves = true;   ///< its pod has its identity, or needs none
    std::string made_uid; ///< of its pod; empty = not known
    back_off pauses;
  };

  void changed(const kube_object* now, const std::string& key);
  void evaluate(const std::string& worker);
  void wake_at(const std::string& worker, micros when);
  void create(const std::string& worker, entry& x);
  void give_identity(const std::string& worker, entry& x);
  void remove(const std::string& worker, entry& x, int grace);
  void look(const std::string& worker, entry& x);
  void tell_end(const std::string& worker, entry& x);
  void tell_trouble(const std::string& worker, const pod_trouble& why) const;
  void failed(entry& x, const kube_answer& answer);
  [[nodiscard]] std::string path(const std::string& worker) const;

  kube_calls& calls_;
  worker_reconciler_options options_;
  worker_listener& listener_;
  std::map<std::string, entry> workers_;
  std::map<std::string, std::string> pods_; ///< workers by key of the pod
  resource_mirror mirror_;
  std::shared_ptr<bool> here_ = std::make_shared<bool>(true);
};

} // namespace ebb
