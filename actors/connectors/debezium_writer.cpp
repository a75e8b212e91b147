#include "actors/connectors/debezium_writer.hpp"

#include "actors/connectors/change_fold.hpp"
#include "actors/connectors/json_objects.hpp"
#include "actors/dataflow/value_builder.hpp"

#include <string>

namespace ebb {

namespace {

std::int32_t weight_of(const batch& rows, std::uint32_t i) {
  return rows.weights ? rows.weights.as<const std::int32_t>()[i] : 1;
}

class debezium_writer final : public record_writer {
public:
  debezium_writer(const schema& columns, std::optional<std::vector<std::uint32_t>> key)
      : objects_(columns), fold_(columns.size(), std::move(key)) {}

  result<void> write(const batch& rows, output_buffer& out) override {
    for (const auto& x : fold_.of(rows)) {
      const auto* const op = x.before == row_change::no_row  ? "c"
                             : x.after == row_change::no_row ? "d"
                                                             : "u";
      write_change(objects_, op, {&rows, x.before}, {&rows, x.after}, out);
      count_rows(1);
    }
    return {};
  }

protected:
  void write_row(const batch&, std::uint32_t, output_buffer&) override {}

private:
  json_objects objects_;
  change_fold fold_;
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

void write_change(json_objects& objects, std::string_view op, const change_side& before,
                  const change_side& after, output_buffer& out) {
  const auto side = [&](std::string_view name, const change_side& x) {
    out.append(name);
    if (x.row == row_change::no_row)
      out.append("null");
    else
      objects.write(*x.rows, x.row, out);
  };
  out.append("{\"op\":\"");
  out.append(op);
  side("\",\"before\":", before);
  side(",\"after\":", after);
  out.append("}\n");
}

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
