// Records of changes: a character that says by what old rows are found, then as of json. However
// the text is cut the same rows come and go; without a key, what is left of all changes is the same
// when they are written out and read again.

#include "actors/connectors/debezium_writer.hpp"
#include "actors/connectors/json_reader.hpp"
#include "actors/dataflow/key_encoding.hpp"
#include "tests/fuzz/records.hpp"

#include <map>

namespace {

using namespace ebb; // NOLINT

// How often each row is there, by its encoding: 1.0 is 1.00.
std::map<std::string, std::int64_t> left_of(const std::vector<batch_ptr>& batches) {
  std::map<std::string, std::int64_t> left;
  for (const auto& x : batches)
    for (std::uint32_t i = 0; i < x->rows; ++i) {
      std::string row;
      for (const auto& c : x->columns)
        encode_key_value(c, i, row);
      const auto weight = x->weights ? x->weights.as<const std::int32_t>()[i] : 1;
      EBB_FUZZ_CHECK(weight == 1 || weight == -1, std::to_string(weight));
      if ((left[row] += weight) == 0)
        left.erase(row);
    }
  return left;
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  fuzz::input bytes(data, size);
  const bool by_key = bytes.byte() == '1';
  const auto rest = bytes.rest();
  auto in =
      fuzz::read_record_input({reinterpret_cast<const std::uint8_t*>(rest.data()), rest.size()});
  in.options.changes = true;
  if (by_key)
    in.options.key = {"a"};
  const auto make = [](const parse_options& options) {
    return std::make_unique<json_reader>(options);
  };
  const auto seen = fuzz::check_cuts(in, make);
  if (by_key || seen.rows.empty())
    return 0;
  const auto text =
      fuzz::written(*make_debezium_writer(in.options.columns, std::nullopt), seen.batches);
  auto usual = in.options;
  usual.max_record = std::uint64_t{1} << 30;
  usual.on_bad_record = bad_record_policy::fail;
  json_reader again(usual);
  const auto back = fuzz::read_records(again, text, in.seed);
  EBB_FUZZ_CHECK(back.error.empty(), back.error + '\n' + text);
  EBB_FUZZ_CHECK(left_of(back.batches) == left_of(seen.batches), text);
  return 0;
}
