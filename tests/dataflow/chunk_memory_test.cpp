// Memory of snapshots: pieces are taken again, and given back when asked.
#include "actors/dataflow/chunk_memory.hpp"

#include "actors/dataflow/snapshot.hpp"

#include <boost/test/unit_test.hpp>

#include <cstring>
#include <fstream>
#include <string>
#include <thread>
#include <unistd.h>
#include <vector>

using namespace ebb;

namespace {

std::size_t resident_bytes() {
  std::ifstream in("/proc/self/statm");
  std::size_t all = 0;
  std::size_t resident = 0;
  in >> all >> resident;
  return resident * static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
}

} // namespace

BOOST_AUTO_TEST_SUITE(chunk_pieces)

BOOST_AUTO_TEST_CASE(what_was_dropped_is_taken_next) {
  give_chunks_back();
  chunk_piece first{chunk_piece::usual_bytes, false};
  // Compared as an address: a char pointer is read as a string by the test library.
  const void* const at = first.get();
  std::memset(first.get(), 1, chunk_piece::usual_bytes);
  std::thread([x = std::move(first)] { static_cast<void>(x); }).join();
  BOOST_TEST(static_cast<const void*>(first.get()) == nullptr);
  const chunk_piece again{chunk_piece::usual_bytes, true};
  BOOST_TEST(static_cast<const void*>(again.get()) == at);
  const chunk_piece large{chunk_piece::usual_bytes + 1, true};
  large.get()[chunk_piece::usual_bytes] = 'x';
}

BOOST_AUTO_TEST_CASE(what_two_snapshots_did_not_need_is_given_back) {
  give_chunks_back();
  constexpr auto mib = std::size_t{1} << 20;
  const auto before = resident_bytes();
  const auto snapshot = [](int pieces) {
    std::vector<chunk_piece> many;
    for (int i = 0; i < pieces; ++i) {
      many.emplace_back(chunk_piece::usual_bytes, true);
      std::memset(many.back().get(), i, chunk_piece::usual_bytes);
    }
    settle_chunks();
    return resident_bytes();
  };
  BOOST_TEST(snapshot(800) > before + 180 * mib);
  // The next one's memory is the same.
  BOOST_TEST(resident_bytes() > before + 180 * mib);
  BOOST_TEST(snapshot(800) < before + 220 * mib);
  BOOST_TEST(snapshot(4) > before + 180 * mib);
  snapshot(4);
  snapshot(4);
  const auto kept = resident_bytes();
  BOOST_TEST(kept < before + 80 * mib);
  BOOST_TEST(kept > before + 50 * mib);
  give_chunks_back();
  BOOST_TEST(resident_bytes() < before + 10 * mib);
}

BOOST_AUTO_TEST_CASE(entries_of_every_size_are_as_they_were_added) {
  state_chunk chunk;
  std::vector<std::string> values;
  for (std::size_t i = 0; i < 3000; ++i)
    values.emplace_back(i % 500 == 0 ? 300'000 + i : i % 700, static_cast<char>('a' + i % 26));
  for (std::size_t i = 0; i < values.size(); ++i)
    chunk.add({state_chunk::kind::put, static_cast<std::uint16_t>(i % 128), 3, std::to_string(i),
               values[i]});
  BOOST_REQUIRE(chunk.size() == values.size());
  bool same = true;
  for (std::size_t i = 0; i < values.size(); ++i)
    same = same && chunk.at(i).key == std::to_string(i) && chunk.at(i).value == values[i]
           && chunk.at(i).key_group == i % 128;
  BOOST_TEST(same);
}

BOOST_AUTO_TEST_SUITE_END()
