#include "tools/client/json_table.hpp"

#include "tools/cli/text_table.hpp"

#include <algorithm>

namespace ebb::client {

namespace {

bool is_upper(char c) noexcept {
  return c >= 'A' && c <= 'Z';
}

/// A cell's text: lists and objects of single values without JSON's brackets.
std::string cell_text(const json& value) {
  const bool flat =
      value.is_structured()
      && std::none_of(value.begin(), value.end(), [](const json& x) { return x.is_structured(); });
  if (!flat)
    return cell_of(text_of(value));
  std::string out;
  if (value.is_array())
    for (const auto& x : value)
      out += (out.empty() ? "" : ", ") + text_of(x);
  else
    for (const auto& [key, x] : value.items())
      out += (out.empty() ? "" : " ") + key + '=' + text_of(x);
  return cell_of(out);
}

} // namespace

std::string heading_of(const std::string& key) {
  std::string out;
  for (std::size_t i = 0; i < key.size(); ++i) {
    const bool begins = is_upper(key[i]) && i > 0 && !is_upper(key[i - 1]);
    out += begins ? " " : "";
    const char c = key[i] == '_' ? ' ' : key[i];
    out += c >= 'a' && c <= 'z' ? static_cast<char>(c - 32) : c;
  }
  return out;
}

std::string cell_of(const std::string& text) {
  std::string out = text;
  std::replace_if(
      out.begin(), out.end(),
      [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; }, ' ');
  return out;
}

std::string json_table(const json& items) {
  std::vector<std::string> keys;
  for (const auto& x : items)
    if (x.is_object())
      for (const auto& [key, value] : x.items())
        // For programs; the trace's id stands beside it.
        if (key != "traceparent" && std::find(keys.begin(), keys.end(), key) == keys.end())
          keys.push_back(key);
  if (keys.empty()) {
    std::string out;
    for (const auto& x : items)
      out += cell_of(text_of(x)) + '\n';
    return out;
  }
  std::vector<std::string> headings;
  for (const auto& key : keys)
    headings.push_back(heading_of(key));
  cli::text_table table(headings);
  for (std::size_t i = 0; i < keys.size(); ++i)
    if (std::all_of(items.begin(), items.end(), [&](const json& x) {
          return !x.contains(keys[i]) || x[keys[i]].is_number() || x[keys[i]].is_null();
        }))
      table.right(i);
  for (const auto& x : items) {
    std::vector<std::string> row;
    for (const auto& key : keys)
      row.push_back(x.is_object() && x.contains(key) ? cell_text(x[key]) : std::string{});
    table.add(std::move(row));
  }
  return table.text();
}

} // namespace ebb::client
