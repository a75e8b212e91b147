/// What is to be done about one Stream or Topic of a cluster. Pure.
#pragma once

#include "actors/service/resource_desk.hpp"
#include "k8s-bridge/client/kube_answer.hpp"
#include "schemas/error.hpp"
#include "schemas/types.hpp"

#include <optional>
#include <string>
#include <vector>

namespace ebb {

/// A custom resource, as the API server has it.
struct wished_resource {
  std::string uid; ///< the API server's, with dashes
  std::int64_t generation = 0;
  bool deleting = false;
  std::string manifest;                 ///< one document, with its namespace and spec
  kube_json status;                     ///< null where there is none
  std::string version = {};             ///< of the resource
  std::vector<std::string> topics = {}; ///< names of those that a stream reads or writes
};

/// Of an object of the mirror.
[[nodiscard]] result<wished_resource> read_resource(resource_kind kind, const std::string& body);

/// The same uid as the service has it: 32 hexadecimal digits.
[[nodiscard]] std::string service_uid(const std::string& cluster_uid);

/// One try to apply or remove.
struct tried_step {
  std::string uid;             ///< service's
  std::int64_t generation = 0; ///< applied
  std::uint64_t topics = 0; ///< what topics there were: a failed stream is tried again with others
  std::optional<error> problem;
  micros retry_at = max_time; ///< of a failure that may pass
};

struct resource_event {
  std::string reason; ///< `Woke`
  std::string message;
  bool warning = false;

  bool operator==(const resource_event&) const = default;
};

struct observed_resource {
  resource_kind kind = resource_kind::stream;
  std::string name_space;
  std::string name;
  std::string installation; ///< our name among control processes of the cluster

  bool wishes_known = false; ///< the mirror has been filled
  std::optional<wished_resource> wished;

  bool held_known = false; ///< what the service has is known
  std::string held_uid;    ///< the service's uid; empty = it has none

  std::optional<tried_step> applied; ///< by this process
  std::optional<tried_step> removed; ///< a removal that has failed
  std::uint64_t topics = 0;          ///< grows with each change of the namespace's topics

  /// A topic of the new stream's that is not made yet, or whose rows are still those of an earlier
  /// one of the name.
  std::string waits_for;

  bool look_due = true; ///< the report may be old
  std::optional<resource_report> report;
  std::optional<resource_event> pod_problem; ///< why its pod does not run
  std::string pod_problem_of;                ///< name of that pod
  std::uint64_t rows_per_second = 0;

  struct failure {
    std::string reason;
    std::string message;
    micros when = 0; ///< wall time

    bool operator==(const failure&) const = default;
  };

  std::optional<failure> last_failure; ///< of its pods, seen by this process

  kube_json written; ///< status that this process has written last; null = none
  std::string written_uid;
  micros written_at = 0;
  micros write_at = 0;  ///< not before: a write has failed, or was just made
  std::string endpoint; ///< path for messages; topics
};

/// At most one of apply, remove, look and status is to be done at a time, in this order.
struct resource_actions {
  bool remove = false; ///< `held_uid` from the service, if the cluster confirms that it is gone
  bool apply = false;
  bool look = false;
  std::optional<kube_json> status; ///< to be written
  bool claim = false;              ///< with the status: it is ours if nobody has written meanwhile
  std::string owned_by;            ///< another installation, that it is left to; empty = none
  micros again = max_time;         ///< when to ask anew, if nothing changes
  bool forget = false;             ///< nothing is left of it on either side

  [[nodiscard]] bool nothing() const noexcept {
    return !remove && !apply && !look && !status;
  }
};

/// The installation that a status says looks after its object; empty = none yet.
[[nodiscard]] std::string owner_of(const kube_json& status);

/// Level-based: the answer depends on what is there alone. `wall`: for condition times.
[[nodiscard]] resource_actions desired_state(const observed_resource& x, micros now, micros wall);

/// What a person is told when a report takes the place of an earlier one.
[[nodiscard]] std::vector<resource_event> events_between(const resource_report& before,
                                                         const resource_report& now);

} // namespace ebb
