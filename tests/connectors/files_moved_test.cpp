/// Waiting output whose folders were moved, and output that is taken back.
#include "actors/connectors/factory.hpp"
#include "actors/connectors/moved_output.hpp"
#include "actors/connectors/take_back.hpp"
#include "storage/digest.hpp"
#include "tests/connectors/exactly_once_support.hpp"

namespace ebb {

using test::file_at;
using test::files_in;
using test::json_of;
using test::rows_of;
using test::seal;
using test::session;
using test::sink_named;
using test::write;

namespace {

sink_definition sink_at(const std::string& path) {
  auto x = sink_named("rows");
  x.connector = file_at(path);
  return x;
}

std::string apply(const std::string& folder, const std::string& path, const sealed_output& x) {
  const auto connectors = make_connectors();
  auto done = connectors->apply_output(sink_at(path), folder, x);
  return done ? "applied" : to_string(done.error());
}

std::uint64_t back(const std::string& folder, const std::string& path, const sink_rewind& to) {
  auto done = take_back(sink_at(path), folder, to);
  BOOST_REQUIRE_MESSAGE(done, (done ? "" : to_string(done.error())));
  return *done;
}

} // namespace

BOOST_AUTO_TEST_SUITE(moved_outputs)

BOOST_AUTO_TEST_CASE(a_part_waits_beside_its_target) {
  const test::temporary_folder folder;
  std::filesystem::create_directory(folder / "before");
  session x{folder, file_at("before/parts/")};
  auto sink = x.open();
  write(*sink, rows_of(0, 2));
  auto one = seal(*sink, 4);
  // As the manifest in the moved folder says it.
  one.target = "part parts/u1-0-4.ndjson";
  sink.reset();
  std::filesystem::rename(folder / "before", folder / "after");
  BOOST_TEST(apply(folder / "after", "parts/", one) == "applied");
  BOOST_TEST(folder.read("after/parts/u1-0-4.ndjson") == json_of(0, 2));
  BOOST_TEST(files_in(folder / "after/parts") == 1U);
  BOOST_TEST(apply(folder / "after", "parts/", one) == "applied");
  std::filesystem::remove(folder / "after/parts/u1-0-4.ndjson");
  const auto gone = apply(folder / "after", "parts/", one);
  BOOST_TEST(gone.find("after/parts/.u1-0-4.ndjson.part is gone") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(a_copy_does_not_take_what_the_original_waits_for) {
  const test::temporary_folder folder;
  std::filesystem::create_directory(folder / "one");
  session x{folder, file_at("one/parts/")};
  auto sink = x.open();
  write(*sink, rows_of(0, 2));
  auto output = seal(*sink, 4);
  output.target = "part parts/u1-0-4.ndjson";
  sink.reset();
  std::filesystem::copy(folder / "one", folder / "two", std::filesystem::copy_options::recursive);
  for (int again = 0; again < 2; ++again)
    BOOST_TEST(apply(folder / "two", "parts/", output) == "applied");
  BOOST_TEST(folder.has("one/parts/.u1-0-4.ndjson.part"));
  BOOST_TEST(apply(folder / "one", "parts/", output) == "applied");
  BOOST_TEST(folder.read("one/parts/u1-0-4.ndjson") == json_of(0, 2));
}

BOOST_AUTO_TEST_CASE(absolute_paths_follow_the_manifest) {
  const test::temporary_folder folder;
  std::filesystem::create_directory(folder / "old");
  session parts{folder, file_at(folder / "old/parts/")};
  auto sink = parts.open();
  write(*sink, rows_of(0, 2));
  const auto part = seal(*sink, 4);
  sink.reset();
  session file{folder, file_at(folder / "old/o.json")};
  sink = file.open();
  write(*sink, rows_of(0, 1));
  const auto first = seal(*sink, 4);
  BOOST_TEST(file.apply(first) == "applied");
  write(*sink, rows_of(1, 1));
  const auto second = seal(*sink, 5);
  sink.reset();
  std::filesystem::rename(folder / "old", folder / "new");
  BOOST_TEST(apply(folder.path(), folder / "new/parts/", part) == "applied");
  BOOST_TEST(folder.read("new/parts/u1-0-4.ndjson") == json_of(0, 2));
  BOOST_TEST(apply(folder.path(), folder / "new/o.json", second) == "applied");
  BOOST_TEST(folder.read("new/o.json") == json_of(0, 2));
  // The sink goes on behind them.
  file.options = file_at(folder / "new/o.json");
  file.last = {second};
  sink = file.open();
  write(*sink, rows_of(2, 1));
  BOOST_TEST(file.apply(seal(*sink, 6)) == "applied");
  BOOST_TEST(folder.read("new/o.json") == json_of(0, 3));
  sink.reset();
  // A file that is still there was not moved: another path begins another file.
  file.options = file_at(folder / "other.json");
  file.last = {second};
  file.last.front().target = "append " + (folder / "new/o.json");
  sink = file.open();
  write(*sink, rows_of(7, 1));
  BOOST_TEST(file.apply(seal(*sink, 7)) == "applied");
  BOOST_TEST(folder.read("other.json") == json_of(7, 1));
  BOOST_TEST(folder.read("new/o.json") == json_of(0, 3));
}

BOOST_AUTO_TEST_CASE(a_target_that_lost_output_is_told_before_anything_runs) {
  const test::temporary_folder folder;
  session file{folder, file_at("o.json")};
  auto sink = file.open();
  write(*sink, rows_of(0, 2));
  const auto one = seal(*sink, 4);
  BOOST_TEST(file.apply(one) == "applied");
  sink.reset();
  file.last = {one};
  folder.write("o.json", json_of(0, 1));
  const auto cut = file.try_open();
  BOOST_REQUIRE(!cut);
  BOOST_TEST(to_string(cut.error()).find("o.json has only 20 bytes, but 40 bytes of output")
                 != std::string::npos,
             to_string(cut.error()));
  std::filesystem::remove(folder / "o.json");
  const auto gone = file.try_open();
  BOOST_REQUIRE(!gone);
  BOOST_TEST((gone.error().code == ec::conflict));
  folder.write("o.json", json_of(0, 3));
  BOOST_TEST(static_cast<bool>(file.try_open()));
}

// As long or longer: its length does not tell.
BOOST_AUTO_TEST_CASE(another_file_in_the_place_of_the_target_is_told) {
  for (const char* name : {"o.json", "o.json.gz"})
    for (const bool exactly_once : {true, false}) {
      const test::temporary_folder folder;
      session file{folder, file_at(name), exactly_once};
      const auto refused = [&] {
        const auto opened = file.try_open();
        return opened ? std::string("opened") : to_string(opened.error());
      };
      auto sink = file.open();
      write(*sink, rows_of(0, 200));
      const auto one = seal(*sink, 4);
      BOOST_TEST(file.apply(one) == "applied");
      // Epochs without rows know what lies before them.
      const auto two = seal(*sink, 5);
      BOOST_TEST(two.bytes == 0U);
      sink.reset();
      const auto written = folder.read(name);
      auto others = written;
      others[others.size() - 3] ^= 1;
      file.last = {two};
      sink = file.open();
      const auto three = seal(*sink, 6);
      BOOST_TEST((three.digest == two.digest));
      sink.reset();
      for (const auto& last : {one, two, three}) {
        file.last = {last};
        folder.write(name, written + "more");
        BOOST_TEST(refused() == "opened");
        folder.write(name, others + std::string(50, 'x'));
        const auto said = refused();
        BOOST_TEST(said.find(std::string(name) + " was changed or replaced: the ")
                       != std::string::npos,
                   said);
        BOOST_TEST(folder.read(name) == others + std::string(50, 'x'));
        // Earlier versions did not say.
        file.last.front().digest = {};
        BOOST_TEST(refused() == "opened");
      }
    }
}

BOOST_AUTO_TEST_CASE(a_file_that_was_not_begun_is_begun_where_the_sink_writes_now) {
  const test::temporary_folder folder;
  std::filesystem::create_directory(folder / "old");
  session file{folder, file_at(folder / "old/o.json")};
  auto sink = file.open();
  write(*sink, rows_of(0, 1));
  const auto first = seal(*sink, 4);
  sink.reset();
  std::filesystem::rename(folder / "old", folder / "new");
  BOOST_TEST(apply(folder.path(), folder / "new/o.json", first) == "applied");
  file.options = file_at(folder / "new/o.json");
  file.last = {first};
  sink = file.open();
  write(*sink, rows_of(1, 1));
  BOOST_TEST(file.apply(seal(*sink, 5)) == "applied");
  BOOST_TEST(folder.read("new/o.json") == json_of(0, 2));
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE(output_taken_back)

BOOST_AUTO_TEST_CASE(later_parts_of_the_stream_go) {
  const test::temporary_folder folder;
  const std::vector<std::string> stay = {
      "u1-0-4.ndjson", "u1-1-5.csv",   "u10-0-9.ndjson",      "u1-0-9.ndjson.gz", "u1-0-x9.ndjson",
      "u1-0.ndjson",   "s-0-9.ndjson", ".u1-0-9.ndjson.part", "u1-2-7.ndjson"};
  const std::vector<std::string> go = {"u1-0-6.ndjson", "u1-1-12.csv", "u1-2-8.ndjson",
                                       "u1-70-6.ndjson"};
  std::filesystem::create_directory(folder / "parts");
  for (const auto* list : {&stay, &go})
    for (const auto& x : *list)
      folder.write("parts/" + x, "x");
  // Of lane 2 epochs up to 7 are kept.
  sink_rewind to{"u1", 5, {}, {{0, 5}, {2, 7}}, false};
  BOOST_TEST(back(folder.path(), "parts", to) == go.size());
  for (const auto& x : stay)
    BOOST_TEST(folder.has("parts/" + x), x);
  for (const auto& x : go)
    BOOST_TEST(!folder.has("parts/" + x), x);
  BOOST_TEST(back(folder.path(), "parts/", to) == 0U);
  BOOST_TEST(back(folder.path(), "nowhere/", to) == 0U);
}

BOOST_AUTO_TEST_CASE(a_file_is_cut_where_a_person_wants_it) {
  const test::temporary_folder folder;
  folder.write("o.json", json_of(0, 5));
  sealed_output last;
  last.target = "append o.json";
  last.offset = json_of(0, 1).size();
  last.bytes = json_of(1, 1).size();
  sink_rewind to{"u1", 5, {last}, {}, false};
  BOOST_TEST(back(folder.path(), "o.json", to) == 0U);
  BOOST_TEST(folder.read("o.json") == json_of(0, 5));
  to.asked = true;
  BOOST_TEST(back(folder.path(), "o.json", to) == 1U);
  BOOST_TEST(folder.read("o.json") == json_of(0, 2));
  BOOST_TEST(back(folder.path(), "o.json", to) == 0U);
  // Of another file nothing goes.
  digester hash;
  hash.add(json_of(1, 1).data(), last.bytes);
  to.outputs.front().digest = hash.value();
  folder.write("o.json", json_of(3, 5));
  const auto other = take_back(sink_at("o.json"), folder.path(), to);
  BOOST_REQUIRE(!other);
  BOOST_TEST((other.error().code == ec::conflict));
  BOOST_TEST(folder.read("o.json") == json_of(3, 5));
}

BOOST_AUTO_TEST_SUITE_END()

} // namespace ebb
