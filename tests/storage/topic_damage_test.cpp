// Bits flipped and files cut, moved and lost: what a log gives is right, or it is an error that
// names the file.
#include "schemas/topic_codec.hpp"
#include "storage/topic_batches.hpp"
#include "storage/topic_log.hpp"

#include <boost/test/unit_test.hpp>

#include <map>
#include <random>

#include "topic_support.hpp"

using namespace ebb;
using namespace storage_test;

namespace {

const topic_options options{
    .uid = "damaged", .partitions = 2, .file_bytes = 128 << 10, .replayed_requests = 30};

// Five files or so: small groups and large ones, producers and keys. Made once; each test has a
// copy.
class sound_log {
public:
  sound_log() {
    static const std::map<std::string, std::string> original = make();
    files_ = original;
    restore();
    expected_ = contents(folder_.path());
    BOOST_REQUIRE(expected_.error.empty());
  }

  static std::map<std::string, std::string> make() {
    const memory_folder folder;
    auto log = open_topic(folder.path(), options);
    std::int64_t id = 0;
    for (int i = 0; i < 60; ++i) {
      std::vector<topic_append> group;
      for (int k = 0; k < 7; ++k, ++id)
        group.push_back(
            from_producer(rows_from(id, 1), fmt::format("p{}", k), static_cast<std::uint64_t>(i)));
      group.push_back(with_key(rows_from(id, 100, i % 10 == 0 ? 500 : 30), fmt::format("k{}", i)));
      id += 100;
      for (const auto& x : log->append(group, i))
        BOOST_REQUIRE(x.status == append_status::appended);
    }
    BOOST_REQUIRE(log->size().files > 4);
    BOOST_REQUIRE(log->size().files < 20);
    log.reset();
    std::map<std::string, std::string> files;
    for (const auto& name : value_of(list_files(folder.path())))
      files[name] = read_file(folder.file(name));
    return files;
  }

  struct said {
    std::string rows; ///< as far as they could be read
    std::string size;
    std::string error;
  };

  static said contents(const std::string& folder) {
    said x;
    const auto note = [&](const error& problem) {
      BOOST_CHECK_MESSAGE(problem.code == ec::corrupt || problem.code == ec::unsupported,
                          to_string(problem));
      BOOST_CHECK_MESSAGE(problem.message.starts_with(folder), to_string(problem));
      BOOST_TEST(!problem.hint.empty());
      x.error = to_string(problem);
    };
    auto log = topic_log::open(folder, options, 1);
    if (!log) {
      note(log.error());
      return x;
    }
    const auto size = (*log)->size();
    x.size =
        fmt::format("{} {} {} {}", size.rows_appended, size.producers, size.requests, size.keys);
    auto reader = (*log)->make_reader();
    for (std::uint32_t p = 0; p < options.partitions; ++p)
      for (std::uint64_t at = 0;;) {
        const auto slice = reader.read(p, at, {});
        if (!slice) {
          note(slice.error());
          break;
        }
        if (slice->batches.empty())
          break;
        for (const auto& rows : slice->batches)
          for (std::uint32_t i = 0; i < rows.rows->rows; ++i)
            x.rows += fmt::format("{}:{} {} {} {}\n", p, rows.first + i, rows.time,
                                  rows.rows->columns[0].data<std::int64_t>()[i],
                                  rows.rows->columns[1].text_of(i));
        at = slice->next;
      }
    if (auto sound = (*log)->verify(); !sound)
      note(sound.error());
    return x;
  }

  void restore() const {
    for (const auto& [name, bytes] : files_)
      write_file(folder_.file(name), bytes);
  }

  // Whether the damage was found; rows that were read are right in any case.
  bool refused() const {
    const auto now = contents(folder_.path());
    for (std::size_t at = 0, expected = 0; at < now.rows.size();) {
      // Where reading stopped in partition 0, partition 1 goes on.
      const auto end = now.rows.find('\n', at);
      const auto line = std::string_view{now.rows}.substr(at, end - at + 1);
      const auto found = expected_.rows.compare(expected, line.size(), line) == 0
                             ? expected
                             : expected_.rows.find(line, expected);
      BOOST_REQUIRE_MESSAGE(found != std::string::npos, "a wrong row: " << line.substr(0, 80));
      expected = found + line.size();
      at = end + 1;
    }
    if (!now.error.empty())
      return true;
    BOOST_REQUIRE(now.rows == expected_.rows);
    BOOST_REQUIRE_EQUAL(now.size, expected_.size);
    return false;
  }

  void flip(const std::string& name, std::size_t place, unsigned bit) const {
    std::fstream file{folder_.file(name), std::ios::binary | std::ios::in | std::ios::out};
    file.seekg(static_cast<std::streamoff>(place));
    const auto byte = static_cast<char>(file.get() ^ (1 << bit));
    file.seekp(static_cast<std::streamoff>(place)).put(byte);
  }

  [[nodiscard]] std::vector<std::string> logs() const {
    std::vector<std::string> names;
    for (const auto& [name, bytes] : files_)
      if (name.ends_with(".mdb"))
        names.push_back(name);
    return names;
  }

  memory_folder folder_;
  std::map<std::string, std::string> files_;
  said expected_;
};

} // namespace

BOOST_AUTO_TEST_SUITE(topic_damage)

BOOST_AUTO_TEST_CASE(a_sound_log_passes) {
  const sound_log x;
  BOOST_TEST(x.expected_.rows.size() > 100'000);
  BOOST_TEST(!x.refused());
  BOOST_TEST(!x.refused());
}

BOOST_AUTO_TEST_CASE(flipped_bits_never_give_wrong_rows) {
  const sound_log x;
  const auto logs = x.logs();
  std::size_t flips = 0;
  std::size_t refused = 0;
  std::mt19937 random{3};
  for (const auto& name : {logs.front(), logs[logs.size() / 2], logs.back()}) {
    const auto bytes = x.files_.at(name).size();
    std::vector<std::size_t> places;
    for (const std::size_t page : {std::size_t{0}, std::size_t{4'096}})
      for (std::size_t at = 0; at < 152; at += 3)
        places.push_back(page + at);
    for (std::size_t page = 8'192; page < bytes; page += 4'096) {
      for (std::size_t at = page / 4'096 % 3; at < 20; at += 3)
        places.push_back(page + at);
      for (int i = 0; i < 4; ++i)
        places.push_back(page + random() % 4'096);
    }
    for (const auto place : places) {
      const auto bit = static_cast<unsigned>(random() % 8);
      x.flip(name, place, bit);
      BOOST_TEST_CONTEXT(name << " byte " << place << " bit " << bit) {
        refused += x.refused();
      }
      ++flips;
      // What the open has noted or removed does not stay.
      x.restore();
    }
  }
  BOOST_TEST_MESSAGE(flips << " flips, " << refused << " found");
  BOOST_TEST(refused > flips / 4);
  BOOST_TEST(!x.refused());
}

BOOST_AUTO_TEST_CASE(texts_of_stored_rows_are_guarded) {
  const sound_log x;
  const auto name = x.logs().front();
  const auto& bytes = x.files_.at(name);
  std::size_t found = 0;
  std::size_t refused = 0;
  // Texts of the first requests, wherever they lie: also in pages that are not in use any more.
  for (std::size_t at = bytes.find("0aaaaaaaaa"); at != std::string::npos && found < 20;
       at = bytes.find("0aaaaaaaaa", at + 1), ++found) {
    x.flip(name, at, 2);
    refused += x.refused();
    x.restore();
  }
  BOOST_TEST(found > 0);
  BOOST_TEST(refused > 0);
}

BOOST_AUTO_TEST_CASE(a_header_that_goes_back_is_noticed) {
  const sound_log x;
  const auto logs = x.logs();
  for (const auto& name : {logs.front(), logs.back()})
    for (const std::size_t page : {std::size_t{0}, std::size_t{4'096}})
      for (unsigned bit = 0; bit < 64; ++bit) {
        x.flip(name, page + 16 + 24 + 96 + 8 + bit / 8, bit % 8);
        BOOST_TEST(x.refused(), name << " page " << page << " bit " << bit);
        x.restore();
      }
}

BOOST_AUTO_TEST_CASE(cut_files_are_named) {
  const sound_log x;
  const auto logs = x.logs();
  for (const auto& name : {logs.front(), logs[1], logs.back()}) {
    const auto& bytes = x.files_.at(name);
    for (const std::size_t length : {std::size_t{0}, std::size_t{1}, std::size_t{4'096},
                                     std::size_t{8'192}, bytes.size() / 2, bytes.size() - 4'096}) {
      write_file(x.folder_.file(name), bytes.substr(0, length));
      const auto now = sound_log::contents(x.folder_.path());
      // The last page of the newest file may be a free one.
      if (name != logs.back() || length != bytes.size() - 4'096)
        BOOST_TEST(now.error.find(name) != std::string::npos, now.error);
      BOOST_TEST(x.refused() == !now.error.empty());
      x.restore();
    }
  }
}

BOOST_AUTO_TEST_CASE(files_that_are_missing_or_in_anothers_place) {
  const sound_log x;
  const auto logs = x.logs();
  for (const auto& name : logs) {
    std::filesystem::remove(x.folder_.file(name));
    const auto now = sound_log::contents(x.folder_.path());
    BOOST_TEST(now.error.find("missing") != std::string::npos, now.error);
    BOOST_TEST(now.error.find(name) != std::string::npos, now.error);
    x.restore();
  }
  // All of them: no new log begins where one was.
  for (const auto& name : logs)
    std::filesystem::remove(x.folder_.file(name));
  auto none = topic_log::open(x.folder_.path(), options, 1);
  BOOST_REQUIRE(!none);
  BOOST_TEST(none.error().message.find("its files are missing") != std::string::npos);
  x.restore();
  for (std::size_t i = 0; i + 1 < logs.size(); ++i) {
    write_file(x.folder_.file(logs[i]), x.files_.at(logs[i + 1]));
    BOOST_TEST(x.refused());
    write_file(x.folder_.file(logs[i + 1]), x.files_.at(logs[i]));
    BOOST_TEST(x.refused());
    x.restore();
  }
  for (const auto& name : logs) {
    write_file(x.folder_.file(name), std::string(200'000, 'x'));
    BOOST_TEST(x.refused());
    x.restore();
  }
  BOOST_TEST(!x.refused());
}

BOOST_AUTO_TEST_CASE(an_older_state_of_the_newest_file_is_noticed) {
  const memory_folder folder;
  auto log = open_topic(folder.path(), options);
  must_append(*log, plain(rows_from(0, 10), {0}));
  log.reset();
  const auto name = file_name_of(folder.file("00000000000000000001.mdb"));
  const auto older = read_file(folder.file(name));
  log = open_topic(folder.path(), options);
  must_append(*log, plain(rows_from(10, 10), {0}));
  log.reset();
  write_file(folder.file(name), older);
  auto opened = topic_log::open(folder.path(), options, 1);
  BOOST_REQUIRE(!opened);
  BOOST_TEST(opened.error().message.ends_with("its last commit is gone"));
}

BOOST_AUTO_TEST_CASE(values_of_any_content_are_sound_or_refused) {
  std::mt19937 random{11};
  logged_group group{7, {}};
  topic_memory_chunk chunk;
  topic_catalog catalog{3, {}};
  for (std::uint32_t i = 0; i < 5; ++i) {
    group.requests.push_back({static_cast<logged_kind>(i % 4),
                              i % 2 == 0,
                              fmt::format("n{}", i),
                              digest128{i, 2},
                              3,
                              4,
                              5,
                              {{0, i, 9}, {1, 2, i}}});
    chunk.producers.push_back({fmt::format("p{}", i), i, 2, 3, {{1, 2, {{0, 1, 2}}}, {3, 4, {}}}});
    chunk.keys.push_back({digest128{i, 2}, 3, 4, {{0, 1, 2}}});
    chunk.marks.push_back({fmt::format("s{}", i), 2, 3});
    catalog.sealed.push_back({i, 2, 3, 4, 5, {6, 7}});
  }
  const topic_summary summary{1, 2, 3, 4, 5, 6, 7, 8, 9, {10, 11}};
  const topic_file_header header{1, "uid", 2, 3, {4, 5}};
  BOOST_TEST((value_of(decode_logged_group(encode(group))) == group));
  BOOST_TEST((value_of(decode_topic_memory(encode(chunk))) == chunk));
  BOOST_TEST((value_of(decode_topic_catalog(encode(catalog))) == catalog));
  BOOST_TEST((value_of(decode_topic_summary(encode(summary))) == summary));
  BOOST_TEST((value_of(decode_topic_header(encode(header))) == header));
  const std::vector<std::string> sound{encode(group), encode(chunk), encode(catalog),
                                       encode(summary), encode(header)};
  std::size_t refused = 0;
  for (int i = 0; i < 20'000; ++i) {
    auto bytes = sound[random() % sound.size()];
    for (auto k = random() % 4; k != 0; --k)
      bytes[random() % bytes.size()] = static_cast<char>(random());
    if (random() % 5 == 0)
      bytes.resize(random() % (bytes.size() + 1));
    refused += !decode_logged_group(bytes);
    refused += !decode_topic_memory(bytes);
    refused += !decode_topic_catalog(bytes);
    refused += !decode_topic_summary(bytes);
    refused += !decode_topic_header(bytes);
  }
  BOOST_TEST(refused > 1'000);
  // Stored batches.
  const auto rows = rows_from(0, 20);
  std::string stored;
  require(encode_batches({&rows, 1}, [&](const buffer_ptr& message, std::uint32_t count) {
    stored.resize(stored_batch_header + message.size());
    fill_stored_batch(stored, {1, count, 5, 6}, message);
    return result<void>{};
  }));
  BOOST_TEST(value_of(check_stored_batch(rows_key(1, 5), stored)).rows == 20);
  BOOST_TEST(!check_stored_batch(rows_key(0, 5), stored));
  BOOST_TEST(!check_stored_batch(rows_key(1, 4), stored));
  for (std::size_t at = 0; at < stored.size(); ++at) {
    auto damaged = stored;
    damaged[at] = static_cast<char>(damaged[at] ^ (1 << at % 8));
    BOOST_TEST(!check_stored_batch(rows_key(1, 5), damaged));
    BOOST_TEST(!check_stored_batch(rows_key(1, 5), stored.substr(0, at)));
  }
}

BOOST_AUTO_TEST_SUITE_END()
