/// `ebb up --backend kubernetes`: what is different there.
#pragma once

#include "actors/service/control_process.hpp"
#include "k8s-bridge/cluster/kubernetes_service.hpp"
#include "tools/cli/commands.hpp"

#include <memory>

namespace ebb::cli {

/// Finds the cluster, and sets what of `options` depends on it: links, placement, the number of the
/// control process, certificates and the first token where the interface is not on loopback.
[[nodiscard]] result<std::unique_ptr<kubernetes_service>>
join_cluster(const up_arguments& arguments, control_options& options);

} // namespace ebb::cli
