#include "k8s-bridge/cluster/pod_trouble.hpp"

#include <array>
#include <utility>

namespace ebb {

namespace {

using advice = std::pair<std::string_view, const char*>;

constexpr std::array<advice, 10> advices{{
    {"Unschedulable",
     "free room on a node or add one, or change spec.pod: resources, nodeSelector, "
     "affinity, tolerations"},
    {"ImageCannotBePulled", "load the image on the nodes or push it to its registry; its name and "
                            "pull secret are taken from the StatefulSet ebb"},
    {"QuotaExceeded", "raise the ResourceQuota of ebb's namespace, or ask for less in "
                      "spec.pod.resources"},
    {"Forbidden", "give ebb's service account the rights of deployments/ebb.yaml"},
    {"PodSecurity", "let ebb's namespace allow what the pod has: a folder of the node (--cache-volume "
                    "node:/PATH) needs the label pod-security.kubernetes.io/enforce=privileged"},
    {"OOMKilled", "raise spec.pod.resources.limits.memory, or leave it out"},
    {"Evicted",
     "the node ran short: give the stream spec.pod.resources.requests, or the node room"},
    {"InvalidPod", "correct spec.pod of the stream"},
    {"ClockSkew", "set the clocks of the nodes; timers of the stream fire by its node's clock, and "
                  "with two hours its pods cannot join"},
    {"CreateContainerConfigError", "look at `kubectl describe pod` in ebb's namespace"},
}};

} // namespace

pod_trouble refused_pod(const kube_answer& answer) {
  constexpr int unprocessable = 422;
  pod_trouble x;
  x.reason = answer.reason.empty() ? "CannotReachCluster" : answer.reason;
  if (answer.problem)
    x.message = answer.problem->message;
  if (x.message.find("exceeded quota") != std::string::npos
      || x.message.find("failed quota") != std::string::npos)
    x.reason = "QuotaExceeded";
  else if (x.message.find("violates PodSecurity") != std::string::npos)
    x.reason = "PodSecurity"; // forbidden, though not for a lack of rights
  else if (answer.status == unprocessable)
    x.reason = "InvalidPod";
  return x;
}

std::string pod_advice(std::string_view reason) {
  for (const auto& [name, text] : advices)
    if (name == reason)
      return text;
  return {};
}

std::string sentence_of(const pod_trouble& x, const std::string& pod) {
  auto text = "pod " + pod + ": " + (x.message.empty() ? x.reason : x.message);
  if (const auto hint = pod_advice(x.reason); !hint.empty())
    text += " (" + hint + ')';
  return text;
}

} // namespace ebb
