// CSV: see check_reader. A first line that starts with `=` stands for the header of the columns.

#include "actors/connectors/csv_reader.hpp"
#include "tests/fuzz/records.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace ebb; // NOLINT
  auto in = fuzz::read_record_input({data, size});
  if (in.text.starts_with('=')) {
    std::string header;
    for (const auto& column : in.options.columns)
      header += (header.empty() ? "" : std::string(1, in.options.delimiter)) + column.name;
    in.text.replace(0, 1, header);
  }
  fuzz::check_reader(
      in, [](const parse_options& options) { return std::make_unique<csv_reader>(options); },
      [&] { return make_csv_writer(in.options.columns, in.options.delimiter); });
  return 0;
}
