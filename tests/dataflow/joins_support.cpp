#include "tests/dataflow/joins_support.hpp"

#include "actors/dataflow/numeric.hpp"
#include "actors/dataflow/operators/block_writer.hpp"
#include "actors/dataflow/operators/state_keys.hpp"
#include "actors/dataflow/operators/value_set.hpp"
#include "actors/dataflow/value_builder.hpp"
#include "schemas/sized_text.hpp"

#include <cstdlib>
#include <cstring>
#include <set>

namespace ebb::test {

namespace {

result<column> run_at_least(const call_context& context, std::span<const column> args) {
  auto out = make_column(sql_type{type_kind::boolean}, context.rows);
  for (std::uint32_t i = 0; i < context.rows; ++i)
    out.mutable_data<std::uint8_t>()[i] =
        args[0].data<std::int64_t>()[args[0].at(i)] >= args[1].data<std::int64_t>()[args[1].at(i)];
  return out;
}

const scalar_function& at_least_function() {
  static const auto function = [] {
    scalar_function f;
    f.name = ">=";
    f.params = {bigint_type, bigint_type};
    f.returns = sql_type{type_kind::boolean};
    f.run = run_at_least;
    return f;
  }();
  return function;
}

std::string text_of(std::int64_t value) {
  auto text = "v:" + std::to_string(value);
  if (value % 3 == 0)
    text += ":" + std::string(static_cast<std::size_t>(40 + value % 7), 'x');
  return text;
}

} // namespace

column column_of(const sql_type& type, const std::vector<cells>& rows, std::size_t k) {
  value_builder out(type, static_cast<std::uint32_t>(rows.size()));
  for (const auto& row : rows) {
    if (!row[k]) {
      out.append_null();
      continue;
    }
    const auto value = *row[k];
    switch (type.kind) {
    case type_kind::text:
      out.append_text(text_of(value));
      break;
    case type_kind::numeric: {
      // The same number with different scales.
      const auto scale = static_cast<std::int16_t>(value % 2 == 0 ? 0 : 1);
      out.append_numeric(static_cast<int128>(value) * (scale == 0 ? 1 : 10), scale);
      break;
    }
    case type_kind::double_precision:
      out.append<double>(static_cast<double>(value));
      break;
    case type_kind::integer:
      out.append<std::int32_t>(static_cast<std::int32_t>(value));
      break;
    case type_kind::boolean:
      out.append<std::uint8_t>(value % 2 != 0 ? 1 : 0);
      break;
    case type_kind::array:
      out.elements().append<std::int64_t>(value);
      out.elements().append_null();
      out.end_array();
      break;
    default:
      out.append<std::int64_t>(value);
      break;
    }
  }
  return out.take();
}

cell read_cell(const column& x, std::uint32_t i) {
  BOOST_REQUIRE(!x.constant);
  if (x.is_null(i))
    return std::nullopt;
  switch (x.type.kind) {
  case type_kind::text: {
    const auto text = std::string(x.text_of(i));
    BOOST_REQUIRE(text.starts_with("v:"));
    const auto value = std::stoll(text.substr(2));
    BOOST_REQUIRE_EQUAL(text, text_of(value));
    return value;
  }
  case type_kind::numeric: {
    auto value = static_cast<std::int64_t>(x.data<int128>()[i]);
    for (auto s = x.scale_of(i); s > 0; --s)
      value /= 10;
    return value;
  }
  case type_kind::double_precision:
    return static_cast<std::int64_t>(x.data<double>()[i]);
  case type_kind::integer:
    return x.data<std::int32_t>()[i];
  case type_kind::array: {
    const auto* offsets = x.data<std::uint32_t>();
    BOOST_REQUIRE_EQUAL(offsets[i + 1] - offsets[i], 2U);
    BOOST_REQUIRE(x.child->is_null(offsets[i] + 1));
    return x.child->data<std::int64_t>()[offsets[i]];
  }
  default:
    return x.data<std::int64_t>()[i];
  }
}

batch_ptr batch_of(const std::vector<sql_type>& types, const std::vector<cells>& rows,
                   const std::vector<micros>& watermarks) {
  auto result = std::make_shared<batch>();
  result->rows = static_cast<std::uint32_t>(rows.size());
  for (std::size_t k = 0; k < types.size(); ++k)
    result->columns.push_back(column_of(types[k], rows, k));
  if (!watermarks.empty()) {
    result->watermarks = buffer_ptr::of<micros>(watermarks.size());
    std::copy(watermarks.begin(), watermarks.end(), result->watermarks.as<micros>());
  }
  return result;
}

std::vector<cells> rows_of(const batch& x) {
  std::vector<cells> result(x.rows);
  for (const auto& c : x.columns) {
    BOOST_REQUIRE_EQUAL(c.rows, x.rows);
    for (std::uint32_t i = 0; i < x.rows; ++i)
      result[i].push_back(read_cell(c, i));
  }
  return result;
}

std::string to_string(const std::vector<cells>& rows) {
  std::string text;
  for (const auto& row : rows) {
    for (const auto& x : row)
      text += (x ? std::to_string(*x) : std::string("null")) + " ";
    text += "\n";
  }
  return text;
}

expr_ptr at_least(std::uint32_t a, std::uint32_t b) {
  auto call = make_call(at_least_function(), sql_type{type_kind::boolean},
                        {make_column_ref(a, bigint_type), make_column_ref(b, bigint_type)});
  BOOST_REQUIRE(static_cast<bool>(call));
  return *call;
}

void collector::emit(batch_ptr batch) {
  BOOST_REQUIRE(batch->rows != 0);
  largest_batch = std::max<std::size_t>(largest_batch, batch->rows);
  for (auto& row : rows_of(*batch)) {
    rows.push_back(std::move(row));
    before.push_back(watermarks.empty() ? min_time : watermarks.back());
  }
}

void collector::advance(micros watermark) {
  if (!watermarks.empty() && watermark <= watermarks.back()) {
    BOOST_REQUIRE(restored);
    return;
  }
  watermarks.push_back(watermark);
}

void collector::idle() {
  ++idles;
}

stream_item rows_item(std::uint32_t input, batch_ptr rows, micros other_channels) {
  stream_item item;
  item.input = input;
  item.rows = std::move(rows);
  item.other_channels = other_channels;
  return item;
}

stream_item watermark_item(std::uint32_t input, micros time) {
  stream_item item;
  item.kind = item_kind::watermark;
  item.input = input;
  item.time = time;
  return item;
}

stream_item idle_item(std::uint32_t input) {
  stream_item item;
  item.kind = item_kind::idle;
  item.input = input;
  return item;
}

stream_item end_item(std::uint32_t input) {
  stream_item item;
  item.kind = item_kind::end;
  item.input = input;
  return item;
}

namespace {

// Each value of the block with its bits, and those of other blocks.
void add_values(const state_entry_place& at, std::string_view value,
                std::map<state_entry_place, std::string>& rows) {
  const auto& [group, state, key] = at;
  std::uint32_t count = 0;
  BOOST_REQUIRE_GE(value.size(), 1 + sizeof count);
  std::memcpy(&count, value.data() + 1, sizeof count);
  value.remove_prefix(1 + sizeof count);
  std::vector<std::string> owners;
  while (owners.size() < count)
    owners.emplace_back(take_sized(value).value());
  auto pack = take_pack(value);
  BOOST_REQUIRE(bool(pack) && value.empty());
  auto columns = pack->rows.columns;
  const auto bits = columns.back();
  columns.pop_back();
  for (std::uint32_t i = 0; i < pack->rows.rows; ++i) {
    auto text = key.substr(0, 1) + owners.at(pack->sequences[i]);
    for (const auto& x : columns)
      append_value(x, i, text);
    auto& shown = rows.try_emplace({group, state, std::move(text)}, "0").first->second;
    shown = std::to_string(std::stoul(shown) | bits.data<std::uint32_t>()[i]);
  }
}

} // namespace

std::map<state_entry_place, std::string>
in_rows(const std::map<state_entry_place, std::string>& entries) {
  std::map<state_entry_place, std::string> rows;
  std::set<state_entry_place> gone;
  const auto place = [](std::uint16_t group, std::uint16_t state, std::uint64_t sequence) {
    std::string key;
    put_sequence(sequence, key);
    return state_entry_place{group, state, std::move(key)};
  };
  for (const auto& [at, value] : entries) {
    const auto& [group, state, key] = at;
    if (state == value_set::block_state) {
      add_values(at, value, rows);
      continue;
    }
    if (!holds_packs(state) && !says_what_is_gone(state)) {
      rows.emplace(at, value);
      continue;
    }
    if (says_what_is_gone(state)) {
      std::string_view rest(value);
      rest.remove_prefix(1);
      while (!rest.empty())
        BOOST_REQUIRE(gone.insert(place(group, static_cast<std::uint16_t>(state - gone_states),
                                        *take_sequence(rest)))
                          .second);
      continue;
    }
    const auto read = read_block(value, [&](const row_pack& pack) -> ebb::result<void> {
      for (std::uint32_t i = 0; i < pack.rows.rows; ++i) {
        const auto row =
            place(group, static_cast<std::uint16_t>(state - row_states), pack.sequences[i]);
        if (gone.erase(row) != 0)
          continue;
        std::string text;
        for (const auto& x : pack.rows.columns)
          append_value(x, i, text);
        auto shown = row;
        std::get<1>(shown) = state;
        BOOST_REQUIRE(rows.emplace(std::move(shown), std::move(text)).second);
      }
      return {};
    });
    BOOST_REQUIRE(bool(read));
  }
  BOOST_REQUIRE(gone.empty()); // each is of a block that is there
  return rows;
}

namespace {

// Applies puts and erases and checks that the keys of a state come in order.
template <class Entries>
class apply_sink final : public state_sink {
public:
  apply_sink(Entries& entries, std::uint16_t group) : entries_(entries), group_(group) {}

  void put(std::uint16_t state, std::string_view key, std::string_view value) override {
    if (last_ && state == last_->first)
      BOOST_REQUIRE_LT(last_->second, std::string(key));
    if (last_)
      BOOST_REQUIRE_LE(last_->first, state);
    last_ = {state, std::string(key)};
    entries_[{group_, state, std::string(key)}] = std::string(value);
  }

  void erase(std::uint16_t state, std::string_view key) override {
    entries_.erase({group_, state, std::string(key)});
  }

  void erase_prefix(std::uint16_t state, std::string_view prefix) override {
    auto i = entries_.lower_bound({group_, state, std::string(prefix)});
    while (i != entries_.end() && std::get<0>(i->first) == group_ && std::get<1>(i->first) == state
           && std::get<2>(i->first).starts_with(prefix))
      i = entries_.erase(i);
  }

private:
  Entries& entries_;
  std::uint16_t group_;
  std::optional<std::pair<std::uint16_t, std::string>> last_;
};

} // namespace

void saved_state::save(stream_operator& x, std::uint16_t key_groups) {
  const auto since = mark_;
  mark_ = x.mark();
  for (std::uint16_t g = 0; g < key_groups; ++g) {
    apply_sink sink(entries_, g);
    x.save(g, since, sink);
  }
}

void saved_state::check_full(const stream_operator& x, std::uint16_t key_groups) const {
  std::map<place, std::string> full;
  for (std::uint16_t g = 0; g < key_groups; ++g) {
    apply_sink sink(full, g);
    x.save(g, 0, sink);
  }
  const auto kept = in_rows(entries_);
  const auto expected = in_rows(full);
  BOOST_REQUIRE_EQUAL(expected.size(), kept.size());
  BOOST_REQUIRE(expected == kept);
}

void saved_state::load(stream_operator& x) {
  for (const auto& [at, value] : entries_) {
    auto loaded = x.load(std::get<0>(at), std::get<1>(at), std::get<2>(at), value);
    BOOST_REQUIRE_MESSAGE(static_cast<bool>(loaded),
                          (loaded ? std::string() : loaded.error().message));
  }
  mark_ = x.mark();
}

driver::driver(std::function<std::unique_ptr<stream_operator>()> make, std::uint64_t seed,
               std::uint32_t budget, bool with_restores, std::uint16_t key_groups)
    : make_(std::move(make)), random_(seed), budget_(budget), with_restores_(with_restores),
      key_groups_(key_groups), operator_(make_()) {}

void driver::restore() {
  state_.save(*operator_, key_groups_);
  state_.check_full(*operator_, key_groups_);
  if (random_() % 2 == 0)
    return;
  const auto past = operator_->counters();
  before_.rows_in += past.rows_in;
  before_.rows_out += past.rows_out;
  before_.late_rows += past.late_rows;
  out.restored = true;
  operator_ = make_();
  state_.load(*operator_);
  // The host remembers its channels' watermarks and tells them again.
  for (auto& item : last_watermarks_)
    if (item)
      feed(*item);
}

void driver::feed(stream_item item) {
  if (item.kind == item_kind::watermark)
    last_watermarks_[item.input] = item;
  stream_item* next = &item;
  for (std::size_t steps = 0;; ++steps) {
    BOOST_REQUIRE_LT(steps, 10'000'000U);
    step_budget budget{budget_};
    auto more = operator_->step(next, budget, out);
    BOOST_REQUIRE_MESSAGE(static_cast<bool>(more), (more ? std::string() : more.error().message));
    next = nullptr;
    const auto restores = with_restores_;
    if (restores && random_() % 8 == 0) {
      with_restores_ = false; // none inside the restore
      restore();
      with_restores_ = true;
    }
    if (!*more)
      return;
  }
}

operator_counters driver::counters() const {
  auto result = operator_->counters();
  result.rows_in += before_.rows_in;
  result.rows_out += before_.rows_out;
  result.late_rows += before_.late_rows;
  return result;
}

std::uint64_t next_seed(const char* what) {
  static std::random_device device;
  const char* given = std::getenv("EBB_SEED");
  const auto seed = given != nullptr ? std::strtoull(given, nullptr, 10)
                                     : (static_cast<std::uint64_t>(device()) << 16) ^ device();
  BOOST_TEST_MESSAGE(what << ": EBB_SEED=" << seed);
  return seed;
}

} // namespace ebb::test
