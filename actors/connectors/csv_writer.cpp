#include "actors/connectors/file_base64.hpp"
#include "actors/connectors/file_format.hpp"
#include "actors/connectors/file_scan.hpp"
#include "actors/dataflow/value_text.hpp"

namespace ebb {

namespace {

class csv_writer final : public record_writer {
public:
  csv_writer(const schema& columns, char delimiter) : delimiter_(delimiter) {
    for (const auto& column : columns)
      names_.push_back(column.name);
    // A delimiter that occurs in numbers or times makes their text one that may need quotes.
    plain_delimiter_ = std::string_view("+-.: {}\"").find(delimiter) == std::string_view::npos
                       && !(delimiter >= '0' && delimiter <= '9')
                       && !(delimiter >= 'a' && delimiter <= 'z')
                       && !(delimiter >= 'A' && delimiter <= 'Z');
  }

  void begin(output_buffer& out) override {
    for (std::size_t c = 0; c < names_.size(); ++c) {
      put_text(names_[c], out);
      put_end(c, out);
    }
  }

protected:
  void write_row(const batch& rows, std::uint32_t i, output_buffer& out) override {
    for (std::size_t c = 0; c < names_.size(); ++c) {
      const auto& x = rows.columns[c];
      if (!x.is_null(i))
        put_value(x, i, out);
      put_end(c, out);
    }
  }

private:
  void put_end(std::size_t c, output_buffer& out) {
    char* to = out.reserve(1);
    *to = c + 1 == names_.size() ? '\n' : delimiter_;
    out.advance(to + 1);
  }

  void put_value(const column& x, std::uint32_t i, output_buffer& out);
  void put_text(std::string_view text, output_buffer& out);
  bool put_fixed(const column& x, std::uint32_t i, output_buffer& out);

  std::vector<std::string> names_;
  std::string scratch_;
  char delimiter_;
  bool plain_delimiter_ = true;
};

void csv_writer::put_text(std::string_view text, output_buffer& out) {
  const bool quotes = text.empty() || scan::needs_quotes(text.data(), text.size(), delimiter_);
  if (!quotes) {
    out.append(text);
    return;
  }
  char* to = out.reserve(2 * text.size() + 2);
  *to++ = '"';
  for (char c : text) {
    if (c == '"')
      *to++ = '"';
    *to++ = c;
  }
  *to++ = '"';
  out.advance(to);
}

// False when the type's text is not of a small fixed size.
bool csv_writer::put_fixed(const column& x, std::uint32_t i, output_buffer& out) {
  char* to = out.reserve(fixed_text_max);
  char* end = to;
  const auto at = x.at(i);
  switch (x.type.kind) {
  case type_kind::boolean: {
    const std::string_view word = x.data<std::uint8_t>()[at] != 0 ? "true" : "false";
    std::memcpy(to, word.data(), word.size());
    end = to + word.size();
    break;
  }
  case type_kind::smallint:
    end = write_int(x.data<std::int16_t>()[at], to);
    break;
  case type_kind::integer:
    end = write_int(x.data<std::int32_t>()[at], to);
    break;
  case type_kind::bigint:
    end = write_int(x.data<std::int64_t>()[at], to);
    break;
  case type_kind::real:
    end = write_real(x.data<float>()[at], to);
    break;
  case type_kind::double_precision:
    end = write_double(x.data<double>()[at], to);
    break;
  case type_kind::date:
    end = write_date(x.data<std::int32_t>()[at], to);
    break;
  case type_kind::timestamp:
  case type_kind::timestamptz:
    end = write_timestamp(x.data<micros>()[at], x.type.kind == type_kind::timestamptz, to);
    break;
  default:
    return false;
  }
  if (plain_delimiter_) {
    out.advance(end);
  } else {
    scratch_.assign(to, end);
    put_text(scratch_, out);
  }
  return true;
}

void csv_writer::put_value(const column& x, std::uint32_t i, output_buffer& out) {
  if (x.type.kind == type_kind::text) {
    put_text(x.text_of(i), out);
    return;
  }
  if (put_fixed(x, i, out))
    return;
  scratch_.clear();
  if (x.type.kind == type_kind::bytea) {
    scratch_.resize(base64_encoded_size(x.text_of(i).size()));
    base64_encode(x.text_of(i), scratch_.data());
  } else {
    append_value_text(x, i, scratch_);
  }
  put_text(scratch_, out);
}

} // namespace

std::unique_ptr<record_writer> make_csv_writer(const schema& columns, char delimiter) {
  return std::make_unique<csv_writer>(columns, delimiter);
}

} // namespace ebb
