#include "actors/connectors/file_base64.hpp"
#include "actors/connectors/file_format.hpp"
#include "actors/connectors/json_escape.hpp"
#include "actors/connectors/json_objects.hpp"
#include "actors/dataflow/numeric.hpp"
#include "actors/dataflow/time_text.hpp"

namespace ebb {

namespace {

char* quoted_when(bool quotes, char* from, char* end) noexcept {
  if (!quotes)
    return end;
  std::memmove(from + 1, from, static_cast<std::size_t>(end - from));
  *from = '"';
  end[1] = '"';
  return end + 2;
}

// NaN and the infinities are no JSON numbers.
bool is_word(const char* text) noexcept {
  return *text == 'N' || *text == 'I' || (*text == '-' && text[1] == 'I');
}

} // namespace

// `to` has room for a value of fixed width, behind bytes that are not yet claimed.
void json_objects::write_value(const column& x, std::uint32_t i, char* to, output_buffer& out) {
  if (x.is_null(i)) {
    std::memcpy(to, "null", 4);
    out.advance(to + 4);
    return;
  }
  const auto at = x.at(i);
  char* end = to;
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
    end = quoted_when(is_word(to), to, end);
    break;
  case type_kind::double_precision:
    end = write_double(x.data<double>()[at], to);
    end = quoted_when(is_word(to), to, end);
    break;
  case type_kind::date:
    end = write_date(x.data<std::int32_t>()[at], to);
    end = quoted_when(true, to, end);
    break;
  case type_kind::timestamp:
  case type_kind::timestamptz:
    *to = '"';
    end = write_timestamp(x.data<micros>()[at], x.type.kind == type_kind::timestamptz, to + 1);
    *end++ = '"';
    break;
  default:
    out.advance(to);
    write_long(x, i, out);
    return;
  }
  out.advance(end);
}

void json_objects::write_long(const column& x, std::uint32_t i, output_buffer& out) {
  switch (x.type.kind) {
  case type_kind::bytea: {
    const auto bytes = x.text_of(i);
    char* to = out.reserve(base64_encoded_size(bytes.size()) + 2);
    *to = '"';
    to = base64_encode(bytes, to + 1);
    *to++ = '"';
    out.advance(to);
    return;
  }
  case type_kind::numeric:
    write_numeric(x, i, out);
    return;
  case type_kind::interval:
    scratch_.clear();
    append_interval(x.data<interval_value>()[x.at(i)], scratch_);
    scratch_ = '"' + scratch_ + '"';
    out.append(scratch_);
    return;
  case type_kind::array:
    write_array(x, i, out);
    return;
  case type_kind::jsonb:
    out.append(x.text_of(i));
    return;
  default: {
    const auto text = x.text_of(i);
    // Room for escapes is asked for only where there are any.
    if (plain_json_prefix(text) == text.size()) {
      char* to = out.reserve(text.size() + 2);
      *to++ = '"';
      std::memcpy(to, text.data(), text.size());
      to += text.size();
      *to++ = '"';
      out.advance(to);
      return;
    }
    out.advance(write_json_string(text, out.reserve(json_string_max(text.size()))));
  }
  }
}

void json_objects::write_numeric(const column& x, std::uint32_t i, output_buffer& out) {
  scratch_.clear();
  append_numeric(x, i, scratch_);
  if (is_word(scratch_.c_str()))
    scratch_ = '"' + scratch_ + '"';
  out.append(scratch_);
}

void json_objects::write_array(const column& x, std::uint32_t i, output_buffer& out) {
  const auto* offsets = x.data<std::uint32_t>();
  const auto at = x.at(i);
  out.append("[");
  for (auto k = offsets[at]; k < offsets[at + 1]; ++k) {
    if (k != offsets[at])
      out.append(",");
    write_value(*x.child, k, out.reserve(fixed_text_max + 2), out);
  }
  out.append("]");
}

json_objects::json_objects(const schema& columns) {
  for (const auto& column : columns) {
    std::string key = keys_.empty() ? "{" : ",";
    append_json_string(column.name, key);
    keys_.push_back(key + ':');
  }
}

void json_objects::write(const batch& rows, std::uint32_t i, output_buffer& out) {
  for (std::size_t c = 0; c < keys_.size(); ++c) {
    const auto& key = keys_[c];
    char* to = out.reserve(key.size() + fixed_text_max + 2);
    std::memcpy(to, key.data(), key.size());
    write_value(rows.columns[c], i, to + key.size(), out);
  }
  out.append(keys_.empty() ? "{}" : "}");
}

namespace {

class json_writer final : public record_writer {
public:
  explicit json_writer(const schema& columns) : objects_(columns) {}

protected:
  void write_row(const batch& rows, std::uint32_t i, output_buffer& out) override {
    objects_.write(rows, i, out);
    out.append("\n");
  }

private:
  json_objects objects_;
};

} // namespace

std::unique_ptr<record_writer> make_json_writer(const schema& columns) {
  return std::make_unique<json_writer>(columns);
}

} // namespace ebb
