// topic_worker write FOLDER GROUPS: appends groups of requests to a topic's log, with rolls and
// retention, and notes in FOLDER/acks how many requests were acknowledged, after each group.
// topic_worker check FOLDER REQUESTS: exit code 0 where that many are there, each once and in
// order, and the log goes on. For topic_power.py.
#include "storage/topic_log.hpp"

#include <charconv>
#include <cstdio>
#include <fcntl.h>
#include <string>
#include <unistd.h>

using namespace ebb;

namespace {

constexpr std::uint32_t rows_a_request = 20;

batch_ptr rows_from(std::int64_t first) {
  auto made = std::make_shared<batch>();
  made->rows = rows_a_request;
  auto ids = make_column(sql_type{type_kind::bigint}, rows_a_request);
  text_builder texts{sql_type{type_kind::text}, rows_a_request};
  for (std::uint32_t i = 0; i < rows_a_request; ++i) {
    ids.mutable_data<std::int64_t>()[i] = first + i;
    texts.append(std::string(100, 'x'));
  }
  made->columns = {std::move(ids), texts.take()};
  return made;
}

topic_append request(std::uint64_t number) {
  topic_append x;
  x.parts.push_back({rows_from(static_cast<std::int64_t>(number * rows_a_request)), {}});
  x.producer = producer_position{"p", 0, number * rows_a_request};
  return x;
}

topic_options options() {
  topic_options x;
  x.file_bytes = 128 << 10;
  x.replayed_requests = 50;
  return x;
}

result<void> append_group(topic_log& log, std::uint64_t& acknowledged) {
  std::vector<topic_append> group;
  for (std::uint64_t i = 0; i < 3; ++i)
    group.push_back(request(acknowledged + i));
  for (auto& answer : log.append(group, static_cast<micros>(acknowledged)))
    if (answer.status != append_status::appended && answer.status != append_status::duplicate)
      return std::move(answer.problem);
  acknowledged += group.size();
  return {};
}

result<void> write(const std::string& folder, std::uint64_t groups) {
  EBB_ASSIGN(auto log, topic_log::open(folder + "/topic", options(), 1));
  const int acks = ::open((folder + "/acks").c_str(), O_WRONLY | O_CREAT | O_APPEND, 0644);
  std::uint64_t acknowledged = 0;
  for (std::uint64_t i = 0; i < groups; ++i) {
    EBB_TRY(append_group(*log, acknowledged));
    const auto line = std::to_string(acknowledged) + "\n";
    if (::write(acks, line.data(), line.size()) != static_cast<ssize_t>(line.size()))
      return make_error(ec::io, "cannot write acks");
    topic_retention keep;
    keep.bytes = 300'000;
    if (i % 10 == 9)
      EBB_TRY(log->retain(keep, 1));
    if (i % 40 == 39) {
      log.reset();
      EBB_ASSIGN(log, topic_log::open(folder + "/topic", options(), 1));
    }
  }
  return {};
}

result<void> check(const std::string& folder, std::uint64_t acknowledged) {
  EBB_ASSIGN(const auto log, topic_log::open(folder + "/topic", options(), 1));
  EBB_TRY(log->verify());
  const auto bounds = log->bounds().front();
  if (bounds.end < acknowledged * rows_a_request || bounds.end % rows_a_request != 0)
    return make_error(ec::internal, "there are rows up to " + std::to_string(bounds.end));
  auto reader = log->make_reader();
  for (auto at = bounds.begin; at < bounds.end;) {
    EBB_ASSIGN(const auto slice, reader.read(0, at, {}));
    for (const auto& x : slice.batches)
      for (std::uint32_t i = 0; i < x.rows->rows; ++i)
        if (x.rows->columns[0].data<std::int64_t>()[i] != static_cast<std::int64_t>(at++))
          return make_error(ec::internal, "a wrong row before " + std::to_string(at));
  }
  // The producer sends again what it has no answer for.
  auto next = acknowledged;
  do
    EBB_TRY(append_group(*log, next));
  while (next * rows_a_request < bounds.end);
  if (log->bounds().front().end != next * rows_a_request)
    return make_error(ec::internal, "a request is there twice");
  return {};
}

} // namespace

int main(int argc, char** argv) {
  std::uint64_t number = 0;
  const std::string mode = argc == 4 ? argv[1] : "";
  if (argc == 4)
    std::from_chars(argv[3], argv[3] + std::string(argv[3]).size(), number);
  if (mode != "write" && mode != "check")
    return 2;
  const auto done = mode == "write" ? write(argv[2], number) : check(argv[2], number);
  if (!done)
    std::fputs((to_string(done.error()) + "\n").c_str(), stderr);
  return done ? 0 : 1;
}
