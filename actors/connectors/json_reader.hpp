/// Reads JSON lines: one object a line, fields matched by name.
#pragma once

#include "actors/connectors/file_parser.hpp"
#include "actors/connectors/json_text.hpp"

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace ebb {

/// One pass over a record: its fields are expected in the order of the record before, so that a
/// name costs one compare. Blank lines are no records. A record's number is its line.
class json_reader final : public record_parser {
public:
  explicit json_reader(parse_options options);

  /// Changes: of each row of the last batch, the op that its record has.
  [[nodiscard]] std::string take_ops() {
    return std::exchange(op_rows_, {});
  }

protected:
  progress parse(std::uint32_t rows) override;
  const char* find_end(const char* from, const char* to, bool restart) override;
  void complete(batch& rows) override;

private:
  /// A field name that occurred, with its quotes, as it stands in the file.
  struct known_name {
    std::string text;
    std::uint64_t head = 0; ///< the first 8 bytes, and which of them count
    std::uint64_t head_mask = 0;
    std::int32_t column = -1;
    bool exact = false;
  };

  /// A field whose value is a column's, for records with several such.
  struct candidate {
    std::int32_t column = -1;
    bool exact = false;
    std::string name;
    const char* value = nullptr;
  };

  [[nodiscard]] bool read_record(const char* p);

  /// Where the parts of a record of changes stand; null where it has none.
  struct change_parts {
    std::string op;
    const char* before = nullptr;
    const char* after = nullptr;
  };

  [[nodiscard]] bool read_members(const char* p);
  // debezium_reader.cpp
  [[nodiscard]] bool read_change(const char* p);
  [[nodiscard]] const char* find_parts(const char* p, change_parts& out, int depth);
  [[nodiscard]] bool store_row(const char* object, char op, std::int32_t weight);
  [[nodiscard]] bool end_of_object(const char* p);
  [[nodiscard]] bool finish_record(const char* p);
  [[nodiscard]] bool check_line(const char* p);
  void pass_line(const char* p);
  [[nodiscard]] bool read_carefully();
  [[nodiscard]] bool choose(const std::vector<candidate>& found, std::int32_t column,
                            const candidate*& chosen);
  const char* read_name(const char* p, std::size_t& expected, known_name*& out);
  const char* learn_name(const char* p, std::size_t& expected, known_name*& out);
  void resolve(std::string_view name, known_name& out) const;
  [[nodiscard]] const char* read_value(row_builder& rows, row_slot& x, const char* p);
  const char* read_other(row_builder& rows, row_slot& x, const char* p);
  const char* read_array(row_builder& rows, row_slot& x, const char* p);
  const char* store_string(row_builder& rows, row_slot& x, const char* p);
  const char* misfit(row_builder& rows, row_slot& x, const char* p, const char* found);
  bool store_missing();
  void note_problem();

  std::vector<known_name> names_;
  known_name unknown_;              ///< the last name that is not kept in names_
  std::vector<std::uint64_t> seen_; ///< number of the last record that had the column
  std::uint64_t stamp_ = 0;
  std::uint32_t stored_ = 0;
  json::complaint complaint_;
  value_problem problem_;
  bool high_ = false;
  bool several_ = false; ///< several fields may mean one column
  // Records of changes:
  const char* object_ = nullptr;      ///< the row being read; null = the record itself
  bool goes_ = false;                 ///< that row goes: it is found by its key, or by all of its fields
  std::vector<bool> in_key_;          ///< a column
  std::vector<std::int32_t> weights_; ///< of the builder's rows
  std::string ops_;                   ///< of the same rows
  std::string op_rows_;               ///< of the last batch
};

} // namespace ebb
