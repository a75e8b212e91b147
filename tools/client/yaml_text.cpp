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

bool is_letter(char c) noexcept {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

/// `10s`, `64Mi`: no number in any YAML.
bool is_quantity(const std::string& text) {
  constexpr std::array<std::string_view, 9> units{"ms", "s", "m", "h", "d", "Ki", "Mi", "Gi", "Ti"};
  const auto end = text.find_first_not_of("0123456789");
  return end != 0 && end != std::string::npos
         && std::find(units.begin(), units.end(), text.substr(end)) != units.end();
}

/// Characters that YAML takes only as escapes: controls, and line ends that are not `\n`.
bool has_special(std::string_view text) {
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto byte = static_cast<unsigned char>(text[i]);
    const auto next = i + 1 < text.size() ? static_cast<unsigned char>(text[i + 1]) : 0U;
    if ((byte < 0x20 && byte != '\n') || byte == 0x7f || (byte == 0xc2 && next < 0xa0)
        || text.substr(i, 3) == "\u2028" || text.substr(i, 3) == "\u2029"
        || text.substr(i, 3) == "\ufeff")
      return true;
  }
  return false;
}

/// Begins like a word and holds nothing that means something. Times, numbers and versions begin
/// with a digit and are quoted: YAML 1.1 reads many of them (12:30:45, 1_000, 0o7).
bool is_plain(const std::string& text) {
  if (is_quantity(text))
    return true;
  if (text.empty() || !(is_letter(text[0]) || text[0] == '/' || text[0] == '_')
      || text.back() == ' ' || text.back() == ':' || text.find('\n') != std::string::npos)
    return false;
  return text.find(": ") == std::string::npos && text.find(" #") == std::string::npos
         && !has_special(text) && !is_word_of_yaml(text);
}

/// Whether a block (`|`) gives exactly this text back.
bool fits_block(const std::string& text) {
  return text.find('\n') != std::string::npos && text[0] != ' ' && text[0] != '\n'
         && !has_special(text);
}

/// JSON's text is YAML's, too, but for these.
std::string escaped(const std::string& text) {
  if (!has_special(text))
    return text;
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto byte = static_cast<unsigned char>(text[i]);
    const auto three = std::string_view(text).substr(i, 3);
    constexpr const char* digits = "0123456789abcdef";
    if (byte == 0x7f) {
      out += "\\x7f";
    } else if (byte == 0xc2 && i + 1 < text.size()
               && static_cast<unsigned char>(text[i + 1]) < 0xa0) {
      const auto low = static_cast<unsigned char>(text[++i]);
      (out += "\\x").append({digits[low >> 4], digits[low & 15]});
    } else if (three == "\u2028" || three == "\u2029" || three == "\ufeff") {
      out += three == "\u2028" ? "\\u2028" : three == "\u2029" ? "\\u2029" : "\\ufeff";
      i += 2;
    } else {
      out += text[i];
    }
  }
  return out;
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
  return is_plain(text) ? text
                        : escaped(json(text).dump(-1, ' ', false, json::error_handler_t::replace));
}

std::string yaml_text(const json& value) {
  std::string out;
  write(out, value, 0, false);
  return out;
}

std::string listing_text(const json& value, const std::string& output) {
  return output == "yaml" ? yaml_text(value) : value.dump(2) + '\n';
}

} // namespace ebb::client
