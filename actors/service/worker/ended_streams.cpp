#include "actors/service/worker/ended_streams.hpp"

#include <algorithm>

namespace ebb {

void ended_streams::add(stream_ended x, std::uint64_t generation) {
  auto key = std::make_pair(x.uid, x.placement);
  streams_.insert_or_assign(std::move(key), entry{std::move(x), generation});
}

void ended_streams::replace(const std::string& uid, std::uint64_t placement) {
  streams_.erase(streams_.lower_bound({uid, 0}), streams_.lower_bound({uid, placement}));
}

std::vector<hosted_stream> ended_streams::hosted() const {
  std::vector<hosted_stream> all;
  for (const auto& [key, x] : streams_)
    all.push_back({key.first, key.second, x.generation});
  return all;
}

const stream_ended* ended_streams::find(const std::string& uid, std::uint64_t placement) const {
  const auto found = streams_.find({uid, placement});
  return found == streams_.end() ? nullptr : &found->second.end;
}

std::optional<stream_ended> ended_streams::forget(const std::string& uid, std::uint64_t placement) {
  auto taken = streams_.extract({uid, placement});
  if (taken.empty())
    return std::nullopt;
  return std::move(taken.mapped().end);
}

std::vector<stream_ended> ended_streams::welcomed(const control_welcome& x) {
  std::erase_if(streams_, [&](const auto& y) {
    const stream_placement at{y.first.first, y.first.second};
    return std::find(x.accepted.begin(), x.accepted.end(), at) == x.accepted.end();
  });
  std::vector<stream_ended> again;
  for (const auto& [key, y] : streams_)
    again.push_back(y.end);
  return again;
}

} // namespace ebb
