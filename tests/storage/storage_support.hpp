/// A temporary folder, and short ways to write and read segments.
#pragma once

#include "storage/segment_reader.hpp"
#include "storage/segment_writer.hpp"

#include <boost/test/unit_test.hpp>

#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

namespace storage_test {

/// Removed with all in it when it goes.
class temporary_folder {
public:
  explicit temporary_folder(
      const std::filesystem::path& parent = std::filesystem::temp_directory_path()) {
    std::string name = (parent / "ebb-storage-XXXXXX").string();
    BOOST_REQUIRE(::mkdtemp(name.data()) != nullptr);
    path_ = name;
  }

  temporary_folder(const temporary_folder&) = delete;
  temporary_folder& operator=(const temporary_folder&) = delete;

  ~temporary_folder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }

  [[nodiscard]] const std::string& path() const {
    return path_;
  }

  [[nodiscard]] std::string file(const std::string& name) const {
    return path_ + "/" + name;
  }

private:
  std::string path_;
};

/// The value, or a failed test with the error's text.
template <class T>
T value_of(ebb::result<T> x) {
  if (!x)
    BOOST_FAIL(to_string(x.error()));
  return *std::move(x);
}

inline void require(ebb::result<void> x) {
  if (!x)
    BOOST_FAIL(to_string(x.error()));
}

/// An entry that owns its bytes.
struct row {
  std::uint16_t key_group = 0;
  std::uint16_t state = 0;
  std::string key;
  std::string value;
  ebb::entry_kind kind = ebb::entry_kind::put;
  std::uint8_t version = 1;

  bool operator==(const row&) const = default;

  [[nodiscard]] ebb::segment_entry entry() const {
    return {key_group, state, key, value, kind, version};
  }
};

inline std::ostream& operator<<(std::ostream& to, const row& x) {
  return to << '(' << x.key_group << ' ' << x.state << ' ' << x.key.substr(0, 40) << " = "
            << x.value.substr(0, 40) << (x.kind == ebb::entry_kind::erase ? " erased" : "") << ')';
}

inline row row_of(const ebb::segment_entry& x) {
  return {x.key_group, x.state, std::string{x.key}, std::string{x.value}, x.kind, x.version};
}

inline ebb::segment_identity identity(ebb::segment_kind kind = ebb::segment_kind::delta,
                                      std::uint64_t epoch = 1) {
  return {"0123-uid", epoch, kind, 128, 0, 127};
}

inline ebb::segment_info write_segment(const std::string& path, const std::vector<row>& rows,
                                       const ebb::segment_identity& id = identity()) {
  auto writer = value_of(ebb::segment_writer::create(path, id));
  for (const auto& x : rows)
    require(writer.add(x.entry()));
  return value_of(writer.finish());
}

inline ebb::segment_expectation expect(const ebb::segment_info& info) {
  return {info, "0123-uid", 128};
}

inline std::vector<row> all_rows(ebb::segment_reader& reader, std::uint16_t first = 0,
                                 std::uint16_t last = 127) {
  std::vector<row> rows;
  auto cursor = value_of(reader.scan(first, last));
  while (value_of(cursor.next()))
    rows.push_back(row_of(cursor.entry()));
  return rows;
}

inline std::string read_file(const std::string& path) {
  std::ifstream in{path, std::ios::binary};
  return {std::istreambuf_iterator<char>{in}, {}};
}

inline void write_file(const std::string& path, const std::string& bytes) {
  std::ofstream{path, std::ios::binary | std::ios::trunc} << bytes;
}

} // namespace storage_test
