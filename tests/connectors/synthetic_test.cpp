#include "actors/connectors/discard.hpp"
#include "actors/connectors/nexmark.hpp"
#include "actors/connectors/nexmark_event.hpp"
#include "actors/connectors/pace.hpp"
#include "actors/connectors/row_hash.hpp"

#include <boost/test/unit_test.hpp>

#include <array>
#include <map>
#include <openssl/evp.h>
#include <set>

namespace ebb {

namespace {

struct collected final : output {
  std::vector<batch_ptr> batches;

  void emit(batch_ptr rows) override {
    batches.push_back(std::move(rows));
  }

  void advance(micros) override {}

  void idle() override {}
};

std::vector<batch_ptr> read_all(nexmark_table table, std::uint64_t events, std::uint32_t subtask,
                                std::uint32_t parallelism, std::uint32_t budget_rows) {
  source_definition source;
  source.name = "s";
  nexmark_source options;
  options.table = table;
  options.events = events;
  connector_context context;
  context.subtask = subtask;
  context.parallelism = parallelism;
  auto reader = open_nexmark(source, options, context);
  BOOST_REQUIRE(reader);
  collected out;
  for (;;) {
    step_budget budget{budget_rows};
    const auto status = (*reader)->read(0, budget, out);
    BOOST_REQUIRE(status);
    if (status->what == read_status::kind::finished)
      return out.batches;
  }
}

std::uint64_t hash_of(const std::vector<batch_ptr>& batches) {
  row_hasher hasher;
  for (const auto& rows : batches)
    hasher.add(*rows);
  return hasher.sum();
}

// The bytes whose SHA-256 the golden values below are of: fields joined by `,`, a row a line.
void append_rows(const batch& rows, std::string& out) {
  for (std::uint32_t i = 0; i < rows.rows; ++i) {
    for (std::size_t k = 0; k < rows.columns.size(); ++k) {
      const auto& x = rows.columns[k];
      if (k != 0)
        out += ',';
      if (x.type.kind == type_kind::text)
        out += x.text_of(i);
      else
        out += std::to_string(x.data<std::int64_t>()[i]);
    }
    out += '\n';
  }
}

std::string sha256(const std::string& bytes) {
  std::array<unsigned char, 32> digest{};
  unsigned int size = 0;
  EVP_Digest(bytes.data(), bytes.size(), digest.data(), &size, EVP_sha256(), nullptr);
  std::string text;
  for (const auto byte : digest) {
    constexpr char digits[] = "0123456789abcdef";
    text += digits[byte >> 4];
    text += digits[byte & 15];
  }
  return text;
}

std::string digest_of(nexmark_table table) {
  std::string bytes;
  for (const auto& rows : read_all(table, 1'000'000, 0, 1, 4096))
    append_rows(*rows, bytes);
  return sha256(bytes);
}

} // namespace

BOOST_AUTO_TEST_SUITE(nexmark_source_rows)

// A change here changes everybody's benchmark data: it needs a line in the changelog.
BOOST_AUTO_TEST_CASE(the_first_million_events_are_golden) {
  BOOST_TEST(digest_of(nexmark_table::person) == "ceb7402c2745f5f145ad515aef4acf845fd2906b26faad290aeee5a97b26fe4e");
  BOOST_TEST(digest_of(nexmark_table::auction) == "079aa6df6bc5405e0c4df0a2fd156cd94d4a26544cad30f4d0844488545c91ae");
  BOOST_TEST(digest_of(nexmark_table::bid) == "60f24aef7840c32d7aa698a280aa546b8839554c103783916d233fb8f7dd91ec");
}

BOOST_AUTO_TEST_CASE(rows_do_not_depend_on_parallelism_or_batch_size) {
  for (const auto table : {nexmark_table::person, nexmark_table::auction, nexmark_table::bid}) {
    const auto whole = hash_of(read_all(table, 10'007, 0, 1, 4096));
    BOOST_TEST(hash_of(read_all(table, 10'007, 0, 1, 7)) == whole);
    for (const std::uint32_t parallelism : {2U, 3U, 7U}) {
      std::uint64_t sum = 0;
      for (std::uint32_t i = 0; i < parallelism; ++i)
        sum += hash_of(read_all(table, 10'007, i, parallelism, 100));
      BOOST_TEST(sum == whole);
    }
  }
}

BOOST_AUTO_TEST_CASE(tables_share_the_event_numbers) {
  std::size_t persons = 0, auctions = 0, bids = 0;
  for (const auto& rows : read_all(nexmark_table::person, 1'000, 0, 1, 4096))
    persons += rows->rows;
  for (const auto& rows : read_all(nexmark_table::auction, 1'000, 0, 1, 4096))
    auctions += rows->rows;
  for (const auto& rows : read_all(nexmark_table::bid, 1'000, 0, 1, 4096))
    bids += rows->rows;
  BOOST_TEST(persons == 20U);
  BOOST_TEST(auctions == 60U);
  BOOST_TEST(bids == 920U);
}

// The shape that any faithful port has (ratios to ±1 %), at 1 M events.
BOOST_AUTO_TEST_CASE(distributions_are_nexmarks) {
  std::uint64_t bids = 0, q2 = 0, q14 = 0, q21 = 0, hot_auctions = 0, hot_bidders = 0;
  std::set<std::pair<std::int64_t, std::int64_t>> pairs;
  for (const auto& rows : read_all(nexmark_table::bid, 1'000'000, 0, 1, 4096)) {
    const auto* auction = rows->columns[0].data<std::int64_t>();
    const auto* bidder = rows->columns[1].data<std::int64_t>();
    const auto* price = rows->columns[2].data<std::int64_t>();
    for (std::uint32_t i = 0; i < rows->rows; ++i) {
      ++bids;
      q2 += auction[i] % 123 == 0 ? 1 : 0;
      const auto euros = 0.908 * static_cast<double>(price[i]);
      q14 += euros > 1'000'000 && euros < 50'000'000 ? 1 : 0;
      const auto channel = rows->columns[3].text_of(i);
      const auto url = rows->columns[4].text_of(i);
      q21 += !channel.starts_with("channel-") || url.find("channel_id=") != url.npos ? 1 : 0;
      hot_auctions += auction[i] % 100 == 0 ? 1 : 0;
      hot_bidders += bidder[i] % 100 == 1 ? 1 : 0;
      pairs.emplace(bidder[i], auction[i]);
      BOOST_TEST_REQUIRE((price[i] >= 100 && price[i] <= 100'000'000));
      const auto extra = rows->columns[6].text_of(i).size();
      BOOST_TEST_REQUIRE((extra >= 54 && extra <= 81));
    }
  }
  const auto share = [&](std::uint64_t n) {
    return static_cast<double>(n) / static_cast<double>(bids);
  };
  BOOST_TEST(bids == 920'000U);
  BOOST_TEST(share(q14) == 0.283, boost::test_tools::tolerance(0.01));
  BOOST_TEST(share(q21) == 0.95, boost::test_tools::tolerance(0.01));
  BOOST_TEST(share(q2) == 0.00816, boost::test_tools::tolerance(0.2));
  BOOST_TEST(share(hot_auctions) == 0.505, boost::test_tools::tolerance(0.01));
  BOOST_TEST(share(hot_bidders) == 0.7525, boost::test_tools::tolerance(0.01));
  BOOST_TEST(share(pairs.size()) == 0.319, boost::test_tools::tolerance(0.02));
}

BOOST_AUTO_TEST_CASE(event_times_are_milliseconds_of_the_number) {
  using nexmark::base_time;
  using nexmark::event_time;
  BOOST_TEST(event_time(0, 100'000) == base_time);
  BOOST_TEST(event_time(99, 100'000) == base_time);
  BOOST_TEST(event_time(100, 100'000) == base_time + 1000);
  BOOST_TEST(event_time(7, 3) == base_time + 2'333'000);
  std::uint64_t n = 0;
  for (const auto& rows : read_all(nexmark_table::bid, 5'000, 0, 1, 33))
    for (std::uint32_t i = 0; i < rows->rows; ++i) {
      while (n % 50 < 4)
        ++n;
      BOOST_TEST_REQUIRE(rows->columns[5].data<std::int64_t>()[i] == event_time(n++, 100'000));
    }
}

BOOST_AUTO_TEST_CASE(a_paced_source_waits_for_its_next_number) {
  pace limit{1'000};
  BOOST_TEST(limit.allowed(5'000'000) == 0U);
  BOOST_TEST(limit.allowed(5'000'000 + 10'000) == 10U);
  BOOST_TEST(limit.when(10, 5'010'000) > 5'010'000);
  BOOST_TEST(limit.allowed(limit.when(10, 5'010'000)) >= 11U);
  BOOST_TEST(pace{0}.allowed(1) == UINT64_MAX);
  pace later{1'000, 50};
  BOOST_TEST(later.allowed(7'000'000) == 50U);
  BOOST_TEST(later.allowed(7'010'000) == 60U);
  BOOST_TEST(later.allowed(later.when(60, 7'010'000)) == 61U);
  BOOST_TEST(later.when(3, 7'000'000) < 7'010'000);
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE(row_hashes)

BOOST_AUTO_TEST_CASE(a_null_an_empty_text_and_another_order_of_columns_differ) {
  const auto one = [](std::optional<std::string> a, std::optional<std::string> b) {
    batch rows;
    rows.rows = 1;
    for (const auto& text : {a, b}) {
      text_builder builder{sql_type{type_kind::text}, 1};
      if (text)
        builder.append(*text);
      else
        builder.append_null();
      rows.columns.push_back(builder.take());
    }
    row_hasher hasher;
    hasher.add(rows);
    return hasher.sum();
  };
  const std::set<std::uint64_t> hashes{one("a", "b"),          one("b", "a"),
                                       one("a", std::nullopt), one("a", ""),
                                       one(std::nullopt, "a"), one("ab", "")};
  BOOST_TEST(hashes.size() == 6U);
}

BOOST_AUTO_TEST_CASE(discard_counts_rows_bytes_and_hash) {
  const auto batches = read_all(nexmark_table::bid, 1'000, 0, 1, 100);
  auto sink = open_discard(discard_sink{true});
  for (const auto& rows : batches)
    BOOST_REQUIRE(sink->write(rows));
  BOOST_TEST(sink->counters().rows == 920U);
  BOOST_TEST(sink->counters().bytes > 920U * 150);
  BOOST_TEST(sink->counters().hash == hash_of(batches));
}

BOOST_AUTO_TEST_SUITE_END()

} // namespace ebb
