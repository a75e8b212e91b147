/// What a source says of its partitions besides their rows.
#pragma once

#include "schemas/batch.hpp"

#include <cstdint>
#include <memory>
#include <utility>
#include <vector>

namespace ebb {

/// Partitions as the reader numbers them, as in `batch`.
struct partition_news {
  std::uint32_t partitions = 0;     ///< that the reader reads
  std::uint32_t ended = 0;          ///< those below have ended
  std::vector<std::uint32_t> quiet; ///< rising: all rows that they have just now have been emitted

  bool operator==(const partition_news&) const = default;
};

/// The output of a source where somebody wants news. A reader finds it by a cast.
class news_output {
public:
  virtual ~news_output() = default;
  /// Holds for what is emitted from now on, until told otherwise.
  virtual void tell(const partition_news& x) = 0;
};

/// How news travel to the step that assigns watermarks: as a batch without rows, of which there are
/// no others in a subtask.
struct news_batch : batch {
  partition_news news;
};

/// The news of a batch without rows.
[[nodiscard]] inline const partition_news& news_of(const batch& x) noexcept {
  return static_cast<const news_batch&>(x).news;
}

/// A reader's side: says what has changed.
class news_teller {
public:
  template <class Output>
  void tell(partition_news x, Output& out) {
    if (told_ && last_ == x)
      return;
    told_ = true;
    last_ = std::move(x);
    if (auto* const to = dynamic_cast<news_output*>(&out))
      to->tell(last_);
  }

private:
  partition_news last_;
  bool told_ = false;
};

} // namespace ebb
