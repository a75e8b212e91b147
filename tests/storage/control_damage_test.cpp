#include "storage/control_db.hpp"

#include <boost/test/unit_test.hpp>
#include <fmt/format.h>

#include <fstream>

#include "storage_support.hpp"

using namespace ebb;
using namespace storage_test;

namespace {

// A database with some hundred commits: a used free list, large values, trees of two levels. It is
// made once; each test has a copy.
class busy_database {
public:
  busy_database() {
    static const made original = make();
    write_file(file(), original.database);
    write_file(folder_.file("control.lock"), original.lock);
    expected_ = original.expected;
  }

  struct made {
    std::string database;
    std::string lock;
    std::string expected;
  };

  static made make() {
    temporary_folder folder;
    auto db = value_of(control_db::open(folder.path()));
    for (int s = 0; s < 30; ++s) {
      stream_entry entry;
      entry.uid = fmt::format("uid-{:02}", s);
      entry.name = fmt::format("stream-{:02}", s);
      entry.plan = std::string(static_cast<std::size_t>(s) * 400, 'p');
      value_of(db.open_or_create(entry));
      const auto generation = value_of(db.begin_generation(entry.uid));
      value_of(db.reserve_epochs(entry.uid, generation, 1'000));
      for (std::uint64_t epoch = 1; epoch <= 4; ++epoch) {
        commit_request request;
        request.record.uid = entry.uid;
        request.record.epoch = epoch;
        request.record.generation = generation;
        request.record.segments.resize(static_cast<std::size_t>(s) % 7);
        request.generation = generation;
        request.retained = 2;
        require(db.commit(request));
        require(db.set_tokens(entry.uid, generation,
                              std::vector<sink_token>{{"out", 0, epoch, epoch}}));
      }
    }
    auto expected = contents(db);
    return {read_file(folder.file("control.mdb")), read_file(folder.file("control.lock")),
            std::move(expected)};
  }

  // All that the database says, in one text.
  static std::string contents(control_db& db) {
    std::string text;
    for (const auto& x : value_of(db.streams())) {
      text += x.uid + x.name + x.plan + std::to_string(x.generation * 1'000 + x.next_epoch);
      for (const auto& r : value_of(db.records(x.uid)))
        text += fmt::format("r{} {};", r.epoch, r.segments.size());
      for (const auto& t : value_of(db.tokens(x.uid)))
        text += fmt::format("t{} {};", t.epoch, t.offset);
      BOOST_REQUIRE(value_of(db.find_stream(x.name)).has_value());
    }
    return text;
  }

  [[nodiscard]] std::string file() const {
    return folder_.file("control.mdb");
  }

  void flip(std::size_t place, unsigned bit) const {
    std::fstream file{this->file(), std::ios::binary | std::ios::in | std::ios::out};
    file.seekg(static_cast<std::streamoff>(place));
    const auto byte = static_cast<char>(file.get() ^ (1 << bit));
    file.seekp(static_cast<std::streamoff>(place)).put(byte);
  }

  // Opening gives all or an error.
  bool refused() const {
    auto db = control_db::open(folder_.path());
    if (!db) {
      BOOST_CHECK_MESSAGE(db.error().code == ec::corrupt || db.error().code == ec::unsupported,
                          to_string(db.error()));
      BOOST_TEST(!db.error().hint.empty());
      return true;
    }
    BOOST_REQUIRE(contents(*db) == expected_);
    return false;
  }

  temporary_folder folder_;
  std::string expected_;
};

} // namespace

BOOST_AUTO_TEST_SUITE(control_damage)

BOOST_AUTO_TEST_CASE(a_sound_file_passes) {
  const busy_database x;
  for (int i = 0; i < 3; ++i)
    BOOST_TEST(!x.refused());
  auto db = value_of(control_db::open_read_only(x.folder_.path()));
  BOOST_TEST((busy_database::contents(db) == x.expected_));
}

BOOST_AUTO_TEST_CASE(flipped_bits_never_change_what_it_says) {
  const busy_database x;
  const auto bytes = read_file(x.file());
  std::vector<std::size_t> places;
  // Both headers: each byte of each field.
  for (std::size_t at = 0; at < 16 + 24 + 96 + 16; ++at) {
    places.push_back(at);
    places.push_back(4'096 + at);
  }
  // All pages: their headers, their first entries, and some of the rest.
  for (std::size_t page = 8'192; page < bytes.size(); page += 4'096) {
    for (std::size_t at = 0; at < 20; at += 1 + page / 4'096 % 3)
      places.push_back(page + at);
    for (std::size_t at = 20; at < 4'096; at += 311)
      places.push_back(page + at);
    places.push_back(page + 4'095 - page / 4'096 % 90);
  }
  std::size_t refused = 0;
  for (std::size_t i = 0; i < places.size(); ++i) {
    const auto bit = static_cast<unsigned>((places[i] + i) % 8);
    x.flip(places[i], bit);
    refused += x.refused();
    x.flip(places[i], bit);
  }
  BOOST_TEST_MESSAGE(places.size() << " flips, " << refused << " refused");
  BOOST_TEST(refused > places.size() / 20);
  BOOST_TEST(!x.refused());
}

BOOST_AUTO_TEST_CASE(a_header_that_goes_back_is_noticed) {
  // Each bit of both transaction numbers: none may bring the state before the last commit back.
  const busy_database x;
  for (const std::size_t at : {std::size_t{0}, std::size_t{4'096}})
    for (unsigned bit = 0; bit < 64; ++bit) {
      const auto place = at + 16 + 24 + 96 + 8 + bit / 8;
      x.flip(place, bit % 8);
      BOOST_TEST(x.refused(), "bit " << bit);
      x.flip(place, bit % 8);
    }
}

BOOST_AUTO_TEST_CASE(a_cut_or_missing_file_is_no_new_database) {
  const busy_database x;
  const auto bytes = read_file(x.file());
  for (const std::size_t length : {std::size_t{0}, std::size_t{1}, std::size_t{4'096},
                                   std::size_t{8'192}, std::size_t{12'288}, bytes.size() / 2}) {
    write_file(x.file(), bytes.substr(0, length));
    BOOST_TEST(x.refused(), "length " << length);
  }
  std::filesystem::remove(x.file());
  auto missing = control_db::open(x.folder_.path());
  BOOST_REQUIRE(!missing);
  BOOST_TEST(missing.error().message
             == x.folder_.path() + ": its control database is missing or empty");
  write_file(x.file(), bytes);
  BOOST_TEST(!x.refused());
}

BOOST_AUTO_TEST_CASE(streams_without_a_database_are_no_new_folder) {
  const busy_database x;
  std::filesystem::remove(x.file());
  std::filesystem::remove(x.folder_.file("control.lock"));
  std::filesystem::create_directories(x.folder_.file("streams"));
  BOOST_TEST(!!control_db::open(x.folder_.path()));
  std::filesystem::remove(x.file());
  std::filesystem::remove(x.folder_.file("control.lock"));
  std::filesystem::create_directories(x.folder_.file("streams/was/segments"));
  for (int i = 0; i < 2; ++i) {
    const auto db = control_db::open(x.folder_.path());
    BOOST_REQUIRE(!db);
    BOOST_TEST((db.error().code == ec::corrupt));
    BOOST_TEST(db.error().message.find("its control database is missing") != std::string::npos);
    BOOST_TEST(db.error().hint.find("remove the whole folder") != std::string::npos);
  }
}

BOOST_AUTO_TEST_CASE(other_files_are_refused) {
  const busy_database x;
  write_file(x.file(), std::string(100'000, 'x'));
  BOOST_TEST(x.refused());
  write_file(x.file(), std::string(100'000, '\0'));
  BOOST_TEST(x.refused());
}

BOOST_AUTO_TEST_SUITE_END()
