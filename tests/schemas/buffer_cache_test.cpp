/// Caches of buffers that another thread empties.
#include "schemas/buffer_cache.hpp"

#include "schemas/buffer.hpp"

#include <boost/test/unit_test.hpp>

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <thread>
#include <vector>

using namespace ebb;

namespace {

/// Fills buffers with a number of its own and looks whether they still hold it.
std::uint64_t work(std::uint64_t seed, const std::atomic<bool>& going) {
  std::uint64_t wrong = 0;
  std::vector<buffer_ptr> held;
  for (std::uint64_t i = 0; going; ++i) {
    auto made = buffer_ptr::make(std::size_t{256} << i % 8);
    auto* words = made.as<std::uint64_t>();
    words[0] = words[31] = seed + i;
    held.push_back(std::move(made));
    if (held.size() < 16)
      continue;
    const auto& oldest = held.front();
    const auto* kept = oldest.as<const std::uint64_t>();
    wrong += kept[0] == seed + i - 15 && kept[31] == kept[0] ? 0U : 1U;
    held.erase(held.begin());
  }
  return wrong;
}

} // namespace

BOOST_AUTO_TEST_SUITE(buffer_caches)

BOOST_AUTO_TEST_CASE(a_thread_that_rests_gives_its_buffers_to_another_one) {
  std::mutex mutex;
  std::condition_variable told;
  int step = 0;
  const auto reach = [&](int x) {
    std::lock_guard guard(mutex);
    step = x;
    told.notify_all();
  };
  const auto await = [&](int x) {
    std::unique_lock guard(mutex);
    told.wait(guard, [&] { return step >= x; });
  };
  give_buffers_back();
  std::thread other([&] {
    for (int i = 0; i < 4; ++i)
      std::vector<buffer_ptr>(4, buffer_ptr::make(std::size_t{1} << 20)).clear();
    reach(1);
    await(2);
    const auto again = buffer_ptr::make(1000); // goes on with an empty cache
    BOOST_TEST(again.size() >= 1000U);
  });
  await(1);
  BOOST_TEST(kept_buffer_bytes() >= std::size_t{1} << 20);
  give_buffers_back();
  BOOST_TEST(kept_buffer_bytes() == 0U);
  reach(2);
  other.join();
}

BOOST_AUTO_TEST_CASE(threads_that_work_are_not_disturbed) {
  std::atomic<bool> going = true;
  std::atomic<std::uint64_t> wrong = 0;
  std::vector<std::thread> threads;
  for (std::uint64_t i = 0; i < 3; ++i)
    threads.emplace_back([&, i] { wrong += work(i << 40, going); });
  for (int i = 0; i < 2000; ++i)
    give_buffers_back();
  going = false;
  for (auto& x : threads)
    x.join();
  BOOST_TEST(wrong == 0U);
}

BOOST_AUTO_TEST_SUITE_END()
