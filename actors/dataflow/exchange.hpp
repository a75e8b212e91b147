/// The sending side of an edge between two stages: which row goes to which subtask, in batches of a
/// good size.
#pragma once

#include "actors/dataflow/channel_item.hpp"
#include "actors/dataflow/compact.hpp"
#include "actors/dataflow/row_gatherer.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

namespace ebb {

enum class partitioning : std::uint8_t {
  direct,    ///< the one target there is (forward, gather)
  hash,      ///< by key group of the key columns; the batch carries the hashes
  broadcast, ///< every row to every target
};

struct partition_spec {
  partitioning how = partitioning::direct;
  std::uint32_t targets = 1; ///< at most `key_groups` where `how` is hash
  std::vector<std::uint32_t> keys;
  std::uint16_t key_groups = 128;
  bool hashed = false; ///< hash: where batches carry hashes, they are of these keys
};

/// Sizes of the batches that leave. A row that is larger than `bytes_max` travels alone.
struct batch_limits {
  /// As many are sent at once; fewer wait for more. Joining batches of this size costs more (a ns a
  /// value) than handling them apart (a µs a batch).
  std::uint32_t rows_min = 512;
  std::uint32_t rows_max = 4096;
  std::size_t bytes_max = std::size_t{256} << 10;
  /// A batch that need not be split by target passes uncut up to here: a pointer costs nothing.
  std::size_t bytes_uncut = std::size_t{1} << 20;
};

/// Target of a key group: the subtask i of `targets` with first(i) <= group < first(i + 1), where
/// first(i) = ceil(i * groups / targets).
[[nodiscard]] constexpr std::uint32_t target_of_group(std::uint32_t group, std::uint32_t targets,
                                                      std::uint32_t groups) noexcept {
  return static_cast<std::uint32_t>(static_cast<std::uint64_t>(group) * targets / groups);
}

/// Takes what a partitioner sends.
class channel_sender {
public:
  virtual ~channel_sender() = default;
  virtual void send(std::uint32_t target, channel_item item) = 0;
};

/// Splits the rows of one edge by target and gathers small shares into larger batches. Watermark
/// and idleness follow the rows that came before them; while rows wait, only the last of them is
/// kept. Rows that leave take the watermark along; what stays behind the host flushes when the
/// target's consumer has nothing left to do.
class partitioner {
public:
  explicit partitioner(partition_spec spec, batch_limits limits = {});

  void add(const batch_ptr& added, channel_sender& out);
  void advance(micros watermark);
  void idle();
  /// The last item of every target (`end` or `stop`), after all that is pending.
  void close(channel_signal last, channel_sender& out);

  /// Sends what is pending for `target` (of a broadcast: for all).
  void flush(std::uint32_t target, channel_sender& out);
  void flush_all(channel_sender& out);

  [[nodiscard]] bool pending(std::uint32_t target) const noexcept {
    const auto& x = shares_[share_of(target)];
    return x.rows != 0 || x.watermark || x.idle;
  }

  [[nodiscard]] std::uint32_t targets() const noexcept {
    return spec_.targets;
  }

private:
  /// What waits for one target, in this order.
  struct share {
    explicit share(std::uint32_t room) : gathered(room) {}

    std::vector<batch_ptr> parts;
    row_gatherer gathered;
    std::uint32_t rows = 0; ///< of both
    std::size_t bytes = 0;
    std::optional<micros> watermark;
    bool idle = false;
  };

  [[nodiscard]] std::uint32_t share_of(std::uint32_t target) const noexcept {
    return spec_.how == partitioning::broadcast ? 0 : target;
  }

  void add_hashed(const batch& rows, channel_sender& out);
  void sort_by_target(const std::uint64_t* hashes, std::uint32_t rows);
  void add_picked(std::uint32_t target, const batch& rows, const buffer_ptr& hashes,
                  const std::uint32_t* picks, std::uint32_t count, channel_sender& out);
  void add_part(std::uint32_t target, const batch& rows, const buffer_ptr& hashes,
                const std::uint32_t* picks, std::uint32_t count, channel_sender& out);
  void put(std::uint32_t target, batch_ptr rows, std::size_t bytes, channel_sender& out);
  /// Before and after rows join what waits.
  void make_way(std::uint32_t target, std::uint32_t rows, std::size_t bytes, channel_sender& out);
  void joined(std::uint32_t target, std::uint32_t rows, std::size_t bytes, channel_sender& out);
  void flush_rows(std::uint32_t target, channel_sender& out);
  void flush_watermark(std::uint32_t target, channel_sender& out);
  void send(std::uint32_t target, const channel_item& item, channel_sender& out);

  partition_spec spec_;
  batch_limits limits_;
  std::vector<share> shares_;
  // Scratch, kept so that a batch allocates nothing a row.
  batch_measure measure_; ///< of the batch being added
  std::vector<std::uint16_t> target_of_group_;
  std::vector<std::uint16_t> targets_of_rows_;
  std::vector<std::uint32_t> ends_;  ///< a target: end of its row numbers in `picks_`
  std::vector<std::uint32_t> picks_; ///< row numbers by target, ascending
};

} // namespace ebb
