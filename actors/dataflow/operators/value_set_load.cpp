/// How the entries of value_set are written and read back.
#include "actors/dataflow/operators/value_set.hpp"
#include "actors/dataflow/value_builder.hpp"
#include "schemas/assert.hpp"

#include <cstring>
#include <utility>

namespace ebb {

namespace {

constexpr std::uint32_t entries_at_once = 1024;

std::vector<sql_type> with_owner(const std::vector<sql_type>& types) {
  std::vector<sql_type> all{sql_type{type_kind::integer}};
  all.insert(all.end(), types.begin(), types.end());
  return all;
}

template <class T>
void put_number(T x, std::string& out) {
  out.append(reinterpret_cast<const char*>(&x), sizeof x);
}

template <class T>
bool take_number(std::string_view& bytes, T& x) {
  if (bytes.size() < sizeof x)
    return false;
  std::memcpy(&x, bytes.data(), sizeof x);
  bytes.remove_prefix(sizeof x);
  return true;
}

} // namespace

struct value_set::loading {
  explicit loading(const std::vector<sql_type>& types) {
    values.reserve(types.size());
    for (const auto& type : types)
      values.emplace_back(type, entries_at_once);
  }

  std::vector<std::uint32_t> owners;
  std::vector<value_builder> values;
  std::vector<std::uint32_t> bits;
  std::vector<std::int64_t> counts;
};

value_set::value_set(const key_index& groups, std::vector<sql_type> types, std::size_t variants,
                     bool updating, std::uint16_t state, std::uint8_t number,
                     std::uint16_t key_groups)
    : groups_(groups), types_(std::move(types)), variants_(variants), updating_(updating),
      state_(state), number_(number), key_groups_(key_groups), index_(with_owner(types_), 1),
      in_blocks_(!updating && std::none_of(types_.begin(), types_.end(), [](const sql_type& x) {
        return x.kind == type_kind::array;
      })) {
  EBB_ASSERT(variants_ != 0 && variants_ <= variants_max);
}

value_set::~value_set() = default;

// Key: group, number, value. Value: version, bits or counts, the exact value where the key's loses
// how it was written.
void value_set::put(std::span<const std::uint32_t> entries, state_sink& sink) const {
  if (entries.empty())
    return;
  const auto owners = index_.key_column(0, entries);
  std::vector<column> values;
  for (std::size_t k = 0; k < types_.size(); ++k)
    values.push_back(index_.key_column(k + 1, entries));
  std::string key;
  std::string value;
  for (std::uint32_t j = 0; j < entries.size(); ++j) {
    const auto owner = owners.data<std::uint32_t>()[j];
    key.clear();
    groups_.encode(owner, key);
    key.push_back(static_cast<char>(number_));
    for (const auto& x : values)
      encode_key_value(x, j, key);
    value.assign(1, saved_version);
    if (updating_)
      for (std::size_t v = 0; v < variants_; ++v)
        put_number(counts_[entries[j] * variants_ + v], value);
    else
      put_number(bits_[entries[j]], value);
    if (!index_.exact())
      for (const auto& x : values)
        append_value(x, j, value);
    sink.select_group(key_group_of(groups_.hash_of(owner), key_groups_));
    sink.put(state_, key, value);
  }
}

result<void> value_set::load(std::uint32_t owner, std::string_view bytes, std::string_view value) {
  if (value.empty() || value.front() != saved_version)
    return make_error(ec::corrupt, "unknown version of an aggregate's value");
  value.remove_prefix(1);
  if (!loading_)
    loading_ = std::make_unique<loading>(types_);
  auto& x = *loading_;
  x.owners.push_back(owner);
  bool good = true;
  if (updating_) {
    for (std::size_t v = 0; v < variants_; ++v)
      good = good && take_number(value, x.counts.emplace_back());
  } else {
    good = take_number(value, x.bits.emplace_back());
  }
  if (!good)
    return make_error(ec::corrupt, "an aggregate's value has no counts");
  for (auto& to : x.values)
    EBB_TRY(index_.exact() ? decode_key_value(bytes, to) : to.append_encoded(value));
  if (!value.empty() || (index_.exact() && !bytes.empty()))
    return make_error(ec::corrupt, "an aggregate's value is longer than its columns");
  return x.owners.size() == entries_at_once ? finish_load() : result<void>{};
}

result<void> value_set::finish_load() {
  if (!loading_)
    return {};
  const auto x = std::exchange(loading_, nullptr);
  const auto rows = static_cast<std::uint32_t>(x->owners.size());
  column owners = make_column(sql_type{type_kind::integer}, rows);
  std::copy(x->owners.begin(), x->owners.end(), owners.mutable_data<std::uint32_t>());
  std::vector<column> values;
  for (auto& value : x->values)
    values.push_back(value.take());
  std::vector<const column*> keys{&owners};
  for (const auto& value : values)
    keys.push_back(&value);
  hashes_.resize(rows);
  hash_keys(keys, rows, hashes_.data());
  entries_.resize(rows);
  index_.resolve_restored(keys, hashes_.data(), rows, entries_.data());
  make_room();
  for (std::uint32_t j = 0; j < rows; ++j) {
    const auto e = entries_[j];
    if (!updating_) {
      bits_[e] = x->bits[j];
      continue;
    }
    born_[e] = 1;
    owners_[e] = x->owners[j];
    std::copy_n(x->counts.begin() + static_cast<std::ptrdiff_t>(j * variants_), variants_,
                counts_.begin() + static_cast<std::ptrdiff_t>(e * variants_));
    appeared_.push_back(e);
  }
  return {};
}

} // namespace ebb
