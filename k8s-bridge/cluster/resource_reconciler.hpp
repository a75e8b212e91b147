/// Makes the service's streams and topics those of the cluster, and tells their status.
#pragma once

#include "k8s-bridge/client/kube_calls.hpp"
#include "k8s-bridge/client/resource_mirror.hpp"
#include "k8s-bridge/cluster/pod_trouble.hpp"
#include "k8s-bridge/cluster/resource_state.hpp"
#include "k8s-bridge/cluster/row_rate.hpp"

#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <tuple>

namespace ebb {

struct resource_reconciler_options {
  std::string name_space;                   ///< watched alone; empty = all
  std::string holder;                       ///< our pod, for events
  std::string installation;                 ///< our namespace: whose objects these are
  std::function<void()> specs_changed = {}; ///< a stream's; on the world's thread
  /// A stream's spec as it is now; null: it is gone. On the world's thread.
  std::function<void(const std::string& name_space, const std::string& name, const kube_json& spec)>
      spec_seen = {};
  /// `watch streams` … cannot be done; null: it can again. On the world's thread.
  std::function<void(const std::string& what, const error* why)> trouble = {};
  back_off_limits pauses{micros_per_second, 120 * micros_per_second};
};

/// On the world's thread but where said. The desk's answers come in other threads: `post` brings
/// work to the world's.
class resource_reconciler {
public:
  using post_function = std::function<void(std::function<void()>)>;

  resource_reconciler(kube_calls& calls, resource_desk& desk, post_function post,
                      resource_reconciler_options options);
  ~resource_reconciler();
  resource_reconciler(const resource_reconciler&) = delete;
  resource_reconciler& operator=(const resource_reconciler&) = delete;

  void start();

  /// From any thread: the stream may look different now.
  void stream_changed(const std::string& name_space, const std::string& name);

  /// What keeps the stream's pod from running, or has ended it: shown until another one runs.
  void tell_worker(const std::string& name_space, const std::string& name, const std::string& pod,
                   const pod_trouble& why);
  /// A pod of the stream runs.
  void worker_runs(const std::string& name_space, const std::string& name);

  [[nodiscard]] bool synced() const noexcept {
    return streams_.synced() && topics_.synced();
  }

  /// Objects that are known.
  [[nodiscard]] std::size_t count() const noexcept {
    return entries_.size();
  }

  /// The stream's spec; null where there is no such stream.
  [[nodiscard]] kube_json spec_of(const std::string& name_space, const std::string& name) const;

private:
  using key = std::tuple<resource_kind, std::string, std::string>;

  struct entry {
    observed_resource state;
    bool busy = false;
    std::uint32_t again = 0; ///< number of the newest timer
    back_off pauses;
    micros event_at = 0;
    std::string told_problem;
    std::string told_owner;
    row_rate rate;
  };

  void changed(resource_kind kind, const std::string& at, const kube_object* now);
  void take_held();
  void retry_writes(resource_kind kind);
  entry& at(const key& x);
  void evaluate(const key& x);
  void carry_out(const key& x, entry& e, resource_actions to);
  void apply(const key& x, entry& e);
  void applied(const key& x, tried_step step, result<held_resource> done);
  void confirm_removal(const key& x, entry& e);
  void remove(const key& x, entry& e);
  void look(const key& x, entry& e);
  void write_status(const key& x, entry& e, kube_json status, bool claim);
  void reported(entry& e, const resource_report& now);
  void emit(entry& e, const resource_event& what);
  /// A topic of the stream's that is to be made or replaced first; empty = none.
  [[nodiscard]] std::string outdated_topic(const entry& e) const;
  void topics_moved(const std::string& name_space);
  void wake_at(const key& x, entry& e, micros when);
  [[nodiscard]] micros retry_after(entry& e);
  [[nodiscard]] std::string path(const key& x) const;
  [[nodiscard]] mirror_options mirror_of(resource_kind kind) const;
  [[nodiscard]] mirror_events events_of(resource_kind kind);

  kube_calls& calls_;
  resource_desk& desk_;
  post_function post_;
  resource_reconciler_options options_;
  bool held_known_ = false;
  std::map<key, entry> entries_;
  std::map<std::string, std::uint64_t> topic_versions_; ///< by namespace
  resource_mirror streams_;
  resource_mirror topics_;
  std::uint64_t events_ = 0;
  std::shared_ptr<bool> here_ = std::make_shared<bool>(true);

  std::mutex mutex_; ///< guards what follows
  std::set<std::pair<std::string, std::string>> moved_;
};

} // namespace ebb
