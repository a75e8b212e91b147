#include "actors/connectors/file_overlap.hpp"
#include "tests/connectors/files_io_support.hpp"

#include <boost/test/unit_test.hpp>

#include <filesystem>
#include <fstream>

using namespace ebb;
using namespace ebb::test;

BOOST_AUTO_TEST_SUITE(file_overlap)

namespace {

stream_definition copies(const std::string& folder, const std::string& from,
                         const std::string& to) {
  stream_definition stream;
  stream.folder = folder;
  auto& source = stream.sources.emplace_back();
  source.name = "t";
  source.connector = file_source{.path = from};
  auto& sink = stream.sinks.emplace_back();
  sink.name = "out";
  sink.connector = file_sink{.path = to};
  return stream;
}

} // namespace

BOOST_AUTO_TEST_CASE(sinks_stay_away_from_what_sources_read) {
  namespace fs = std::filesystem;
  const temporary_folder folder;
  const fs::path root = folder.path();
  fs::create_directories(root / "in");
  fs::create_directories(root / "parts");
  for (const auto* name : {"a.csv", "b.csv", "in/a.csv", "parts/a.csv"})
    std::ofstream(root / name) << "a\n1\n";
  fs::create_symlink("a.csv", root / "link.csv");
  fs::create_hard_link(root / "a.csv", root / "twin.txt");
  fs::create_directory_symlink("in", root / "inputs");

  struct {
    const char* from;
    const char* to;
    bool apart;
  } const cases[] = {
      {"a.csv", "c.csv", true},
      {"a.csv", "b.csv", true},
      {"a.csv", "parts/", true},
      {"a.csv", "in/", true},
      {"in", "in.csv", true},
      {"in", "in/.hidden.csv", true},
      {"in/*.csv", "in/out.json", true},
      {"in/*.csv", "out.csv", true},
      {"in/*.csv", "in/deeper/out.csv", true},
      {"*.csv", "parts/", true},
      {"parts/*.csv", "parts/", true}, // its parts end in .ndjson
      {"nothing.csv", "nothing.json", true},
      {"/dev/null", "/dev/null", true},
      {"a.csv", "a.csv", false},
      {"a.csv", "./in/../a.csv", false},
      {"a.csv", "link.csv", false},
      {"link.csv", "a.csv", false},
      {"a.csv", "twin.txt", false},
      {"in", "in/out.csv", false},
      {"in/", "inputs/out.csv", false},
      {"inputs", "in/", false},
      {"*.csv", "a.csv", false},
      {"*.csv", "new.csv", false},
      {"*.csv", "twin.txt", false},
      {"inputs/*.csv", "in/new.csv", false},
      {"i*/a.csv", "in/a.csv", false},
      {"parts/*", "parts/", false},
  };

  for (const auto& x : cases)
    BOOST_TEST_CONTEXT(x.from << " to " << x.to) {
      for (const bool absolute : {false, true}) {
        const auto done = check_file_overlap(
            copies(root, x.from, absolute && x.to[0] != '/' ? root.string() + "/" + x.to : x.to));
        BOOST_TEST(bool(done) == x.apart);
        if (!done) {
          BOOST_TEST(done.error().place.field == "file.path");
          BOOST_TEST(
              done.error().message.starts_with("sink out would write into what source t reads, "));
        }
      }
    }
}

BOOST_AUTO_TEST_CASE(keeps_sinks_away_from_what_the_run_owns) {
  const test::temporary_folder folder;
  const std::filesystem::path root = folder.path();
  folder.write("m.yaml", "kind: Stream");
  std::filesystem::create_hard_link(root / "m.yaml", root / "twin.yaml");
  const auto tried = [&](const std::string& to, bad_record_policy policy) {
    auto stream = copies(root, "a.csv", to);
    stream.place.file = (root / "m.yaml").string();
    stream.name = "s";
    stream.sources.front().on_bad_record = policy;
    return check_file_overlap(stream);
  };
  for (const char* to : {"m.yaml", "./m.yaml", "twin.yaml"}) {
    const auto done = tried(to, bad_record_policy::fail);
    BOOST_REQUIRE(!done);
    BOOST_TEST(done.error().message.starts_with("sink out would replace its manifest, "));
    BOOST_TEST(done.error().place.field == "file.path");
  }
  const char* bad = "quarantine/s-t.ndjson";
  BOOST_TEST(bool(tried(bad, bad_record_policy::skip)));
  const auto done = tried(bad, bad_record_policy::quarantine);
  BOOST_REQUIRE(!done);
  BOOST_TEST(done.error().message.starts_with(
      "sink out would write to where bad records of source t go, "));
  BOOST_TEST(bool(tried("other.yaml", bad_record_policy::quarantine)));
}

BOOST_AUTO_TEST_SUITE_END()
