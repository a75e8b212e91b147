#include "actors/dataflow/array_input.hpp"

#include "actors/dataflow/value_text.hpp"

#include <memory>
#include <string>
#include <vector>

namespace ebb {

namespace {

bool is_space(char c) noexcept {
  return c == ' ' || (c >= '\t' && c <= '\r');
}

struct array_item {
  std::string text;
  bool null = false;
};

/// Splits `{a,"b c",NULL}`; one dimension.
class array_reader {
public:
  explicit array_reader(std::string_view text) : text_(text) {}

  result<std::vector<array_item>> read() {
    std::vector<array_item> items;
    skip_space();
    if (at_ < text_.size() && text_[at_] == '[')
      return make_error(ec::unsupported, "arrays with lower bounds are not supported",
                        "write the array as {1,2,3}");
    if (at_ >= text_.size() || text_[at_] != '{')
      return malformed("array value must start with \"{\" or dimension information");
    ++at_;
    skip_space();
    if (at_ < text_.size() && text_[at_] == '}') {
      ++at_;
      return finish(std::move(items));
    }
    while (true) {
      EBB_ASSIGN(auto item, read_item());
      items.push_back(std::move(item));
      skip_space();
      if (at_ >= text_.size())
        return malformed("unexpected end of input");
      const char c = text_[at_++];
      if (c == '}')
        return finish(std::move(items));
      if (c != ',')
        return malformed("unexpected array element");
    }
  }

private:
  result<array_item> read_item() {
    skip_space();
    if (at_ >= text_.size())
      return malformed("unexpected end of input");
    array_item item;
    if (text_[at_] == '{')
      return make_error(ec::unsupported, "multidimensional arrays are not supported",
                        "use an array of one dimension");
    if (text_[at_] == '"') {
      for (++at_; at_ < text_.size() && text_[at_] != '"'; ++at_) {
        if (text_[at_] == '\\' && ++at_ >= text_.size())
          break;
        item.text += text_[at_];
      }
      if (at_ >= text_.size())
        return malformed("unexpected end of input");
      ++at_;
      return item;
    }
    bool escaped = false;
    std::size_t keep = 0; // trailing white space is dropped unless escaped
    while (at_ < text_.size() && text_[at_] != ',' && text_[at_] != '}') {
      char c = text_[at_];
      if (c == '"' || c == '{')
        return malformed(c == '"' ? "unexpected array element" : "unexpected \"{\" character");
      bool literal = false;
      if (c == '\\') {
        if (++at_ >= text_.size())
          return malformed("unexpected end of input");
        c = text_[at_];
        escaped = literal = true;
      }
      item.text += c;
      if (literal || !is_space(c))
        keep = item.text.size();
      ++at_;
    }
    item.text.resize(keep);
    if (item.text.empty() && !escaped)
      return malformed(at_ < text_.size() && text_[at_] == ',' ? "unexpected \",\" character"
                                                               : "unexpected \"}\" character");
    item.null = !escaped && item.text.size() == 4 && (item.text[0] | 0x20) == 'n'
                && (item.text[1] | 0x20) == 'u' && (item.text[2] | 0x20) == 'l'
                && (item.text[3] | 0x20) == 'l';
    return item;
  }

  result<std::vector<array_item>> finish(std::vector<array_item> items) {
    skip_space();
    if (at_ != text_.size())
      return malformed("junk after closing right brace");
    return items;
  }

  void skip_space() {
    while (at_ < text_.size() && is_space(text_[at_]))
      ++at_;
  }

  error malformed(const char* why) const {
    return make_error(ec::evaluation, "malformed array literal: \"" + std::string(text_) + '"',
                      why);
  }

  std::string_view text_;
  std::size_t at_ = 0;
};

} // namespace

result<column> parse_array(std::string_view text, const sql_type& type) {
  EBB_ASSIGN(const auto items, array_reader(text).read());
  const auto count = static_cast<std::uint32_t>(items.size());
  std::vector<column> values;
  values.reserve(items.size());
  for (const auto& item : items) {
    if (item.null) {
      values.push_back(make_null_column(type.element_type(), 1));
      continue;
    }
    EBB_ASSIGN(auto value, parse_literal(item.text, type.element_type()));
    values.push_back(materialize(std::move(value)));
  }
  column result = make_column(type, 1);
  result.mutable_data<std::uint32_t>()[0] = 0;
  result.mutable_data<std::uint32_t>()[1] = count;
  if (values.empty()) {
    result.child = std::make_shared<column>(make_column(type.element_type(), 0));
  } else {
    std::vector<const column*> parts;
    parts.reserve(values.size());
    for (const auto& value : values)
      parts.push_back(&value);
    result.child = std::make_shared<column>(concatenate(parts));
  }
  return result;
}

} // namespace ebb
