// Batch messages: what is taken can be read to the last value, gives equal rows when it is encoded
// and viewed again, and the second encoding is the first one byte for byte.
//
// The input is a message (first byte even), or a recipe for a batch and for bytes to change in its
// encoding: random changes of a whole message seldom come past the first checks.

#include "actors/dataflow/numeric.hpp"
#include "schemas/batch_codec.hpp"
#include "tests/fuzz/support.hpp"

#include <algorithm>
#include <cstring>
#include <sanitizer/asan_interface.h>

namespace {

using namespace ebb; // NOLINT

// Bytes that no reader may touch lie behind the message: buffers are larger than what is asked for.
class guarded_message {
public:
  explicit guarded_message(std::string_view bytes)
      : memory_(buffer_ptr::make(std::max<std::size_t>(1, bytes.size()))), size_(bytes.size()) {
    std::memcpy(memory_.as<char>(), bytes.data(), size_);
    ASAN_POISON_MEMORY_REGION(memory_.as<char>() + size_, memory_.size() - size_);
  }

  ~guarded_message() {
    // The memory goes to a cache from which others take it.
    ASAN_UNPOISON_MEMORY_REGION(memory_.as<char>(), memory_.size());
  }

  guarded_message(const guarded_message&) = delete;
  guarded_message& operator=(const guarded_message&) = delete;

  [[nodiscard]] result<batch> view() const {
    return view_batch(memory_, size_);
  }

private:
  buffer_ptr memory_;
  std::size_t size_;
};

column plain_column(fuzz::input& in, type_kind kind, std::uint32_t rows) {
  auto x = make_column(sql_type{kind}, rows);
  const auto width = value_width(kind);
  std::memset(x.mutable_data<std::byte>(), 0, rows * width);
  const auto bytes = in.take(rows * width);
  std::memcpy(x.mutable_data<std::byte>(), bytes.data(), bytes.size());
  if (kind == type_kind::boolean)
    for (std::uint32_t i = 0; i < rows; ++i)
      x.mutable_data<std::uint8_t>()[i] &= 1;
  return x;
}

column text_column(fuzz::input& in, type_kind kind, std::uint32_t rows) {
  text_builder builder{sql_type{kind}, rows};
  for (std::uint32_t i = 0; i < rows; ++i) {
    const auto size = in.byte();
    if (size == 0xFF)
      builder.append_null();
    else
      builder.append(in.take(size));
  }
  return builder.take();
}

column numeric_column(fuzz::input& in, std::uint32_t rows) {
  auto x = make_numeric_column(sql_type{type_kind::numeric}, rows);
  for (std::uint32_t i = 0; i < rows; ++i) {
    const auto form = in.below(5);
    if (form == 4) {
      // More digits than 128 bits hold.
      const std::string digits(40 + in.below(40), static_cast<char>('1' + in.below(9)));
      EBB_FUZZ_CHECK(static_cast<bool>(parse_numeric(digits + ".5", x, i)), digits);
    } else if (form > 0) {
      set_numeric_special(x, i, static_cast<std::int16_t>(-static_cast<int>(form)));
    } else {
      set_numeric(x, i, static_cast<int128>(in.byte()) << in.below(100), in.byte());
    }
  }
  return x;
}

column column_of(fuzz::input& in, std::uint32_t rows, bool nested = false) {
  const auto kind = static_cast<type_kind>(1 + in.below(nested ? 13 : 15));
  column x;
  if (kind == type_kind::array) {
    std::vector<std::uint32_t> offsets{0};
    for (std::uint32_t i = 0; i < rows; ++i)
      offsets.push_back(offsets.back() + in.below(4));
    auto child = column_of(in, offsets.back(), true);
    x = make_column(child.type.array_of(), rows);
    std::copy(offsets.begin(), offsets.end(), x.mutable_data<std::uint32_t>());
    x.child = std::make_shared<column>(std::move(child));
  } else if (holds_text(kind)) {
    return text_column(in, kind, rows);
  } else if (kind == type_kind::numeric) {
    x = numeric_column(in, rows);
  } else {
    x = plain_column(in, kind, rows);
  }
  const auto nulls = in.byte();
  for (std::uint32_t i = 0; i < rows && kind != type_kind::array; ++i)
    if (((nulls >> (i % 8)) & 1) != 0)
      set_null(x, i);
  return x;
}

template <class T>
buffer_ptr values_of(fuzz::input& in, std::uint32_t rows) {
  auto out = buffer_ptr::of<T>(std::max(1U, rows));
  std::memset(out.template as<T>(), 0, rows * sizeof(T));
  const auto bytes = in.take(rows * sizeof(T));
  std::memcpy(out.template as<char>(), bytes.data(), bytes.size());
  return out;
}

batch batch_of(fuzz::input& in) {
  batch x;
  x.rows = in.below(20);
  const auto width = in.below(5);
  const auto more = in.byte();
  for (std::uint32_t k = 0; k < width; ++k)
    x.columns.push_back(column_of(in, x.rows));
  if ((more & 1) != 0)
    x.weights = values_of<std::int32_t>(in, x.rows);
  if ((more & 2) != 0)
    x.watermarks = values_of<micros>(in, x.rows);
  if ((more & 4) != 0)
    x.hashes = values_of<std::uint64_t>(in, x.rows);
  // Lists of no bytes are as good as none.
  if (x.rows == 0)
    x.weights = x.watermarks = x.hashes = {};
  return x;
}

std::string bytes_of(const batch& x) {
  const auto message = encode_batch(x);
  return {message.as<char>(), message.size()};
}

void check_sound(const column& x) {
  for (std::uint32_t i = 0; i < x.rows; ++i) {
    const bool is_text = holds_text(x.type.kind);
    // What column.hpp says of values under NULL.
    if (is_text && x.is_null(i))
      EBB_FUZZ_CHECK(x.text_of(i).empty(), x.text_of(i));
  }
  if (x.type.kind == type_kind::array)
    check_sound(*x.child);
}

void check_message(std::string_view bytes) {
  const guarded_message message(bytes);
  const auto viewed = message.view();
  if (!viewed) {
    fuzz::check_error(viewed.error());
    EBB_FUZZ_CHECK(viewed.error().code == ec::corrupt && !viewed.error().hint.empty(), "");
    return;
  }
  for (const auto& x : viewed->columns)
    check_sound(x);
  const auto rows = fuzz::rows_of(*viewed);
  const auto once = bytes_of(*viewed);
  const guarded_message second(once);
  const auto again = second.view();
  EBB_FUZZ_CHECK(static_cast<bool>(again), to_string(again.error()));
  fuzz::check_equal(*viewed, *again);
  EBB_FUZZ_CHECK(fuzz::rows_of(*again) == rows, "");
  EBB_FUZZ_CHECK(bytes_of(*again) == once, "the second encoding differs");
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  fuzz::input in(data, size);
  if (in.byte() % 2 == 0) {
    check_message(in.rest());
    return 0;
  }
  const auto changes = in.take(3 * std::size_t{in.below(6)});
  const auto made = batch_of(in);
  auto bytes = bytes_of(made);
  const guarded_message whole(bytes);
  const auto viewed = whole.view();
  EBB_FUZZ_CHECK(static_cast<bool>(viewed), to_string(viewed.error()));
  fuzz::check_equal(made, *viewed);
  check_message(bytes);
  for (std::size_t i = 0; i + 2 < changes.size(); i += 3) {
    const auto at =
        static_cast<unsigned char>(changes[i]) + 256U * static_cast<unsigned char>(changes[i + 1]);
    bytes[at % bytes.size()] = changes[i + 2];
  }
  check_message(bytes);
  return 0;
}
