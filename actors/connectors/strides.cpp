#include "actors/connectors/strides.hpp"

#include "actors/connectors/position_codec.hpp"

#include <algorithm>

namespace ebb {

namespace {

constexpr std::uint8_t position_version = 1;

} // namespace

result<strides> strides::of(const std::string& source, const connector_context& context,
                            std::uint64_t first, std::uint64_t group, std::uint64_t end) {
  strides made;
  made.subtask_ = context.subtask;
  made.parallelism_ = context.parallelism;
  made.end_ = end;
  // What is recorded counts: strides without numbers have no positions.
  std::uint64_t count = context.positions.empty() ? context.partitions : 0;
  std::vector<std::uint64_t> next;
  const auto begin_all = [&] {
    for (auto p = next.size(); p < count; ++p)
      next.push_back(first + p * group);
  };
  for (const auto& position : context.positions) {
    position_reader bytes(position.bytes, position_version);
    const auto recorded = bytes.number();
    const auto number = bytes.number();
    EBB_TRY(bytes.finish(source));
    if (count == 0)
      count = recorded;
    if (recorded == 0 || recorded != count || position.partition >= count)
      return make_error(
          ec::corrupt,
          "source " + source + ": a recorded position is of partition "
              + std::to_string(position.partition) + " of " + std::to_string(recorded)
              + ", another one of " + std::to_string(count) + " partitions",
          "restore the positions that belong to the stream, or run with --from fresh");
    begin_all();
    next[position.partition] = number;
  }
  if (count == 0)
    count = context.parallelism;
  begin_all();
  made.count_ = static_cast<std::uint32_t>(count);
  made.floor_ = UINT64_MAX;
  for (std::uint64_t p = 0; p < count; ++p) {
    // A stride without any number would have no rows, and so hold the watermark back for ever.
    if (end != 0 && first + p * group >= end)
      break;
    made.floor_ = std::min(made.floor_, next[p]);
    if (p % context.parallelism == context.subtask)
      made.mine_.push_back({made.size(), next[p]});
  }
  return made;
}

strides::stride& strides::lowest() noexcept {
  return *std::min_element(mine_.begin(), mine_.end(),
                           [](const stride& a, const stride& b) { return a.next < b.next; });
}

partition_news strides::news(bool quiet) const {
  partition_news result{size(), 0, {}};
  for (std::uint32_t i = 0; quiet && i < size(); ++i)
    result.quiet.push_back(i);
  return result;
}

void strides::positions(std::vector<source_position>& out) const {
  for (const auto& x : mine_) {
    position_writer bytes(position_version);
    bytes.put(std::uint64_t{count_});
    bytes.put(x.next);
    out.push_back(
        {x.partition * parallelism_ + subtask_, end_ != 0 && x.next >= end_, bytes.take()});
  }
}

} // namespace ebb
