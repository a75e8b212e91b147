#include "actors/dataflow/operators/net_changes.hpp"

#include "actors/dataflow/value_builder.hpp"

#include <algorithm>
#include <string>

namespace ebb {

namespace {

struct bytes16 {
  std::uint64_t low;
  std::uint64_t high;

  bool operator==(const bytes16&) const = default;
};

template <class Equal>
void clear_equal(const column& a, const column& b, std::span<std::uint8_t> differs,
                 std::vector<std::uint8_t>& same, const Equal& equal) {
  const auto count = static_cast<std::uint32_t>(differs.size());
  for (std::uint32_t i = 0; i < count; ++i) {
    const bool null_a = a.is_null(i);
    const bool null_b = b.is_null(i);
    same[i] &= static_cast<std::uint8_t>(null_a == null_b && (null_a || equal(i)));
  }
}

template <class T>
void clear_equal_words(const column& a, const column& b, std::span<std::uint8_t> differs,
                       std::vector<std::uint8_t>& same) {
  const T* x = a.data<T>();
  const T* y = b.data<T>();
  if (!a.has_nulls() && !b.has_nulls()) {
    for (std::size_t i = 0; i < differs.size(); ++i)
      same[i] &= static_cast<std::uint8_t>(x[i] == y[i]);
    return;
  }
  clear_equal(a, b, differs, same, [&](std::uint32_t i) { return x[i] == y[i]; });
}

} // namespace

void keep_different(std::span<const column> before, std::span<const column> after,
                    std::span<std::uint8_t> differs) {
  std::vector<std::uint8_t> same(differs.size(), 1);
  for (std::size_t k = 0; k < before.size(); ++k) {
    const auto& a = before[k];
    const auto& b = after[k];
    switch (a.type.kind) {
    case type_kind::text:
    case type_kind::bytea:
    case type_kind::jsonb:
    case type_kind::unknown:
      clear_equal(a, b, differs, same,
                  [&](std::uint32_t i) { return a.text_of(i) == b.text_of(i); });
      continue;
    case type_kind::array:
      clear_equal(a, b, differs, same, [&](std::uint32_t i) {
        std::string x;
        std::string y;
        append_value(a, i, x);
        append_value(b, i, y);
        return x == y;
      });
      continue;
    case type_kind::numeric:
      clear_equal(a, b, differs, same, [&](std::uint32_t i) {
        const auto scale = a.scale_of(i);
        if (scale != b.scale_of(i))
          return false;
        if (scale == numeric_tag::big)
          return a.text_of(i) == b.text_of(i);
        return scale < 0 || a.data<bytes16>()[i] == b.data<bytes16>()[i];
      });
      continue;
    default:
      break;
    }
    switch (value_width(a.type.kind)) {
    case 1:
      clear_equal_words<std::uint8_t>(a, b, differs, same);
      break;
    case 2:
      clear_equal_words<std::uint16_t>(a, b, differs, same);
      break;
    case 4:
      clear_equal_words<std::uint32_t>(a, b, differs, same);
      break;
    case 8:
      clear_equal_words<std::uint64_t>(a, b, differs, same);
      break;
    default:
      clear_equal_words<bytes16>(a, b, differs, same);
      break;
    }
  }
  for (std::size_t i = 0; i < differs.size(); ++i)
    differs[i] &= static_cast<std::uint8_t>(same[i] ^ 1);
}

column deleted_and_inserted(const column& before, std::span<const std::uint32_t> deleted,
                            const column& after, std::span<const std::uint32_t> inserted) {
  const auto minus = static_cast<std::uint32_t>(deleted.size());
  const auto plus = static_cast<std::uint32_t>(inserted.size());
  if (minus == 0)
    return gather(after, inserted.data(), plus);
  const auto old_rows = gather(before, deleted.data(), minus);
  if (plus == 0)
    return old_rows;
  const auto new_rows = gather(after, inserted.data(), plus);
  return concatenate(std::vector<const column*>{&old_rows, &new_rows});
}

buffer_ptr weights_of(std::uint32_t deleted, std::uint32_t inserted) {
  if (deleted == 0)
    return {};
  auto weights = buffer_ptr::of<std::int32_t>(deleted + std::size_t{inserted});
  auto* to = weights.as<std::int32_t>();
  std::fill_n(to, deleted, -1);
  std::fill_n(to + deleted, inserted, 1);
  return weights;
}

} // namespace ebb
