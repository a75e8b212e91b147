// No CAF here, so that this suite means something under TSan.
#include "actors/runtime/io_pool.hpp"

#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <functional>
#include <future>
#include <thread>
#include <vector>

using namespace ebb; // NOLINT

BOOST_AUTO_TEST_SUITE(io_threads)

BOOST_AUTO_TEST_CASE(jobs_of_a_lane_run_in_order_and_all_run_before_the_pool_goes) {
  constexpr int lanes = 7;
  constexpr int jobs = 500;
  std::vector<std::vector<int>> seen(lanes);
  std::vector<std::atomic<int>> running(lanes);
  std::atomic<bool> overlapped = false;
  {
    io_pool pool(3);
    std::vector<std::uint64_t> numbers;
    for (int i = 0; i < lanes; ++i)
      numbers.push_back(pool.open_lane());
    std::vector<std::thread> submitters;
    for (int s = 0; s < lanes; ++s)
      submitters.emplace_back([&, s] {
        for (int k = 0; k < jobs; ++k)
          pool.submit(numbers[s], [&, s, k] {
            if (running[s]++ != 0)
              overlapped = true;
            seen[s].push_back(k);
            --running[s];
          });
      });
    for (auto& x : submitters)
      x.join();
  }
  BOOST_TEST(!overlapped);
  for (const auto& x : seen) {
    BOOST_TEST(x.size() == std::size_t{jobs});
    BOOST_TEST(std::is_sorted(x.begin(), x.end()));
  }
}

BOOST_AUTO_TEST_CASE(lanes_do_not_wait_for_each_other) {
  std::promise<void> release;
  auto released = release.get_future();
  std::promise<void> passed;
  io_pool pool(2); // joins its threads before the promises go
  pool.submit(pool.open_lane(), [&] { released.wait(); });
  pool.submit(pool.open_lane(), [&] { passed.set_value(); });
  const auto status = passed.get_future().wait_for(std::chrono::seconds(30));
  BOOST_TEST((status == std::future_status::ready));
  release.set_value();
}

BOOST_AUTO_TEST_CASE(a_job_may_submit_another_while_the_pool_closes) {
  std::atomic<int> count = 0;
  std::function<void()> again;
  {
    io_pool pool(2);
    const auto lane = pool.open_lane();
    const auto other = pool.open_lane();
    again = [&] {
      if (++count < 100)
        pool.submit(count % 2 == 0 ? lane : other, again);
    };
    pool.submit(lane, again);
  }
  BOOST_TEST(count == 100);
}

BOOST_AUTO_TEST_CASE(a_pool_without_jobs_has_no_threads) {
  io_pool pool(4);
  pool.open_lane();
}

BOOST_AUTO_TEST_SUITE_END()
