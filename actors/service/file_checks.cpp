#include "actors/service/file_checks.hpp"

#include "actors/service/apply_plan.hpp"
#include "storage/segment_reader.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <chrono>
#include <thread>
#include <utility>

namespace ebb {

namespace {

constexpr topic_read_limits piece{std::size_t{4} << 20, std::uint64_t{1} << 20};

result<void> check_segment(const std::string& path, const segment_info& x,
                           const stream_entry& stream) {
  EBB_ASSIGN(auto reader, segment_reader::open(path, {x, stream.uid, stream.key_groups}));
  return reader->verify_all();
}

/// Rows that were read, from `at` to the end.
result<std::uint64_t> check_partition(std::uint32_t partition, topic_bounds at,
                                      const topic_rows_source& from) {
  std::uint64_t rows = 0;
  while (at.begin < at.end) {
    auto slice = from.read(partition, at.begin, piece);
    if (!slice) {
      if (slice.error().code != ec::not_found)
        return std::move(slice).error();
      // Retention has taken it.
      EBB_ASSIGN(const auto now, from.bounds());
      if (partition >= now.size() || now[partition].begin <= at.begin)
        return std::move(slice).error();
      at.begin = now[partition].begin;
      continue;
    }
    if (slice->next <= at.begin)
      break;
    rows += slice->next - at.begin;
    at.begin = slice->next;
  }
  return rows;
}

} // namespace

bool check_control(const std::string& data, const std::vector<std::string>& folders,
                   const result<control_check>& found, const check_listener& tell) {
  checked_file one{"control", "database", "control.mdb", 0, 0, {}};
  if (!found) {
    one.problem = found.error();
    return tell(one);
  }
  one.rows = found->entries;
  if (found->problems.empty() && !tell(one))
    return false;
  for (const auto& x : found->problems) {
    one.problem = make_error(ec::corrupt, x);
    if (!tell(one))
      return false;
  }
  auto left = left_over(data, folders, *found);
  if (!left.empty()) {
    // The folder of a topic or a stream goes a moment after its entry.
    std::this_thread::sleep_for(std::chrono::milliseconds(500));
    left = left_over(data, left, *found);
  }
  for (const auto& x : left) {
    const auto what = x.substr(0, x.find('/') - 1); // without the plural's s
    if (!tell({"control", "database", x, 0, 0,
               make_error(ec::corrupt, "the folder of a " + what + " that does not exist")}))
      return false;
  }
  return true;
}

bool check_segments(const std::string& folder, const stream_entry& stream,
                    const std::vector<checkpoint_record>& records, const check_listener& tell) {
  std::vector<segment_info> segments;
  for (const auto& record : records)
    for (const auto& x : record.segments)
      if (std::find(segments.begin(), segments.end(), x) == segments.end())
        segments.push_back(x);
  return std::all_of(segments.begin(), segments.end(), [&](const segment_info& x) {
    checked_file one{"stream", stream.name, x.id, x.bytes, 0, {}};
    if (auto done = check_segment(folder + '/' + x.id, x, stream); !done)
      one.problem = std::move(done).error();
    return tell(one);
  });
}

bool check_topic(const std::string& name, const topic_rows_source& from,
                 const check_listener& tell) {
  const auto bounds = from.bounds();
  if (!bounds)
    return bounds.error().code == ec::not_found
           || tell({"topic", name, "log", 0, 0, bounds.error()});
  for (std::uint32_t i = 0; i < bounds->size(); ++i) {
    checked_file one{"topic", name, "partition " + std::to_string(i), 0, 0, {}};
    auto rows = check_partition(i, (*bounds)[i], from);
    if (rows)
      one.rows = *rows;
    else
      one.problem = std::move(rows).error();
    if (!tell(one))
      return false;
  }
  return true;
}

std::string check_json(const checked_file& x) {
  const auto name = split(x.name);
  nlohmann::ordered_json all{{x.kind, name.name}, {"namespace", name.name_space}, {"file", x.file}};
  if (x.kind == "control")
    all["entries"] = x.rows;
  else if (x.kind == "topic")
    all["rows"] = x.rows;
  else
    all["bytes"] = x.bytes;
  all["good"] = !x.problem.has_value();
  all["result"] = x.problem ? x.problem->message : "good";
  return all.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace);
}

} // namespace ebb
