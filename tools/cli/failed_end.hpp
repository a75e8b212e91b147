/// Ends a run that has failed though the reader of some output sleeps: what is under way is of no use
/// any more, and is given up after a while.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>

namespace ebb::cli {

class failed_end {
public:
  /// By the thread that runs the streams. After two seconds, on a thread of its own, the process ends
  /// with what `tell` returns, unless `came` was called.
  void expect(std::function<int()> tell);

  /// By the same thread: it has come by itself.
  void came();

private:
  /// How often something happened; beyond `ending`, the process is being ended.
  std::shared_ptr<std::atomic<std::uint64_t>> count_ =
      std::make_shared<std::atomic<std::uint64_t>>(0);
};

} // namespace ebb::cli
