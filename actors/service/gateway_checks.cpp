// GET /v1/verify.

#include "actors/service/file_checks.hpp"
#include "actors/service/service_gateway.hpp"

#include <chrono>
#include <memory>
#include <thread>
#include <utility>

namespace ebb {

namespace {

constexpr auto look_again = std::chrono::milliseconds(20);
/// A client that takes nothing for so long is given up.
constexpr auto patience = std::chrono::seconds(30);

/// Lines for a client, who may be slower than the disk.
class line_sender {
public:
  explicit line_sender(http_stream to) : to_(std::move(to)) {}

  /// False: the client is gone.
  bool put(const std::string& line) {
    waiting_ += line + '\n';
    return send() != http_stream::taken::closed;
  }

  void end() {
    const auto until = std::chrono::steady_clock::now() + patience;
    while (send() == http_stream::taken::full && std::chrono::steady_clock::now() < until)
      std::this_thread::sleep_for(look_again);
    if (waiting_.empty())
      to_.end();
  }

private:
  http_stream::taken send() {
    if (waiting_.empty())
      return http_stream::taken::all;
    const auto done = to_.write(waiting_);
    if (done == http_stream::taken::all)
      waiting_.clear();
    return done;
  }

  http_stream to_;
  std::string waiting_;
};

} // namespace

void service_gateway::verify(const http_reply& reply) {
  with_records([this, reply] {
    auto streams = parts_.records->with([](control_db& db) { return db.streams(); });
    if (!streams)
      return reply.fail(streams.error());
    auto topics = parts_.records->with([](control_db& db) { return db.topics(); });
    if (!topics)
      return reply.fail(topics.error());
    // Beside the control database's work: it reads everything.
    parts_.io->submit(parts_.reading_lane, [this, reply, streams = *std::move(streams),
                                            topics = *std::move(topics)] {
      const auto lines = std::make_shared<line_sender>(reply.stream(200, "application/x-ndjson"));
      std::uint64_t files = 0;
      std::uint64_t damaged = 0;
      const auto tell = [&](const checked_file& x) {
        ++files;
        damaged += x.problem ? 1 : 0;
        return lines->put(check_json(x));
      };
      const auto& data = parts_.records->folder();
      const auto folders = folders_of(data);
      for (const auto& x : streams)
        if (x.life != stream_life::deleted && !verify_stream(x, tell))
          return;
      for (const auto& x : topics) {
        const topic_rows_source from{
            [&] { return parts_.topics->bounds(x.uid); },
            [&](std::uint32_t partition, std::uint64_t offset, const topic_read_limits& limits) {
              return parts_.topics->read(x.uid, partition, offset, limits);
            }};
        if (!check_topic(x.name, from, tell))
          return;
      }
      const auto control = parts_.records->with([](control_db& db) { return db.check(); });
      if (!check_control(data, folders, control, tell))
        return;
      static_cast<void>(lines->put(R"({"files":)" + std::to_string(files) + R"(,"damaged":)"
                                   + std::to_string(damaged) + '}'));
      lines->end();
    });
  });
}

bool service_gateway::verify_stream(const stream_entry& x,
                                    const std::function<bool(const checked_file&)>& tell) const {
  const auto folder = parts_.records->folder() + "/streams/" + x.uid + "/segments";
  // A segment may be merged away between the look at the records and the look at the file: then the
  // newer records say what there is.
  for (int i = 0;; ++i) {
    std::vector<checkpoint_record> records;
    const auto known = parts_.records->with([&](control_db& db) -> result<void> {
      EBB_ASSIGN(records, db.records(x.uid));
      EBB_ASSIGN(const auto savepoints, db.savepoints(x.uid));
      for (const auto& y : savepoints)
        records.push_back(y.record);
      return {};
    });
    if (!known)
      return tell({"stream", x.name, "records", 0, 0, known.error()});
    std::vector<checked_file> found;
    bool missing = false;
    static_cast<void>(check_segments(folder, x, records, [&](const checked_file& y) {
      missing = missing || (y.problem && y.problem->code == ec::not_found);
      found.push_back(y);
      return true;
    }));
    constexpr int tries = 5;
    if (missing && i + 1 < tries)
      continue;
    for (const auto& y : found)
      if (!tell(y))
        return false;
    return true;
  }
}

} // namespace ebb
