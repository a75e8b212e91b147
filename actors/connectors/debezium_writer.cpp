#include "actors/connectors/debezium_writer.hpp"

#include "actors/connectors/json_objects.hpp"
#include "actors/dataflow/key_encoding.hpp"
#include "actors/dataflow/value_builder.hpp"

#include <array>
#include <string>
#include <unordered_map>

namespace ebb {

namespace {

constexpr std::uint32_t no_row = UINT32_MAX;

std::int32_t weight_of(const batch& rows, std::uint32_t i) {
  return rows.weights ? rows.weights.as<const std::int32_t>()[i] : 1;
}

class debezium_writer final : public record_writer {
public:
  debezium_writer(const schema& columns, std::optional<std::vector<std::uint32_t>> key)
      : objects_(columns), key_(std::move(key)), width_(columns.size()) {}

  result<void> write(const batch& rows, output_buffer& out) override {
    if (!rows.weights) {
      for (std::uint32_t i = 0; i < rows.rows; ++i)
        put(rows, no_row, i, out);
      return {};
    }
    if (key_)
      write_keyed(rows, out);
    else
      write_counted(rows, out);
    return {};
  }

protected:
  void write_row(const batch& rows, std::uint32_t i, output_buffer& out) override {
    put(rows, no_row, i, out);
  }

private:
  // What happens to one key, or to one row, in a batch.
  struct change {
    std::uint32_t before = no_row;
    std::uint32_t after = no_row;
    std::int64_t weight = 0;
  };

  void put(const batch& rows, std::uint32_t before, std::uint32_t after, output_buffer& out) {
    static constexpr std::array<std::string_view, 3> ops{"{\"op\":\"c\"", "{\"op\":\"u\"",
                                                         "{\"op\":\"d\""};
    out.append(ops[before == no_row ? 0 : after == no_row ? 2 : 1]);
    const auto side = [&](std::string_view name, std::uint32_t row) {
      out.append(name);
      if (row == no_row)
        out.append("null");
      else
        objects_.write(rows, row, out);
    };
    side(",\"before\":", before);
    side(",\"after\":", after);
    out.append("}\n");
    count_rows(1);
  }

  void encode_all(const batch& rows, std::uint32_t i, std::string& to) const {
    to.clear();
    for (std::size_t c = 0; c < width_; ++c)
      encode_key_value(rows.columns[c], i, to);
  }

  bool same_row(const batch& rows, std::uint32_t a, std::uint32_t b) {
    encode_all(rows, a, encoded_);
    encode_all(rows, b, other_);
    return encoded_ == other_;
  }

  change& find(const std::string& encoded) {
    const auto [at, fresh] = places_.try_emplace(encoded, changes_.size());
    if (fresh)
      changes_.emplace_back();
    return changes_[at->second];
  }

  void write_keyed(const batch& rows, output_buffer& out) {
    begin_batch();
    for (std::uint32_t i = 0; i < rows.rows; ++i) {
      encoded_.clear();
      for (const auto column : *key_)
        encode_key_value(rows.columns[column], i, encoded_);
      auto& at = find(encoded_);
      if (weight_of(rows, i) > 0)
        at.after = i;
      else if (at.after != no_row)
        at.after = no_row; // the row that came a moment ago
      else
        at.before = i;
    }
    for (const auto& x : changes_)
      if (x.before != no_row && x.after == no_row)
        put(rows, x.before, no_row, out);
    for (const auto& x : changes_)
      if (x.after != no_row && (x.before == no_row || !same_row(rows, x.before, x.after)))
        put(rows, x.before, x.after, out);
  }

  void write_counted(const batch& rows, output_buffer& out) {
    begin_batch();
    for (std::uint32_t i = 0; i < rows.rows; ++i) {
      encode_all(rows, i, encoded_);
      auto& at = find(encoded_);
      at.weight += weight_of(rows, i);
      // Rows that compare equal may be written differently (1.0, 1.00): each sign has its own.
      (weight_of(rows, i) > 0 ? at.after : at.before) = i;
    }
    for (const auto& x : changes_)
      for (auto k = x.weight; k < 0; ++k)
        put(rows, x.before, no_row, out);
    for (const auto& x : changes_)
      for (auto k = x.weight; k > 0; --k)
        put(rows, no_row, x.after, out);
  }

  void begin_batch() {
    places_.clear();
    changes_.clear();
  }

  json_objects objects_;
  std::optional<std::vector<std::uint32_t>> key_;
  std::size_t width_;
  std::unordered_map<std::string, std::size_t> places_;
  std::vector<change> changes_; ///< in the order in which their keys came
  std::string encoded_;
  std::string other_;
};

class signed_writer final : public record_writer {
public:
  explicit signed_writer(std::unique_ptr<record_writer> inner) : inner_(std::move(inner)) {}

  result<void> write(const batch& rows, output_buffer& out) override {
    batch marked;
    std::vector<std::uint32_t> picks;
    value_builder signs(sql_type{type_kind::text}, rows.rows);
    for (std::uint32_t i = 0; i < rows.rows; ++i) {
      const auto weight = weight_of(rows, i);
      for (std::int32_t k = 0; k != weight; weight > 0 ? ++k : --k) {
        picks.push_back(i);
        signs.append_text(weight > 0 ? "+" : "-");
      }
    }
    batch plain = rows;
    plain.weights = {};
    auto expanded = gather(plain, picks.data(), static_cast<std::uint32_t>(picks.size()));
    marked.rows = expanded.rows;
    marked.columns.push_back(signs.take());
    for (auto& x : expanded.columns)
      marked.columns.push_back(std::move(x));
    EBB_TRY(inner_->write(marked, out));
    count_rows(marked.rows);
    return {};
  }

  void begin(output_buffer& out) override {
    inner_->begin(out);
  }

  void end(output_buffer& out) override {
    inner_->end(out);
  }

  bool holds_rows() const override {
    return inner_->holds_rows();
  }

  void release(output_buffer& out) override {
    inner_->release(out);
  }

protected:
  void write_row(const batch&, std::uint32_t, output_buffer&) override {}

private:
  std::unique_ptr<record_writer> inner_;
};

} // namespace

std::unique_ptr<record_writer> make_debezium_writer(const schema& columns,
                                                    std::optional<std::vector<std::uint32_t>> key) {
  return std::make_unique<debezium_writer>(columns, std::move(key));
}

std::unique_ptr<record_writer>
make_signed_writer(const schema& columns,
                   std::unique_ptr<record_writer> (*make)(const schema& columns)) {
  auto marked = columns;
  marked.insert(marked.begin(), field{"op", sql_type{type_kind::text}, true});
  return std::make_unique<signed_writer>(make(marked));
}

} // namespace ebb
