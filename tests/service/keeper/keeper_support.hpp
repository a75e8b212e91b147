/// A keeper whose world is played by the test: jobs wait until they are run, workers say what the
/// test wants. The control database and the topics are real.
#pragma once

#include "actors/runtime/io_pool.hpp"
#include "actors/service/control_records.hpp"
#include "actors/service/keeper/keeper.hpp"
#include "actors/service/topics/topic_registry.hpp"

#include <boost/test/unit_test.hpp>

#include <cstdlib>
#include <deque>
#include <filesystem>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace keeper_test {

template <class T>
T value_of(ebb::result<T> x) {
  BOOST_REQUIRE_MESSAGE(static_cast<bool>(x), (x ? std::string{} : to_string(x.error())));
  return *std::move(x);
}

inline void require(const ebb::result<void>& x) {
  BOOST_REQUIRE_MESSAGE(static_cast<bool>(x), (x ? std::string{} : to_string(x.error())));
}

class scratch_folder {
public:
  scratch_folder() {
    std::string name = (std::filesystem::temp_directory_path() / "ebb-keeper-XXXXXX").string();
    BOOST_REQUIRE(::mkdtemp(name.data()) != nullptr);
    path = name;
  }

  ~scratch_folder() {
    std::error_code ignored;
    std::filesystem::remove_all(path, ignored);
  }

  scratch_folder(const scratch_folder&) = delete;
  scratch_folder& operator=(const scratch_folder&) = delete;

  std::string path;
};

class played_world final : public ebb::keeper_world {
public:
  explicit played_world(const std::string& folder)
      : folder_(folder), database_(value_of(ebb::control_records::open(folder))) {
    ebb::topic_registry_options options;
    options.data_folder = folder;
    options.on_moved = [this](const std::string& uid) { moved.push_back(uid); };
    registry_ = value_of(ebb::topic_registry::open(
        std::move(options), io_, [this] { return time; }, metrics_));
  }

  // What the keeper asks for.

  [[nodiscard]] ebb::micros now() const override {
    return time;
  }

  void run(std::function<void()> work, std::function<void()> then) override {
    jobs.emplace_back(std::move(work), std::move(then));
  }

  void call_at(ebb::micros when) override {
    alarm = when;
  }

  void start_worker(std::uint64_t worker) override {
    started_workers.push_back(worker);
  }

  void kill_worker(std::uint64_t worker) override {
    killed_workers.push_back(worker);
  }

  bool send(std::uint64_t worker, const ebb::link_message& what) override {
    if (!connected)
      return false;
    sent.emplace_back(worker, what);
    return true;
  }

  [[nodiscard]] ebb::control_records& records() override {
    return *database_;
  }

  [[nodiscard]] ebb::topic_registry& topics() override {
    return *registry_;
  }

  void listen(const std::string& topic, bool on) override {
    listening[topic] = on;
  }

  void show(const ebb::stream_slot& x) override {
    if (x.shown)
      --phases[*x.shown];
    ++phases[x.life.phase()];
  }

  void show(const ebb::wake_trace&) override {
    ++wakes;
  }

  void reads(const ebb::stream_slot& x) override {
    if (!forgetful)
      readers[x.uid] = *x.inputs;
  }

  void gone(const ebb::stream_slot& x) override {
    --phases[*x.shown];
    readers.erase(x.uid);
  }

  /// The newest order of this kind, or null.
  template <class T>
  [[nodiscard]] const T* last() const {
    for (auto i = sent.rbegin(); i != sent.rend(); ++i)
      if (const auto* found = std::get_if<T>(&i->second))
        return found;
    return nullptr;
  }

  ebb::micros time = 1'800'000'000'000'000;
  ebb::micros alarm = ebb::max_time;
  bool connected = true;
  bool forgetful = false; ///< does not keep readers
  std::deque<std::pair<std::function<void()>, std::function<void()>>> jobs;
  std::vector<std::uint64_t> started_workers;
  std::vector<std::uint64_t> killed_workers;
  std::vector<std::pair<std::uint64_t, ebb::link_message>> sent;
  std::map<std::string, bool> listening;
  std::vector<std::string> moved;
  int wakes = 0;
  std::map<ebb::lifecycle_phase, int> phases;              ///< streams in each, as they were shown
  std::map<std::string, std::vector<std::string>> readers; ///< topics, by stream

private:
  std::string folder_;
  ebb::inline_executor io_;
  ebb::metrics_registry metrics_;
  std::unique_ptr<ebb::control_records> database_;
  std::unique_ptr<ebb::topic_registry> registry_;
};

} // namespace keeper_test
