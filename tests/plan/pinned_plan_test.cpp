#include "actors/plan/pinned_plan.hpp"

#include <boost/test/unit_test.hpp>

namespace ebb {

namespace {

kept_state state(const char* identity, const char* shape = "keys a; count()") {
  return {identity, "(bigint )", shape};
}

std::vector<std::string> names(const pinned_plan& x) {
  stream_entry entry;
  write_pinned(x, entry);
  return entry.operators;
}

using strings = std::vector<std::string>;

} // namespace

BOOST_AUTO_TEST_SUITE(pinned_plans)

BOOST_AUTO_TEST_CASE(numbers_are_never_used_again) {
  pinned_plan x;
  x.adopt(std::vector{state("a"), state("b")}, 0, 1);
  BOOST_TEST(names(x) == (strings{"a", "b"}), boost::test_tools::per_element());
  x.adopt(std::vector{state("b"), state("c")}, 7, 2);
  BOOST_TEST(names(x) == (strings{"a (dropped)", "b", "c"}), boost::test_tools::per_element());
  BOOST_TEST(x.operators[0].dropped_by == 2U);
  // Back under the same name: it begins empty, under a new number.
  x.adopt(std::vector{state("a"), state("b"), state("c", "keys a; count(), sum(x)")}, 9, 3);
  BOOST_TEST(names(x) == (strings{"a (dropped)", "b", "c (dropped)", "a", "c"}),
             boost::test_tools::per_element());
  BOOST_TEST(x.used().size() == 3U);
}

BOOST_AUTO_TEST_CASE(a_savepoint_has_the_operators_of_its_time) {
  pinned_plan x;
  x.adopt(std::vector{state("a")}, 0, 1);
  x.adopt(std::vector{state("b")}, 20, 2);             // epochs 1 to 20 have a
  x.adopt(std::vector{state("a"), state("b")}, 30, 3); // 31 on: another a
  const auto before = x;
  x.go_back_to(15, 40, 4);
  BOOST_TEST(names(x) == (strings{"a", "b (dropped)", "a (dropped)"}),
             boost::test_tools::per_element());
  // What was written meanwhile can be gone back to as well.
  x.go_back_to(25, 50, 5);
  BOOST_TEST(names(x) == (strings{"a (dropped)", "b", "a (dropped)"}),
             boost::test_tools::per_element());
  x.go_back_to(45, 60, 6);
  BOOST_TEST(names(x) == (strings{"a", "b (dropped)", "a (dropped)"}),
             boost::test_tools::per_element());
  x.go_back_to(35, 70, 7);
  BOOST_TEST(names(x) == names(before), boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(a_savepoint_has_the_paths_of_its_time) {
  const auto used = [](const pinned_plan& x) {
    std::string text;
    for (const auto& path : x.used_paths())
      text += path.taker + ": " + path.what + '\n';
    return text;
  };
  pinned_plan x;
  x.adopt_paths(std::vector<change_path>{{"sink a", "k"}, {"sink b", "k"}}, 0);
  x.adopt_paths(std::vector<change_path>{{"sink a", "k + 1"}}, 20);
  BOOST_TEST(used(x) == "sink a: k + 1\n");
  x.go_back_to(15, 40, 4);
  BOOST_TEST(used(x) == "sink a: k\nsink b: k\n");
  x.go_back_to(25, 50, 5);
  BOOST_TEST(used(x) == "sink a: k + 1\n");
  stream_entry entry;
  write_pinned(x, entry);
  BOOST_TEST((read_pinned(entry) == x));
}

BOOST_AUTO_TEST_CASE(what_is_written_is_read) {
  pinned_plan x;
  x.version = "1.2.3";
  x.manifest = digest_of_text("text");
  x.format = 3;
  x.adopt(std::vector{state("a/join/0", "keys \"odd # name\"; left x"), state("b")}, 0, 1);
  x.adopt(std::vector{state("b")}, 12, 2);
  x.go_back_to(5, 20, 3);
  stream_entry entry;
  write_pinned(x, entry);
  BOOST_TEST((read_pinned(entry) == x));
}

BOOST_AUTO_TEST_CASE(states_that_were_numbered_by_stage_fit_no_plan) {
  pinned_plan x;
  x.adopt(std::vector{state("r/join/0"), state("r/group aggregate/0"), state("r/group aggregate/1")},
          0, 1);
  x.forget_numbers_by_stage();
  BOOST_TEST(names(x)
                 == (strings{"r/join/0", "r/group aggregate/0 (numbered by stage)",
                             "r/group aggregate/1 (numbered by stage)"}),
             boost::test_tools::per_element());
}

// As earlier versions wrote it: names and signatures.
// Earlier versions put shapes into the words of the query.
BOOST_AUTO_TEST_CASE(shapes_in_other_words_are_forgotten_while_the_manifest_is_the_same) {
  pinned_plan x;
  x.adopt(std::vector{state("a", "keys k % 7; count()"), state("b")}, 0, 1);
  x.adopt(std::vector{state("a", "keys k % 7; count()")}, 20, 2);
  BOOST_TEST(!fits(x.used()[0], state("a", "keys (k % 7); count()")));
  x.forget_shapes();
  BOOST_TEST(fits(x.used()[0], state("a", "keys (k % 7); count()")));
  BOOST_TEST(x.operators[1].state.shape == "keys a; count()"); // of which nothing is told
  stream_entry entry;
  x.words = state_words;
  write_pinned(x, entry);
  BOOST_TEST(read_pinned(entry).words == state_words);
}

BOOST_AUTO_TEST_CASE(clocks_keep_no_columns) {
  const kept_state before{"o/watermark/0", "(bigint )", "time t"};
  BOOST_TEST(fits(before, {"o/watermark/0", "(bigint text )", "time t"}));
  BOOST_TEST(!fits(before, {"o/watermark/0", "(bigint )", "time u"}));
  BOOST_TEST(!fits({"q/join/0", "(bigint )", ""}, {"q/join/0", "(bigint text )", ""}));
}

BOOST_AUTO_TEST_CASE(entries_without_shapes_fit_all) {
  stream_entry entry;
  entry.operators = {"gone (dropped)", "a"};
  entry.plan_fingerprint = "a\t(bigint )\n";
  entry.generation = 4;
  auto x = read_pinned(entry);
  BOOST_TEST(x.used().size() == 1U);
  BOOST_TEST(fits(x.used()[0], state("a")));
  BOOST_TEST(x.operators[0].dropped_by == 5U);
  BOOST_TEST(x.version == "");
  x.adopt(std::vector{state("a")}, 3, 5);
  BOOST_TEST(names(x) == entry.operators, boost::test_tools::per_element());
  BOOST_TEST(x.operators[1].state.shape == "keys a; count()");
  BOOST_TEST(!fits(x.used()[0], state("a", "keys b; count()")));
}

BOOST_AUTO_TEST_SUITE_END()

} // namespace ebb
