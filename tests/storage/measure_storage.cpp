// measure_storage FOLDER: how long the storage layer's steps take, as a table. Not a test.
//
// Each figure is the median of seven runs, wall time and the process's processor time; the page
// cache is warm. Compare runs only on a quiet machine: most of a small write is the device's sync.
#include "storage/control_db.hpp"
#include "storage/merge.hpp"
#include "storage/segment_reader.hpp"
#include "storage/segment_writer.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <ctime>
#include <functional>
#include <string>
#include <vector>

using namespace ebb;

namespace {

struct cost {
  double wall = 0; ///< milliseconds, as the next one
  double processor = 0;
};

double wall_now() {
  using milliseconds = std::chrono::duration<double, std::milli>;
  return milliseconds(std::chrono::steady_clock::now().time_since_epoch()).count();
}

double processor_now() {
  return static_cast<double>(std::clock()) * 1e3 / CLOCKS_PER_SEC;
}

// `prepare` is not measured.
void measure(const std::string& what, const std::function<void()>& prepare,
             const std::function<void()>& work) {
  std::vector<cost> runs;
  for (int i = 0; i < 7; ++i) {
    prepare();
    const auto wall = wall_now();
    const auto processor = processor_now();
    work();
    runs.push_back({wall_now() - wall, processor_now() - processor});
  }
  const auto median = [&](double cost::*field) {
    std::nth_element(runs.begin(), runs.begin() + 3, runs.end(),
                     [&](const auto& a, const auto& b) { return a.*field < b.*field; });
    return runs[3].*field;
  };
  fmt::print("{:<44} {:>10.3f} ms {:>10.3f} ms cpu\n", what, median(&cost::wall),
             median(&cost::processor));
}

template <class T>
T must(result<T> x) {
  if (!x) {
    std::fputs((to_string(x.error()) + "\n").c_str(), stderr);
    std::exit(1);
  }
  return *std::move(x);
}

void must(result<void> x) {
  if (!x) {
    std::fputs((to_string(x.error()) + "\n").c_str(), stderr);
    std::exit(1);
  }
}

// 20 bytes of key, 64 of value: 84.
std::vector<std::string> keys_of(std::size_t count) {
  std::vector<std::string> keys;
  keys.reserve(count);
  for (std::size_t i = 0; i < count; ++i)
    keys.push_back(fmt::format("key-{:016}", i));
  return keys;
}

segment_info write(const std::string& path, const std::vector<std::string>& keys,
                   segment_kind kind = segment_kind::delta) {
  const std::string value(64, 'v');
  auto writer = must(segment_writer::create(path, {"uid", 1, kind, 128, 0, 127}));
  for (std::size_t i = 0; i < keys.size(); ++i)
    must(writer.add({static_cast<std::uint16_t>(i * 128 / keys.size()), 1, keys[i], value}));
  return must(writer.finish());
}

void measure_segments(const std::string& folder, std::size_t count) {
  const auto keys = keys_of(count);
  const auto path = folder + "/measured.delta";
  segment_info info;
  const auto remove = [&] { must(remove_file(path)); };
  measure(fmt::format("{} entries written and synced", count), remove,
          [&] { info = write(path, keys); });
  const auto nothing = [] {};
  const auto open = [&] { return must(segment_reader::open(path, {info, "uid", 128})); };
  measure("  opened", nothing, [&] { open(); });
  measure("  opened, one key read", nothing, [&] {
    const auto i = count / 2;
    must(open()->get(static_cast<std::uint16_t>(i * 128 / count), 1, keys[i]));
  });
  measure("  opened, verified and scanned", nothing, [&] {
    auto reader = open();
    auto cursor = must(reader->scan(0, 127));
    while (must(cursor.next()))
      ;
  });
  remove();
}

void measure_merge(const std::string& folder) {
  const auto keys = keys_of(1'000'000);
  const auto base = write(folder + "/base", keys, segment_kind::base);
  std::vector<segment_info> infos{base};
  for (std::size_t d = 0; d < 12; ++d) {
    std::vector<std::string> changed;
    for (std::size_t i = d; i < keys.size(); i += 50)
      changed.push_back(keys[i]);
    infos.push_back(write(folder + fmt::format("/delta-{}", d), changed));
  }
  measure(
      "1 M entries and 12 deltas of 20,000 merged", [&] { must(remove_file(folder + "/merged")); },
      [&] {
        std::vector<std::shared_ptr<segment_reader>> readers;
        for (const auto& x : infos)
          readers.push_back(must(segment_reader::open(folder + "/" + x.id, {x, "uid", 128})));
        must(merge_segments(merged_state{std::move(readers)},
                            {folder, {"uid", 2, segment_kind::base, 128, 0, 127}, [](std::size_t) {
                               return "merged";
                             }}));
      });
  for (const auto& x : infos)
    must(remove_file(folder + "/" + x.id));
  must(remove_file(folder + "/merged"));
}

void measure_control(const std::string& folder) {
  auto db = must(control_db::open(folder + "/control"));
  stream_entry entry;
  entry.uid = must(random_uid());
  entry.name = entry.uid;
  must(db.open_or_create(entry));
  const auto generation = must(db.begin_generation(entry.uid));
  auto epoch = must(db.reserve_epochs(entry.uid, generation, 1'000));
  measure(
      "checkpoint record committed", [] {},
      [&] {
        commit_request request;
        request.record.uid = entry.uid;
        request.record.epoch = epoch++;
        request.record.generation = generation;
        request.record.segments.resize(12);
        request.generation = generation;
        must(db.commit(request));
      });
  measure(
      "sink token set", [] {},
      [&] {
        must(db.set_tokens(entry.uid, generation, std::vector<sink_token>{{"out", 0, epoch++, 1}}));
      });
}

} // namespace

int main(int argc, char** argv) {
  if (argc != 2) {
    std::fputs("usage: measure_storage FOLDER\n", stderr);
    return 2;
  }
  const std::string folder = argv[1];
  must(make_folder(folder));
  for (const std::size_t count : {10, 20'000, 1'000'000})
    measure_segments(folder, count);
  measure_merge(folder);
  measure_control(folder);
  return 0;
}
