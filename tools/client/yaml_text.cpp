#include "tools/client/yaml_text.hpp"

#include <algorithm>
#include <array>
#include <string_view>

namespace ebb::client {

namespace {

/// Words that YAML 1.1 (kubectl) or 1.2 takes for null or booleans.
bool is_word_of_yaml(const std::string& text) {
  constexpr std::array<std::string_view, 10> words{"null", "true", "false", "yes", "no",
                                                   "on",   "off",  "y",     "n",   "~"};
  std::string low = text;
  std::transform(low.begin(), low.end(), low.begin(),
                 [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
  return std::find(words.begin(), words.end(), low) != words.end();
}

/// Letters that begin a plain word, and what may follow in one. Times, numbers and versions begin
/// with a digit and are quoted: 1.1 reads many of them (12:30:45, 1_000, 0o7, .inf).
bool is_plain(const std::string& text) {
  const auto letter = [](char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); };
  if (text.empty() || !(letter(text[0]) || text[0] == '/' || text[0] == '_'))
    return false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    const bool digit = c >= '0' && c <= '9';
    const bool inner = i + 1 < text.size();
    if (letter(c) || digit || std::string_view("_-./()*").find(c) != std::string_view::npos)
      continue;
    if (inner && (c == ' ' || c == ',' || c == '\'' || c == '=') && text[i + 1] != '#')
      continue;
    if (inner && c == ':' && text[i + 1] != ' ')
      continue;
    return false;
  }
  return !is_word_of_yaml(text);
}

/// Whether a block (`|`) gives exactly this text back.
bool fits_block(const std::string& text) {
  if (text.find('\n') == std::string::npos || text[0] == ' ' || text[0] == '\n' || text[0] == '\t')
    return false;
  return std::all_of(text.begin(), text.end(), [](char c) {
    const auto byte = static_cast<unsigned char>(c);
    return c == '\n' || (byte >= 0x20 && byte != 0x7f);
  });
}

void write_block(std::string& out, const std::string& text, std::size_t indent) {
  const bool ends = text.back() == '\n';
  const bool more = text.size() > 1 && ends && text[text.size() - 2] == '\n';
  out += more ? "|+\n" : ends ? "|\n" : "|-\n";
  std::size_t begin = 0;
  while (begin < text.size()) {
    auto end = text.find('\n', begin);
    end = end == std::string::npos ? text.size() : end;
    if (end > begin)
      out.append(indent, ' ').append(text, begin, end - begin);
    out += '\n';
    begin = end + 1;
  }
}

/// As deep as the JSON is.
void write(std::string& out, const json& value, std::size_t indent, bool after_dash);

void write_value(std::string& out, const json& value, std::size_t indent) {
  if ((value.is_object() || value.is_array()) && !value.empty()) {
    out += '\n';
    // Lists stand under their key.
    write(out, value, value.is_array() ? indent : indent + 2, false);
  } else {
    out += ' ';
    write(out, value, indent + 2, false);
  }
}

void write(std::string& out, const json& value, std::size_t indent, bool after_dash) {
  bool first = after_dash;
  if (value.is_object() && !value.empty()) {
    for (const auto& [key, x] : value.items()) {
      out.append(first ? 0 : indent, ' ');
      first = false;
      out += yaml_scalar(key) + ':';
      write_value(out, x, indent);
    }
  } else if (value.is_array() && !value.empty()) {
    for (const auto& x : value) {
      out.append(first ? 0 : indent, ' ');
      first = false;
      out += "- ";
      write(out, x, indent + 2, true);
    }
  } else if (value.is_string() && fits_block(value.get_ref<const std::string&>())) {
    write_block(out, value.get_ref<const std::string&>(), std::max<std::size_t>(indent, 2));
  } else {
    out += value.is_string() ? yaml_scalar(value.get_ref<const std::string&>())
                             : value.dump(-1, ' ', false, json::error_handler_t::replace);
    out += '\n';
  }
}

} // namespace

std::string yaml_scalar(const std::string& text) {
  // Every JSON text is one of YAML.
  return is_plain(text) ? text : json(text).dump(-1, ' ', false, json::error_handler_t::replace);
}

std::string yaml_text(const json& value) {
  std::string out;
  write(out, value, 0, false);
  return out;
}

} // namespace ebb::client
