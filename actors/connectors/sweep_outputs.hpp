/// Removes waiting outputs that will never be applied.
#pragma once

#include "actors/dataflow/endpoint.hpp"

#include <mutex>
#include <set>
#include <string>

namespace ebb {

/// A crash leaves the files of epochs behind that were sealed and not committed. When an output is
/// applied, those of its lane with a lower epoch are of that kind, since outputs of a lane are
/// applied in order. Looks once a lane. Thread-safe.
class output_sweeper {
public:
  /// `output` has been applied. Blocks. Files that cannot be removed stay.
  void sweep(const sealed_output& output);

private:
  std::mutex mutex_;
  std::set<std::string> swept_; ///< paths up to the epoch
};

} // namespace ebb
