/// What is wrong between a control process and its cluster, for `ebb why`.
#pragma once

#include "k8s-bridge/cluster/pod_trouble.hpp"
#include "schemas/error.hpp"
#include "schemas/types.hpp"

#include <map>
#include <mutex>
#include <string>
#include <vector>

namespace ebb {

/// Thread-safe. `now` is monotone.
class cluster_troubles {
public:
  /// A pod of the stream (qualified name).
  void pod(const std::string& stream, const pod_trouble& x, const std::string& pod, micros now);
  /// A pod of the stream has started: what kept one from it is over.
  void runs(const std::string& stream);
  /// `what` cannot be done, `watch streams`; null: it can again. True: that is news.
  bool call(const std::string& what, const error* why);
  /// Control reaches what policies of the network should keep it from.
  void policies_ignored();

  [[nodiscard]] std::vector<std::string> sentences(const std::string& stream, micros now);

private:
  struct noted {
    std::string text;
    bool ended = false;
    micros at = 0;
  };

  std::mutex mutex_; ///< guards what follows
  std::map<std::string, noted> pods_;
  std::map<std::string, std::string> calls_;
  bool policies_ignored_ = false;
};

} // namespace ebb
