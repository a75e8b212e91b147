#include "actors/connectors/stdout_table.hpp"

#include "actors/dataflow/value_text.hpp"

#include <algorithm>
#include <array>
#include <vector>

namespace ebb {

namespace {

constexpr std::size_t held_max = 200;
constexpr std::size_t width_max = 60;

struct code_range {
  std::uint32_t first;
  std::uint32_t last;
};

// Characters that stand over the one before, and those that take two columns (Unicode's wide ones,
// in broad ranges).
constexpr std::array<code_range, 7> narrow = {{{0x300, 0x36F},
                                               {0x200B, 0x200F},
                                               {0x20D0, 0x20FF},
                                               {0x202A, 0x202E},
                                               {0xFE00, 0xFE0F},
                                               {0xFE20, 0xFE2F},
                                               {0x1AB0, 0x1AFF}}};
constexpr std::array<code_range, 8> wide = {{{0x1100, 0x115F},
                                             {0x2E80, 0x303E},
                                             {0x3041, 0xA4CF},
                                             {0xAC00, 0xD7A3},
                                             {0xF900, 0xFAFF},
                                             {0xFF00, 0xFF60},
                                             {0x1F300, 0x1FAFF},
                                             {0x20000, 0x3FFFD}}};

template <std::size_t N>
bool is_in(std::uint32_t code, const std::array<code_range, N>& ranges) noexcept {
  return std::any_of(ranges.begin(), ranges.end(),
                     [&](const code_range& x) { return code >= x.first && code <= x.last; });
}

bool is_number(type_kind kind) noexcept {
  switch (kind) {
  case type_kind::smallint:
  case type_kind::integer:
  case type_kind::bigint:
  case type_kind::real:
  case type_kind::double_precision:
  case type_kind::numeric:
    return true;
  default:
    return false;
  }
}

class table_writer final : public record_writer {
public:
  explicit table_writer(const schema& columns) {
    for (const auto& column : columns) {
      cells_.emplace_back();
      append_shown(column.name, cells_.back());
      widths_.push_back(std::min(width_max, display_width(cells_.back())));
      right_.push_back(is_number(column.type.kind));
    }
    names_ = cells_;
  }

  void end(output_buffer& out) override {
    release(out);
    out.append("(" + std::to_string(rows()) + (rows() == 1 ? " row)\n" : " rows)\n"));
  }

  bool holds_rows() const override {
    return !released_ && !held_.empty();
  }

  void release(output_buffer& out) override {
    if (released_)
      return;
    released_ = true;
    put_row(names_, out);
    put_rule(out);
    for (std::size_t i = 0; i < held_.size(); i += widths_.size()) {
      std::copy_n(held_.begin() + static_cast<std::ptrdiff_t>(i), widths_.size(), cells_.begin());
      put_row(cells_, out);
    }
    held_ = {};
  }

protected:
  void write_row(const batch& rows, std::uint32_t i, output_buffer& out) override {
    for (std::size_t c = 0; c < widths_.size(); ++c) {
      auto& cell = cells_[c];
      cell.clear();
      const auto& x = rows.columns[c];
      if (x.is_null(i)) {
        cell = "NULL";
      } else if (x.type.kind == type_kind::text) {
        append_shown(x.text_of(i), cell);
      } else {
        scratch_.clear();
        append_value_text(x, i, scratch_);
        append_shown(scratch_, cell);
      }
      widths_[c] = std::max(widths_[c], std::min(width_max, display_width(cell)));
    }
    if (released_) {
      put_row(cells_, out);
      return;
    }
    held_.insert(held_.end(), cells_.begin(), cells_.end());
    if (held_.size() >= held_max * std::max<std::size_t>(1, widths_.size()))
      release(out);
  }

private:
  static void append_shown(std::string_view text, std::string& out) {
    constexpr const char* digits = "0123456789abcdef";
    for (char c : text) {
      const auto code = static_cast<unsigned char>(c);
      if (code >= 0x20 && code != 0x7f)
        out += c;
      else if (c == '\n' || c == '\r' || c == '\t')
        out += c == '\n' ? "\\n" : c == '\r' ? "\\r" : "\\t";
      else
        out.append({'\\', 'x', digits[code >> 4], digits[code & 15]});
    }
  }

  void put_row(const std::vector<std::string>& cells, output_buffer& out) {
    line_.clear();
    for (std::size_t c = 0; c < cells.size(); ++c) {
      line_ += c == 0 ? " " : " | ";
      const auto width = display_width(cells[c]);
      const auto padding = widths_[c] > width ? widths_[c] - width : 0;
      if (right_[c])
        line_.append(padding, ' ');
      line_ += cells[c];
      // No spaces at the line's end.
      if (!right_[c] && c + 1 != cells.size())
        line_.append(padding, ' ');
    }
    line_ += '\n';
    out.append(line_);
  }

  void put_rule(output_buffer& out) {
    line_.clear();
    for (std::size_t c = 0; c < widths_.size(); ++c) {
      line_ += c == 0 ? "" : "+";
      line_.append(widths_[c] + 2, '-');
    }
    line_ += '\n';
    out.append(line_);
  }

  std::vector<std::string> names_;
  std::vector<std::string> cells_; ///< of the row being written
  std::vector<std::string> held_;  ///< cells of rows that wait for the widths
  std::vector<std::size_t> widths_;
  std::vector<bool> right_;
  std::string line_;
  std::string scratch_;
  bool released_ = false;
};

} // namespace

std::size_t display_width(std::string_view text) noexcept {
  std::size_t width = 0;
  for (std::size_t i = 0; i < text.size();) {
    const auto c = static_cast<unsigned char>(text[i]);
    const std::size_t length = c < 0x80 ? 1 : c < 0xE0 ? 2 : c < 0xF0 ? 3 : 4;
    std::uint32_t code = length == 1 ? c : c & (0xFFU >> (length + 1));
    for (std::size_t k = 1; k < length && i + k < text.size(); ++k)
      code = code << 6 | (static_cast<unsigned char>(text[i + k]) & 0x3F);
    i += length;
    if (code >= 0x300 && is_in(code, narrow))
      continue;
    width += code >= 0x1100 && is_in(code, wide) ? 2 : 1;
  }
  return width;
}

std::unique_ptr<record_writer> make_table_writer(const schema& columns) {
  return std::make_unique<table_writer>(columns);
}

} // namespace ebb
