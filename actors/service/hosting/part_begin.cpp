#include "actors/service/hosting/part_begin.hpp"

namespace ebb {

peer_begin to_begin(const stream_start& start, const recorded_segments& segments,
                    std::uint64_t small) {
  peer_begin result;
  auto& record = result.start;
  record.uid = start.uid;
  record.generation = start.generation;
  record.epoch = start.epoch;
  record.segments = segments.segments;
  for (const auto& [source, positions] : start.positions)
    for (const auto& x : positions)
      record.positions.push_back({source, x.partition, x.finished, x.bytes});
  for (const auto& [sink, outputs] : start.outputs)
    for (const auto& x : outputs)
      record.outputs.push_back(
          {sink, x.lane, start.epoch, x.file, x.bytes, x.digest, x.target, x.offset, x.rows});
  result.operators = start.operators;
  result.output_folder = start.output_folder;
  result.segment_folder = segments.folder;
  result.key_groups = segments.key_groups;
  result.small = small;
  return result;
}

stream_start start_of(const peer_begin& x) {
  stream_start result;
  result.uid = x.start.uid;
  result.generation = x.start.generation;
  result.epoch = x.start.epoch;
  result.output_folder = x.output_folder;
  result.operators = x.operators;
  for (const auto& p : x.start.positions)
    result.positions[p.source].push_back({p.partition, p.finished, p.bytes});
  for (const auto& y : x.start.outputs)
    result.outputs[y.sink].push_back(
        {y.lane, y.file, y.bytes, y.digest, y.target, y.offset, y.rows});
  return result;
}

recorded_segments segments_of(const peer_begin& x) {
  return {x.segment_folder, x.start.uid, x.key_groups, x.start.segments};
}

} // namespace ebb
