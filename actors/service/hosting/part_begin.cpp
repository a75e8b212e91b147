#include "actors/service/hosting/part_begin.hpp"

#include "actors/runtime/recorded_values.hpp"

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
      record.positions.push_back(to_recorded(source, x));
  for (const auto& [sink, outputs] : start.outputs)
    for (const auto& x : outputs)
      record.outputs.push_back(to_recorded(sink, start.epoch, x));
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
    result.positions[p.source].push_back(to_position(p));
  for (const auto& y : x.start.outputs)
    result.outputs[y.sink].push_back(to_output(y));
  return result;
}

recorded_segments segments_of(const peer_begin& x) {
  return {x.segment_folder, x.start.uid, x.key_groups, x.start.segments};
}

} // namespace ebb
