// JSON lines: see check_reader. Besides, each line is JSON for ebb when it is for a second parser,
// and plain values are read as that parser reads them.

#include "actors/connectors/json_reader.hpp"
#include "tests/fuzz/records.hpp"

#include <nlohmann/json.hpp>

#include <cmath>
#include <cstdlib>
#include <optional>

namespace {

using namespace ebb; // NOLINT
using nlohmann::json;

// What the second parser thinks of a line.
class judge final : public nlohmann::json_sax<json> {
public:
  bool null() override {
    return true;
  }

  bool boolean(bool /*value*/) override {
    return true;
  }

  bool number_integer(std::int64_t /*value*/) override {
    return true;
  }

  bool number_unsigned(std::uint64_t /*value*/) override {
    return true;
  }

  bool number_float(double /*value*/, const std::string& /*text*/) override {
    return true;
  }

  bool string(std::string& /*value*/) override {
    return true;
  }

  bool binary(json::binary_t& /*value*/) override {
    return true;
  }

  bool start_object(std::size_t /*size*/) override {
    return open(true);
  }

  bool key(std::string& /*value*/) override {
    return true;
  }

  bool end_object() override {
    --depth_;
    return true;
  }

  bool start_array(std::size_t /*size*/) override {
    return open(false);
  }

  bool end_array() override {
    --depth_;
    return true;
  }

  bool parse_error(std::size_t /*at*/, const std::string& /*token*/,
                   const nlohmann::detail::exception& problem) override {
    constexpr int number_overflow = 406;
    undecided = problem.id == number_overflow;
    return false;
  }

  bool is_object = false;
  bool undecided = false; ///< numbers beyond a double's range are JSON
  std::size_t deepest = 0;

private:
  bool open(bool object) {
    if (depth_ == 0)
      is_object = object;
    deepest = std::max(deepest, ++depth_);
    return true;
  }

  std::size_t depth_ = 0;
};

// Whether the one record is taken; nothing when the line is blank.
std::optional<bool> taken(const schema& columns, std::string_view line,
                          fuzz::reading* out = nullptr) {
  parse_options options;
  options.file = "f.txt";
  options.columns = columns;
  options.batch_rows = 4;
  options.on_bad_record = bad_record_policy::skip;
  json_reader parser(options);
  auto got = fuzz::read_records(parser, line, 0);
  const auto good = got.good;
  const auto bad = got.bad;
  EBB_FUZZ_CHECK(good + bad <= 1, line);
  if (out != nullptr)
    *out = std::move(got);
  return good + bad == 0 ? std::nullopt : std::optional(good == 1);
}

void check_values(std::string_view line) {
  static const schema columns{{"a", {type_kind::bigint}, false},
                              {"b", {type_kind::text}, false},
                              {"c", {type_kind::double_precision}, false}};
  const auto value = json::parse(line, nullptr, false);
  // One field, so that names that mean the same column do not matter.
  if (!value.is_object() || value.size() != 1 || std::count(line.begin(), line.end(), ':') != 1)
    return;
  const auto& name = value.begin().key();
  const auto& x = value.begin().value();
  fuzz::reading got;
  const bool good = taken(columns, line, &got).value_or(false);
  if (name == "a" && x.is_number_integer()
      && !(x.is_number_unsigned() && x.get<std::uint64_t>() > INT64_MAX)) {
    EBB_FUZZ_CHECK(good, line);
    EBB_FUZZ_CHECK(got.batches[0]->columns[0].data<std::int64_t>()[0] == x.get<std::int64_t>(),
                   line);
  } else if (name == "b" && x.is_string()) {
    const auto& text = x.get_ref<const std::string&>();
    // U+0000 is no text in PostgreSQL.
    EBB_FUZZ_CHECK(good == (text.find('\0') == std::string::npos), line);
    if (good)
      EBB_FUZZ_CHECK(got.batches[0]->columns[1].text_of(0) == text, line);
  } else if (name == "c" && x.is_number() && good) {
    const auto mine = got.batches[0]->columns[2].data<double>()[0];
    const auto token = line.substr(line.find(':') + 1);
    const auto theirs = std::strtod(std::string(token).c_str(), nullptr);
    EBB_FUZZ_CHECK(mine == theirs && std::signbit(mine) == std::signbit(theirs), line);
  }
}

void check_line(std::string_view line) {
  static const schema none{{"column that no record has", {type_kind::text}, false}};
  constexpr std::size_t depth_max = 512;
  // Both skip a byte order mark, but ebb only where a file begins; the other takes NUL for the end.
  if (line.starts_with('\xEF') || line.find('\0') != std::string_view::npos)
    return;
  judge second;
  const bool fine = json::sax_parse(line.begin(), line.end(), &second);
  const bool surrogates =
      line.find("\\ud") != std::string_view::npos || line.find("\\uD") != std::string_view::npos;
  const auto first = taken(none, line);
  // Half a surrogate pair is refused where a column is made of it, not in a field that nobody
  // reads.
  if (!first || second.undecided || surrogates)
    return;
  EBB_FUZZ_CHECK(*first == (fine && second.is_object && second.deepest <= depth_max), line);
  if (fine)
    check_values(line);
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto in = fuzz::read_record_input({data, size});
  fuzz::check_reader(
      in, [](const parse_options& options) { return std::make_unique<json_reader>(options); },
      [&] { return make_json_writer(in.options.columns); });
  std::string_view text = in.text;
  constexpr int lines_max = 8;
  for (int i = 0; i < lines_max && !text.empty(); ++i) {
    const auto end = std::min(text.find('\n'), text.size());
    check_line(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return 0;
}
