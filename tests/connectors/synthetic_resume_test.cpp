#include "actors/connectors/generator.hpp"
#include "actors/connectors/nexmark.hpp"
#include "actors/connectors/nexmark_event.hpp"
#include "actors/connectors/position_codec.hpp"

#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <functional>
#include <map>
#include <random>

namespace ebb {

namespace {

using positions = std::vector<source_position>;
using opener =
    std::function<result<std::unique_ptr<source_reader>>(const connector_context& context)>;

// Checks what a reader emits, and collects the numbers of its rows.
struct checking final : output {
  std::uint32_t partitions = 1;
  std::vector<std::uint64_t> numbers;
  std::map<std::uint32_t, std::uint64_t> last; ///< by partition of the reader

  void emit(batch_ptr rows) override {
    BOOST_TEST_REQUIRE(rows->partitions == partitions);
    BOOST_TEST_REQUIRE(rows->partition < partitions);
    BOOST_TEST_REQUIRE(rows->partitions_ended == 0U);
    const auto* distance = rows->origin.rows ? rows->origin.rows.as<std::uint32_t>() : nullptr;
    for (std::uint32_t i = 0; i < rows->rows; ++i) {
      const auto n = number_of(*rows, i, distance);
      auto& before = last.try_emplace(rows->partition, 0).first->second;
      BOOST_TEST_REQUIRE((n >= before));
      before = n;
      numbers.push_back(n);
    }
  }

  void advance(micros) override {}

  void idle() override {}

  std::function<std::uint64_t(const batch&, std::uint32_t, const std::uint32_t*)> number_of;
};

opener generator_of(std::uint64_t rows, std::uint64_t rate = 0) {
  source_definition source;
  source.name = "numbers";
  source.columns = {{"n", sql_type{type_kind::bigint}, true}};
  generator_source options;
  options.rows = rows;
  options.rate = rate;
  options.columns = {"n"};
  return [source, options](const connector_context& context) {
    return open_generator(source, options, context);
  };
}

opener nexmark_of(nexmark_table table, std::uint64_t events) {
  source_definition source;
  source.name = "nexmark";
  nexmark_source options;
  options.table = table;
  options.events = events;
  return [source, options](const connector_context& context) {
    return open_nexmark(source, options, context);
  };
}

std::uint64_t generated(const batch& rows, std::uint32_t i, const std::uint32_t*) {
  return static_cast<std::uint64_t>(rows.columns[0].data<std::int64_t>()[i]);
}

std::uint64_t event(const batch& rows, std::uint32_t i, const std::uint32_t* distance) {
  return rows.origin.first + (distance == nullptr ? i : distance[i]);
}

// One run: `reads` calls of every reader, then their positions.
positions run(const opener& open, std::uint32_t parallelism, std::uint32_t strides,
              const positions& from, std::uint64_t reads, checking& out, std::mt19937& random) {
  positions all;
  for (std::uint32_t i = 0; i < parallelism; ++i) {
    connector_context context;
    context.subtask = i;
    context.parallelism = parallelism;
    context.partitions = strides;
    context.positions = from;
    auto reader = open(context);
    BOOST_REQUIRE_MESSAGE(reader, (reader ? "" : to_string(reader.error())));
    out.partitions = (*reader)->partitions();
    out.last.clear();
    // Readers of the same run get differently far.
    auto left = reads == UINT64_MAX ? reads : random() % (reads + 1);
    for (; left != 0; --left) {
      step_budget budget{static_cast<std::uint32_t>(1 + random() % 300)};
      const auto status = (*reader)->read(0, budget, out);
      BOOST_REQUIRE(status);
      if (status->what == read_status::kind::finished)
        break;
    }
    (*reader)->positions(all);
  }
  return all;
}

void rescale(const opener& open, const std::vector<std::uint64_t>& expected,
             decltype(checking::number_of) number_of) {
  std::mt19937 random(7);
  for (const std::uint32_t strides : {1U, 2U, 3U, 7U}) {
    for (int round = 0; round < 5; ++round) {
      checking out;
      out.number_of = number_of;
      positions at;
      for (const std::uint32_t parallelism : {1U, 2U, 5U, 1U, 3U})
        at = run(open, parallelism, strides, at, 6, out, random);
      at = run(open, 2, strides, at, UINT64_MAX, out, random);
      for (const auto& x : at)
        BOOST_TEST(x.finished);
      std::sort(out.numbers.begin(), out.numbers.end());
      BOOST_TEST_REQUIRE(out.numbers == expected);
    }
  }
}

std::string error_of(const opener& open, const connector_context& context) {
  auto reader = open(context);
  return reader ? "no error" : to_string(reader.error());
}

} // namespace

BOOST_AUTO_TEST_SUITE(synthetic_positions)

BOOST_AUTO_TEST_CASE(a_generator_makes_each_row_once_at_any_parallelism) {
  std::vector<std::uint64_t> all(5'003);
  for (std::uint64_t n = 0; n < all.size(); ++n)
    all[n] = n;
  rescale(generator_of(all.size()), all, generated);
}

BOOST_AUTO_TEST_CASE(nexmark_makes_each_event_once_at_any_parallelism) {
  for (const auto table : {nexmark_table::person, nexmark_table::auction, nexmark_table::bid}) {
    std::vector<std::uint64_t> all;
    for (std::uint64_t n = 0; n < 6'027; ++n) {
      const auto slot = n % nexmark::events_per_epoch;
      const auto kind = slot == 0  ? nexmark_table::person
                        : slot < 4 ? nexmark_table::auction
                                   : nexmark_table::bid;
      if (kind == table)
        all.push_back(n);
    }
    rescale(nexmark_of(table, 6'027), all, event);
  }
}

BOOST_AUTO_TEST_CASE(strides_without_numbers_are_no_partitions) {
  // Of 8 strides only two have a row: the others must not hold the watermark back.
  connector_context context;
  context.partitions = 8;
  auto reader = generator_of(2)(context);
  BOOST_REQUIRE(reader);
  BOOST_TEST((*reader)->partitions() == 2U);
  context.parallelism = 3;
  context.subtask = 2;
  reader = generator_of(2)(context);
  BOOST_REQUIRE(reader);
  BOOST_TEST((*reader)->partitions() == 0U);
  checking out;
  step_budget budget;
  const auto status = (*reader)->read(0, budget, out);
  BOOST_REQUIRE(status);
  BOOST_TEST((status->what == read_status::kind::finished));
}

BOOST_AUTO_TEST_CASE(a_raised_end_goes_on) {
  std::mt19937 random(1);
  checking out;
  out.number_of = generated;
  const auto at = run(generator_of(100), 2, 2, {}, UINT64_MAX, out, random);
  BOOST_TEST(out.numbers.size() == 100U);
  run(generator_of(250), 1, 2, at, UINT64_MAX, out, random);
  std::sort(out.numbers.begin(), out.numbers.end());
  BOOST_TEST(out.numbers.size() == 250U);
  BOOST_TEST(out.numbers.back() == 249U);
}

BOOST_AUTO_TEST_CASE(a_pace_goes_on_from_the_position) {
  const auto open = generator_of(0, 1'000);
  connector_context context;
  auto reader = open(context);
  BOOST_REQUIRE(reader);
  checking out;
  out.number_of = generated;
  const auto read = [&](micros now) {
    step_budget budget;
    const auto status = (*reader)->read(now, budget, out);
    BOOST_REQUIRE(status);
    BOOST_TEST((status->what == read_status::kind::waiting));
    BOOST_TEST(status->until > now);
  };
  read(1'000'000);
  read(1'500'000);
  BOOST_TEST(out.numbers.size() == 500U);
  (*reader)->positions(context.positions);
  reader = open(context);
  BOOST_REQUIRE(reader);
  // Neither a burst for the time between, nor a wait for the numbers that were made.
  read(9'000'000);
  BOOST_TEST(out.numbers.size() == 500U);
  read(9'010'000);
  BOOST_TEST(out.numbers.size() == 510U);
  BOOST_TEST(out.numbers.back() == 509U);
}

BOOST_AUTO_TEST_CASE(positions_that_do_not_fit_are_refused) {
  std::mt19937 random(1);
  checking out;
  out.number_of = generated;
  const auto open = generator_of(1'000);
  connector_context context;
  context.positions = run(open, 1, 3, {}, 2, out, random);
  BOOST_TEST(error_of(open, context) == "no error");
  // The host may know less of the number of partitions.
  context.partitions = 2;
  BOOST_TEST(error_of(open, context) == "no error");
  const auto other = run(open, 1, 4, {}, 2, out, random);
  context.positions.push_back(other[3]);
  BOOST_TEST(error_of(open, context)
             == "source numbers: a recorded position is of partition 3 of 4, another one of 3 "
                "partitions\n"
                "hint: restore the positions that belong to the stream, or run with --from fresh");
  context.positions.pop_back();
  const auto whole = context.positions[0].bytes;
  for (std::size_t size = 0; size < whole.size(); ++size) {
    context.positions[0].bytes = whole.substr(0, size);
    BOOST_TEST(error_of(open, context).find("its recorded position is not readable")
               != std::string::npos);
    BOOST_TEST(error_of(open, context) != "no error");
  }
  context.positions[0].bytes = whole + "x";
  BOOST_TEST(error_of(open, context) != "no error");
}

BOOST_AUTO_TEST_SUITE_END()

} // namespace ebb
