#include "schemas/batch_codec.hpp"

#include "schemas/batch.capnp.h"

#include <capnp/message.h>
#include <capnp/serialize.h>

#include <algorithm>

namespace ebb {

namespace {

constexpr std::size_t array_depth_max = 4;
// PostgreSQL's limit of a NUMERIC's scale.
constexpr std::int16_t numeric_scale_max = 16'383;

bool is_text(type_kind kind) noexcept {
  return holds_text(kind);
}

std::size_t bit_bytes(std::uint32_t rows) noexcept {
  return (static_cast<std::size_t>(rows) + 7) / 8;
}

capnp::Data::Reader raw(const void* data, std::size_t size) {
  return {static_cast<const capnp::byte*>(data), size};
}

capnp::Data::Reader raw(const buffer_ptr& buffer, std::size_t size) {
  return raw(buffer.as<const std::byte>(), size);
}

// Text as offsets and bytes; also the big values of a NUMERIC column (empty for the others).
template <class Text>
void write_texts(wire::Column::Builder to, std::uint32_t rows, const Text& text) {
  std::vector<std::uint32_t> offsets(rows + std::size_t{1});
  for (std::uint32_t i = 0; i < rows; ++i)
    offsets[i + 1] = offsets[i] + static_cast<std::uint32_t>(text(i).size());
  to.setOffsets(raw(offsets.data(), offsets.size() * sizeof(std::uint32_t)));
  auto bytes = to.initBytes(offsets.back());
  for (std::uint32_t i = 0; i < rows; ++i)
    if (const auto piece = text(i); !piece.empty())
      std::memcpy(bytes.begin() + offsets[i], piece.data(), piece.size());
}

void write_column(wire::Column::Builder to, const column& x) {
  EBB_ASSERT(!x.constant);
  auto type = to.initType();
  type.setKind(static_cast<std::uint8_t>(x.type.kind));
  type.setElement(static_cast<std::uint8_t>(x.type.element));
  type.setPrecision(x.type.precision);
  type.setScale(x.type.scale);
  type.setLength(x.type.length);
  to.setRows(x.rows);
  to.setScale(x.scale);
  if (x.validity)
    to.setValidity(raw(x.validity, bit_bytes(x.rows)));
  if (x.scales)
    to.setScales(raw(x.scales, x.rows * sizeof(std::int16_t)));
  if (x.type.kind == type_kind::array) {
    to.setOffsets(raw(x.values, (x.rows + std::size_t{1}) * sizeof(std::uint32_t)));
    write_column(to.initChild(1)[0], *x.child);
    return;
  }
  if (is_text(x.type.kind)) {
    write_texts(to, x.rows, [&](std::uint32_t i) { return x.text_of(i); });
    return;
  }
  to.setValues(raw(x.values, x.rows * value_width(x.type.kind)));
  if (x.type.kind != type_kind::numeric || !x.scales)
    return;
  // The values of big NUMERICs are references: addresses of this process, which no other may see.
  auto values = to.getValues();
  for (std::uint32_t i = 0; i < x.rows; ++i)
    if (x.scale_of(i) == numeric_tag::big)
      std::memset(values.begin() + i * sizeof(int128), 0, sizeof(int128));
  write_texts(to, x.rows, [&](std::uint32_t i) {
    return x.scale_of(i) == numeric_tag::big && !x.is_null(i) ? x.text_of(i) : std::string_view{};
  });
}

// The big form of a NUMERIC (dataflow/numeric.hpp): a sign, a scale, and more than 127 bits, but no
// more than PostgreSQL's 131,072 digits before and 16,383 behind the point take.
bool is_big_numeric(std::string_view bytes) noexcept {
  constexpr std::size_t head = 3;
  constexpr std::size_t most = 61'300;
  if (bytes.size() < head + sizeof(int128) || bytes.size() > head + most)
    return false;
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(bytes[i]); };
  const auto last = byte(bytes.size() - 1);
  return byte(0) <= 1 && (byte(1) | byte(2) << 8) <= numeric_scale_max && last != 0
         && (bytes.size() > head + sizeof(int128) || last >= 0x80);
}

error damaged(const char* what) {
  return make_error(ec::corrupt, std::string("batch message: ") + what,
                    "the bytes were damaged or come from a program that is no ebb");
}

// Reads one message; `offset_of` finds where in the buffer a list of it lies.
class message_view {
public:
  explicit message_view(const buffer_ptr& message) : message_(message) {}

  result<column> read_column(wire::Column::Reader from, std::size_t depth) const {
    column x;
    EBB_ASSIGN(x.type, read_type(from.getType()));
    x.rows = from.getRows();
    x.scale = from.getScale();
    if (x.rows > rows_max)
      return damaged("a column has too many rows");
    if (x.type.kind == type_kind::numeric && (x.scale < 0 || x.scale > numeric_scale_max))
      return damaged("a scale is out of range");
    EBB_ASSIGN(x.validity, optional_part(from.getValidity(), bit_bytes(x.rows)));
    EBB_ASSIGN(x.scales, optional_part(from.getScales(), x.rows * sizeof(std::int16_t)));
    if (x.type.kind == type_kind::array) {
      EBB_TRY(read_array(from, x, depth));
    } else if (is_text(x.type.kind)) {
      EBB_ASSIGN(x.values, read_texts(from, x));
      x.heap.push_back(message_);
    } else {
      EBB_TRY(read_values(from, x));
    }
    return x;
  }

  result<buffer_ptr> optional_part(capnp::Data::Reader data, std::size_t size) const {
    if (data.size() == 0)
      return buffer_ptr{};
    if (data.size() != size)
      return damaged("a list has the wrong length");
    return part(data);
  }

  static constexpr std::uint32_t rows_max = std::uint32_t{1} << 24;

private:
  static result<sql_type> read_type(wire::Type::Reader from) {
    sql_type type;
    if (from.getKind() > static_cast<std::uint8_t>(type_kind::jsonb)
        || from.getElement() > static_cast<std::uint8_t>(type_kind::jsonb)
        || from.getElement() == static_cast<std::uint8_t>(type_kind::array))
      return damaged("a type is not known");
    type.kind = static_cast<type_kind>(from.getKind());
    type.element = static_cast<type_kind>(from.getElement());
    type.precision = from.getPrecision();
    type.scale = from.getScale();
    type.length = from.getLength();
    return type;
  }

  buffer_ptr part(capnp::Data::Reader data) const {
    // A list of nothing has no place.
    if (data.size() == 0)
      return buffer_ptr::part(message_, 0, 0);
    const auto* start = message_.as<const capnp::byte>();
    return buffer_ptr::part(message_, static_cast<std::size_t>(data.begin() - start), data.size());
  }

  // Rising offsets from 0 that end within `bytes`.
  static result<const std::uint32_t*> read_offsets(capnp::Data::Reader data, std::uint32_t rows,
                                                   std::size_t bytes) {
    if (data.size() != (rows + std::size_t{1}) * sizeof(std::uint32_t))
      return damaged("offsets have the wrong length");
    const auto* offsets = reinterpret_cast<const std::uint32_t*>(data.begin());
    bool rising = offsets[0] == 0 && offsets[rows] <= bytes;
    for (std::uint32_t i = 0; i < rows; ++i)
      rising = rising && offsets[i] <= offsets[i + 1];
    if (!rising)
      return damaged("offsets point outside");
    return offsets;
  }

  static result<buffer_ptr> read_texts(wire::Column::Reader from, const column& x) {
    const auto bytes = from.getBytes();
    EBB_ASSIGN(const auto* offsets, read_offsets(from.getOffsets(), x.rows, bytes.size()));
    auto refs = buffer_ptr::of<text_ref>(std::max<std::size_t>(1, x.rows));
    const auto* start = reinterpret_cast<const char*>(bytes.begin());
    for (std::uint32_t i = 0; i < x.rows; ++i)
      refs.as<text_ref>()[i] = text_ref{start + offsets[i], offsets[i + 1] - offsets[i]};
    // A NULL has no bytes, whatever the message says.
    for (std::uint32_t i = 0; x.validity && i < x.rows; ++i)
      if (x.is_null(i))
        refs.as<text_ref>()[i].size = 0;
    return refs;
  }

  result<void> read_array(wire::Column::Reader from, column& x, std::size_t depth) const {
    if (depth == array_depth_max || from.getChild().size() != 1)
      return damaged("an array has no single child");
    EBB_ASSIGN(auto child, read_column(from.getChild()[0], depth + 1));
    if (child.type.kind != x.type.element)
      return damaged("an array's child has another type");
    EBB_ASSIGN(const auto* offsets, read_offsets(from.getOffsets(), x.rows, child.rows));
    if (offsets[x.rows] != child.rows)
      return damaged("an array leaves elements over");
    x.values = part(from.getOffsets());
    x.child = std::make_shared<column>(std::move(child));
    return {};
  }

  result<void> read_values(wire::Column::Reader from, column& x) const {
    const auto width = value_width(x.type.kind);
    const auto values = from.getValues();
    if (values.size() != x.rows * width)
      return damaged("values have the wrong length");
    // Messages are 8-byte aligned; 16-byte values may need a place of their own.
    if (width == 16 && reinterpret_cast<std::uintptr_t>(values.begin()) % 16 != 0) {
      x.values = buffer_ptr::make(std::max<std::size_t>(1, values.size()));
      std::memcpy(x.values.as<std::byte>(), values.begin(), values.size());
    } else {
      x.values = part(values);
    }
    if (x.type.kind == type_kind::boolean)
      for (const auto byte : values)
        if (byte > 1)
          return damaged("a BOOLEAN is neither 0 nor 1");
    if (x.type.kind == type_kind::numeric && x.scales)
      return read_big_values(from, x);
    return {};
  }

  // Big NUMERIC values hold references, which never come from outside: they are made here.
  result<void> read_big_values(wire::Column::Reader from, column& x) const {
    EBB_ASSIGN(const auto refs, read_texts(from, x));
    const auto* scales = x.scales.as<const std::int16_t>();
    bool any = false;
    for (std::uint32_t i = 0; i < x.rows; ++i) {
      if (scales[i] < numeric_tag::big || scales[i] > numeric_scale_max)
        return damaged("a scale is out of range");
      any |= scales[i] == numeric_tag::big;
    }
    if (!any)
      return {};
    auto values = buffer_ptr::of<int128>(x.rows);
    std::memcpy(values.as<std::byte>(), x.values.as<const std::byte>(), x.rows * sizeof(int128));
    for (std::uint32_t i = 0; i < x.rows; ++i)
      if (scales[i] == numeric_tag::big) {
        if (!x.is_null(i) && !is_big_numeric(refs.as<const text_ref>()[i].view()))
          return damaged("a big NUMERIC is malformed");
        std::memcpy(values.as<int128>() + i, refs.as<const text_ref>() + i, sizeof(text_ref));
      }
    x.values = values;
    x.heap.push_back(message_);
    return {};
  }

  buffer_ptr message_;
};

} // namespace

buffer_ptr encode_batch(const batch& rows) {
  // One segment, so that a frame is one piece of memory.
  capnp::MallocMessageBuilder builder{
      static_cast<capnp::uint>(byte_size(rows) / 8 + 64 + rows.columns.size() * 32),
      capnp::AllocationStrategy::GROW_HEURISTICALLY};
  auto root = builder.initRoot<wire::Batch>();
  root.setRows(rows.rows);
  auto columns = root.initColumns(static_cast<capnp::uint>(rows.columns.size()));
  for (capnp::uint k = 0; k < rows.columns.size(); ++k)
    write_column(columns[k], rows.columns[k]);
  if (rows.weights)
    root.setWeights(raw(rows.weights, rows.rows * sizeof(std::int32_t)));
  if (rows.watermarks)
    root.setWatermarks(raw(rows.watermarks, rows.rows * sizeof(micros)));
  if (rows.hashes)
    root.setHashes(raw(rows.hashes, rows.rows * sizeof(std::uint64_t)));
  const auto words = capnp::messageToFlatArray(builder);
  const auto bytes = words.asBytes();
  auto result = buffer_ptr::make(std::max<std::size_t>(1, bytes.size()));
  std::memcpy(result.as<std::byte>(), bytes.begin(), bytes.size());
  return buffer_ptr::part(result, 0, bytes.size());
}

result<batch> view_batch(const buffer_ptr& message, std::size_t size) {
  if (size > batch_message_max || size % sizeof(capnp::word) != 0 || size > message.size())
    return damaged("its size is out of bounds");
  try {
    const kj::ArrayPtr<const capnp::word> words{message.as<const capnp::word>(),
                                                size / sizeof(capnp::word)};
    capnp::ReaderOptions options;
    options.traversalLimitInWords = size / sizeof(capnp::word) * 4 + 1024;
    options.nestingLimit = 16;
    capnp::FlatArrayMessageReader reader{words, options};
    const auto root = reader.getRoot<wire::Batch>();
    const message_view view{message};
    batch rows;
    rows.rows = root.getRows();
    if (rows.rows > message_view::rows_max)
      return damaged("it has too many rows");
    for (const auto from : root.getColumns()) {
      EBB_ASSIGN(auto x, view.read_column(from, 0));
      if (x.rows != rows.rows)
        return damaged("its columns differ in length");
      rows.columns.push_back(std::move(x));
    }
    EBB_ASSIGN(rows.weights,
               view.optional_part(root.getWeights(), rows.rows * sizeof(std::int32_t)));
    EBB_ASSIGN(rows.watermarks,
               view.optional_part(root.getWatermarks(), rows.rows * sizeof(micros)));
    EBB_ASSIGN(rows.hashes,
               view.optional_part(root.getHashes(), rows.rows * sizeof(std::uint64_t)));
    return rows;
  } catch (const kj::Exception&) {
    return damaged("it is no sound Cap'n Proto message");
  }
}

} // namespace ebb
