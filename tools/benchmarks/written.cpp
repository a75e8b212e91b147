// How many bytes reach the disk for each byte of state that changes, merges included.

#include "tools/benchmarks/benchmarks.hpp"
#include "tools/benchmarks/scratch_folder.hpp"
#include "tools/benchmarks/scratch_store.hpp"
#include "tools/cli/load.hpp"

#include <fmt/format.h>

#include <chrono>
#include <fstream>
#include <random>

namespace ebb::bench {

namespace {

constexpr std::uint32_t keys = 1'000'000;
constexpr std::uint32_t changes = 20'000; ///< an epoch
constexpr std::uint32_t epochs = 3600;    ///< an hour of one a second
constexpr std::size_t key_bytes = 17;
constexpr std::size_t value_bytes = 59;

/// Bytes that this process has had written to disks.
std::uint64_t written_so_far() {
  std::ifstream io("/proc/self/io");
  for (std::string field; io >> field;)
    if (field == "write_bytes:") {
      std::uint64_t bytes = 0;
      io >> bytes;
      return bytes;
    }
  return 0;
}

snapshot_ptr changed_keys(epoch_number epoch, std::mt19937_64& random, bool all) {
  auto made = std::make_shared<subtask_snapshot>();
  made->epoch = epoch;
  const auto count = all ? keys : changes;
  std::string value(value_bytes, '\0');
  for (std::uint32_t i = 0; i < count; ++i) {
    const auto number = all ? i : static_cast<std::uint32_t>(random() % keys);
    const auto key = fmt::format("{:0{}}", number, key_bytes);
    for (std::size_t b = 0; b + 8 <= value.size(); b += 8) {
      const auto bits = random();
      std::memcpy(value.data() + b, &bits, sizeof bits);
    }
    made->state.add({state_chunk::kind::put, static_cast<std::uint16_t>(number % 128),
                     state_number(0, 1), key, value});
  }
  return made;
}

result<std::uint64_t> changed_and_merged(const std::string& folder) {
  EBB_ASSIGN(const auto store, make_scratch_store(folder));
  EBB_ASSIGN(const auto first, store->reserve(epochs + 1));
  std::mt19937_64 random(1);
  std::uint64_t changed = 0;
  for (std::uint32_t i = 0; i <= epochs; ++i) {
    const auto snapshot = changed_keys(first + i, random, i == 0);
    changed += snapshot->state.size() * (key_bytes + value_bytes);
    epoch_record record;
    record.epoch = first + i;
    EBB_ASSIGN(record.parts.emplace_back().segment,
               store->write_delta(record.epoch, {&snapshot, 1}));
    EBB_TRY(store->commit(record));
    for (;;) {
      EBB_ASSIGN(const bool more, store->maintain());
      if (!more)
        break;
    }
  }
  return changed;
}

} // namespace

bool measure_written(const settings&, report& to) {
  const scratch_folder scratch;
  if (scratch.path().empty())
    return false;
  const auto before = written_so_far();
  const auto begin = std::chrono::steady_clock::now();
  const auto changed = changed_and_merged(scratch.path());
  if (!changed) {
    cli::print_error(changed.error());
    return false;
  }
  const std::chrono::duration<double> took = std::chrono::steady_clock::now() - begin;
  const auto written = written_so_far() - before;
  const auto ratio = static_cast<double>(written) / static_cast<double>(*changed);
  to.line(fmt::format("Written: {} epochs of {} changes to {} keys of {} bytes, each merged as it "
                      "becomes due\n",
                      epochs, changes, keys, key_bytes + value_bytes));
  to.line(fmt::format("{:.2f} GB changed, {:.2f} GB written: {:.2f} bytes a byte ({:.0f} s)",
                      static_cast<double>(*changed) / 1e9, static_cast<double>(written) / 1e9,
                      ratio, took.count()));
  to.add({{"benchmark", "written"},
          {"changedBytes", *changed},
          {"writtenBytes", written},
          {"ratio", ratio},
          {"seconds", took.count()}});
  return true;
}

} // namespace ebb::bench
