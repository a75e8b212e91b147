#include "actors/plan/manifest_yaml.hpp"

#include "actors/plan/printable.hpp"

#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/exceptions.h>
#include <yaml-cpp/mark.h>
#include <yaml-cpp/parser.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdio>
#include <map>
#include <sstream>
#include <unordered_map>

namespace ebb::manifest {

namespace {

constexpr std::size_t max_depth = 64;
constexpr std::size_t max_nodes = 200'000;
constexpr std::size_t max_aliases = 32;
constexpr std::size_t max_documents = 1'000;

bool continues_character(char c) noexcept {
  return (static_cast<unsigned char>(c) & 0xC0U) == 0x80U;
}

/// Carries an error through the YAML library, which knows no other way to stop.
struct refusal {
  error problem;
};

/// Builds trees from the library's events.
class tree_builder final : public YAML::EventHandler {
public:
  explicit tree_builder(const yaml_source& source) : source_(source) {}

  void OnDocumentStart(const YAML::Mark& /*mark*/) override {
    root_ = {};
    anchors_.clear();
  }

  void OnDocumentEnd() override {}

  void OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    auto node = make(mark, yaml_kind::null);
    // A key may be spelled `null`: its text is kept.
    const auto rest = byte_at(mark);
    const auto end = std::min(rest.find_first_of(" \t\r\n:,]}#"), rest.size());
    const auto word = rest.substr(0, end);
    if (word == "null" || word == "Null" || word == "NULL" || word == "~")
      node.text = word;
    node.plain = true;
    finish(std::move(node), anchor);
  }

  void OnAlias(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    if (++aliases_ > max_aliases)
      refuse(mark, "too many aliases", "a manifest may use at most 32; write the values out");
    const auto found = anchors_.find(anchor);
    if (found == anchors_.end())
      refuse(mark, "an alias inside of what it stands for", "write the value out");
    nodes_ += count(found->second);
    if (nodes_ > max_nodes)
      refuse(mark, "aliases make this document too large", "write the values out");
    auto copy = found->second;
    check_depth(mark, depth(copy));
    add(std::move(copy), mark);
  }

  void OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                const std::string& value) override {
    check_tag(mark, tag, "tag:yaml.org,2002:str");
    auto node = make(mark, yaml_kind::text);
    node.plain = tag == "?" || tag.empty();
    check_quotes(mark);
    node.text = value;
    finish(std::move(node), anchor);
  }

  void OnSequenceStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                       YAML::EmitterStyle::value /*style*/) override {
    check_tag(mark, tag, "tag:yaml.org,2002:seq");
    open(make(mark, yaml_kind::list), anchor, mark);
  }

  void OnSequenceEnd() override {
    close();
  }

  void OnMapStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                  YAML::EmitterStyle::value /*style*/) override {
    check_tag(mark, tag, "tag:yaml.org,2002:map");
    open(make(mark, yaml_kind::map), anchor, mark);
  }

  void OnMapEnd() override {
    close();
  }

  [[nodiscard]] yaml_node take() {
    return std::move(root_);
  }

private:
  struct frame {
    yaml_node node;
    YAML::anchor_t anchor;
    YAML::Mark mark;
    std::unordered_map<std::string, std::uint32_t> lines; ///< of a map's keys
  };

  /// Character column of a mark. Marks move forward, so long lines are not counted again and again.
  std::uint32_t column_at(const YAML::Mark& mark) {
    const auto line = static_cast<std::uint32_t>(mark.line + 1);
    const auto byte = static_cast<std::size_t>(mark.column);
    const auto shown = source_.line(line);
    if (line != column_line_ || byte < column_byte_) {
      column_line_ = line;
      column_byte_ = 0;
      column_ = 1;
    }
    for (; column_byte_ < std::min(byte, shown.size()); ++column_byte_)
      if (!continues_character(shown[column_byte_]))
        ++column_;
    return column_;
  }

  [[noreturn]] void refuse(const YAML::Mark& mark, std::string message, std::string hint = {}) {
    const auto line = static_cast<std::uint32_t>(mark.line + 1);
    const auto column = column_at(mark);
    throw refusal{source_.fail(line, column, {}, std::move(message), std::move(hint))};
  }

  [[nodiscard]] std::string_view byte_at(const YAML::Mark& mark) const {
    const auto line = source_.line(static_cast<std::uint32_t>(mark.line + 1));
    const auto column = static_cast<std::size_t>(mark.column);
    return column < line.size() ? line.substr(column) : std::string_view{};
  }

  yaml_node make(const YAML::Mark& mark, yaml_kind kind) {
    if (++nodes_ > max_nodes)
      refuse(mark, "the file has too many values",
             "at most 200000 are read; split it into several files");
    yaml_node node;
    node.kind = kind;
    node.line = static_cast<std::uint32_t>(mark.line + 1);
    node.column = column_at(mark);
    return node;
  }

  void check_tag(const YAML::Mark& mark, const std::string& tag, std::string_view own) {
    if (!tag.empty() && tag != "?" && tag != "!" && tag != own)
      refuse(mark, "unknown tag " + tag, "manifests use no tags; leave it out");
  }

  /// The library takes the end of the file for the end of a quote.
  void check_quotes(const YAML::Mark& mark) {
    const auto rest = byte_at(mark);
    if (rest.empty() || (rest[0] != '"' && rest[0] != '\''))
      return;
    const auto quote = rest[0];
    const auto* at = rest.data() + 1;
    const auto* end = source_.text().data() + source_.text().size();
    for (; at < end; ++at) {
      if (quote == '"' && *at == '\\')
        ++at;
      else if (*at == quote && (quote == '"' || at + 1 == end || at[1] != quote))
        return;
      else if (*at == quote)
        ++at;
    }
    refuse(mark, "quoted text without its end", std::string("close it with ") + quote);
  }

  void check_depth(const YAML::Mark& mark, std::size_t more) {
    if (open_.size() + more > max_depth)
      refuse(mark, "values are nested more than 64 deep",
             "no part of a manifest is; look for brackets that are not closed");
  }

  static std::size_t count(const yaml_node& node) {
    std::size_t total = 1 + node.keys.size();
    for (const auto& value : node.values)
      total += count(value);
    return total;
  }

  static std::size_t depth(const yaml_node& node) {
    std::size_t deepest = 0;
    for (const auto& value : node.values)
      deepest = std::max(deepest, depth(value));
    return node.kind == yaml_kind::list || node.kind == yaml_kind::map ? deepest + 1 : 0;
  }

  void open(yaml_node node, YAML::anchor_t anchor, const YAML::Mark& mark) {
    check_depth(mark, 1);
    open_.push_back({std::move(node), anchor, mark, {}});
  }

  void close() {
    auto done = std::move(open_.back());
    open_.pop_back();
    if (done.anchor != YAML::NullAnchor)
      anchors_[done.anchor] = done.node;
    add(std::move(done.node), done.mark);
  }

  void finish(yaml_node node, YAML::anchor_t anchor) {
    if (anchor != YAML::NullAnchor)
      anchors_[anchor] = node;
    YAML::Mark mark;
    mark.line = static_cast<int>(node.line) - 1;
    add(std::move(node), mark);
  }

  void add(yaml_node node, const YAML::Mark& mark) {
    if (open_.empty()) {
      root_ = std::move(node);
      return;
    }
    auto& parent = open_.back().node;
    if (parent.kind == yaml_kind::list || parent.keys.size() > parent.values.size()) {
      // A value that is not there has the place of what follows.
      if (parent.kind == yaml_kind::map && node.kind == yaml_kind::null && node.text.empty()) {
        node.line = parent.keys.back().line;
        node.column = parent.keys.back().column;
      }
      parent.values.push_back(std::move(node));
      return;
    }
    if (node.kind == yaml_kind::list || node.kind == yaml_kind::map)
      refuse(mark, "a key must be text", "write it without brackets and `?`");
    const auto [same, is_new] = open_.back().lines.emplace(node.text, node.line);
    if (!is_new)
      throw refusal{source_.fail(node.line, node.column, {}, "duplicate key " + node.text,
                                 "it was given in line " + std::to_string(same->second)
                                     + " before; keep one")};
    parent.keys.push_back(std::move(node));
  }

  const yaml_source& source_;
  std::vector<frame> open_;
  yaml_node root_;
  std::map<YAML::anchor_t, yaml_node> anchors_;
  std::size_t nodes_ = 0;
  std::size_t aliases_ = 0;
  std::uint32_t column_line_ = 0; ///< where `column_at` stopped last
  std::size_t column_byte_ = 0;
  std::uint32_t column_ = 1;
};

result<void> check_bytes(const yaml_source& source) {
  const auto text = source.text();
  std::uint32_t line = 1;
  std::size_t line_start = 0;
  for (std::size_t i = 0; i < text.size();) {
    const auto c = static_cast<unsigned char>(text[i]);
    const auto length = utf8_length(text, i);
    const auto control = (c < 0x20 && c != '\t' && c != '\n' && c != '\r') || c == 0x7f;
    if (length == 0 || control)
      return source.fail(line, source.column_of(line, i - line_start), {},
                         control ? "control character in the file" : "the file is not UTF-8 text",
                         "save the manifest as UTF-8");
    if (c == '\n') {
      ++line;
      line_start = i + 1;
    }
    i += length;
  }
  return {};
}

/// What the library's words mean to people.
std::string advice(const std::string& message, std::string_view line) {
  const auto indentation = line.substr(0, line.find_first_not_of(" \t"));
  if (message.find("tab") != std::string::npos || indentation.find('\t') != std::string::npos)
    return "YAML indents with spaces, and this line has a tab";
  if (message.find("end of map") != std::string::npos
      || message.find("end of sequence") != std::string::npos
      || message.find("illegal map value") != std::string::npos)
    return "check indentation and brackets; quote values that contain `: ` or begin with one of "
           "{ [ & * ! | > % @ `";
  return "check brackets, quotes and indentation here and in the lines before";
}

/// JSON writes characters beyond U+FFFF as two escapes (`\ud83d\ude00`), which YAML does not know.
/// They become YAML's `\U0001f600`; the text is returned as it is when it is no JSON.
std::string join_surrogates(std::string_view text) {
  std::string out(text);
  const auto first = text.find_first_not_of(" \t\r\n");
  if (first == std::string_view::npos || text[first] != '{')
    return out;
  const auto unit = [&](std::size_t i) -> std::uint32_t {
    std::uint32_t value = 0;
    if (i + 6 > out.size() || out[i] != '\\' || out[i + 1] != 'u')
      return 0;
    const auto [stop, problem] = std::from_chars(out.data() + i + 2, out.data() + i + 6, value, 16);
    return problem == std::errc{} && stop == out.data() + i + 6 ? value : 0;
  };
  for (std::size_t i = 0; i + 12 <= out.size(); ++i) {
    if (out[i] != '\\')
      continue;
    const auto high = unit(i);
    const auto low = unit(i + 6);
    if (high < 0xD800 || high > 0xDBFF || low < 0xDC00 || low > 0xDFFF) {
      ++i; // the escaped character is no escape itself
      continue;
    }
    std::array<char, 11> escape{};
    std::snprintf(escape.data(), escape.size(), "\\U%08x",
                  0x10000 + ((high - 0xD800) << 10) + (low - 0xDC00));
    out.replace(i, 12, escape.data());
  }
  return out;
}

} // namespace

const yaml_node* yaml_node::find(std::string_view key) const noexcept {
  for (std::size_t i = 0; i < keys.size(); ++i)
    if (keys[i].text == key)
      return &values[i];
  return nullptr;
}

yaml_source::yaml_source(std::string_view text, std::string file)
    : text_(text), file_(std::move(file)), starts_{0} {
  for (std::size_t i = 0; i < text_.size(); ++i)
    if (text_[i] == '\n')
      starts_.push_back(i + 1);
}

std::string_view yaml_source::line(std::uint32_t number) const noexcept {
  if (number == 0 || number > starts_.size())
    return {};
  const auto first = starts_[number - 1];
  const auto last = number < starts_.size() ? starts_[number] - 1 : text_.size();
  auto out = text_.substr(first, last - first);
  if (out.ends_with('\r'))
    out.remove_suffix(1);
  return out;
}

std::uint32_t yaml_source::column_of(std::uint32_t line_number, std::size_t byte) const noexcept {
  const auto shown = line(line_number);
  std::uint32_t column = 1;
  for (std::size_t i = 0; i < std::min(byte, shown.size()); ++i)
    if (!continues_character(shown[i]))
      ++column;
  return column;
}

error yaml_source::fail(std::uint32_t line_number, std::uint32_t column, std::string field,
                        std::string message, std::string hint, ec code) const {
  // A blank line of a block may be shorter than the indentation of the text that it belongs to.
  column = std::min(column, column_of(line_number, std::string_view::npos));
  auto out = make_error(code, printable(message), printable(hint));
  out.place = {file_, line_number, column, printable(field)};
  constexpr std::uint32_t reach = 100;
  if (line_number == 0 || column == 0)
    return out;
  const auto shown = printable(line(line_number));
  // Around the place, where the line is long.
  const auto skip = column > reach ? column - reach : 0;
  std::string under;
  std::uint32_t at = 0;
  std::size_t first = 0;
  std::size_t last = shown.size();
  for (std::size_t i = 0; i < shown.size(); ++i) {
    if (continues_character(shown[i]))
      continue;
    if (at == skip)
      first = i;
    if (at == column + reach) {
      last = i;
      break;
    }
    if (at >= skip && at + 1 < column)
      under += shown[i] == '\t' ? '\t' : ' ';
    ++at;
  }
  out.excerpt = shown.substr(first, last - first) + '\n' + under + '^';
  return out;
}

result<std::vector<yaml_node>> parse_yaml(const yaml_source& source) {
  auto text = source.text();
  if (text.size() > max_manifest_bytes)
    return source.fail(0, 0, {}, "the manifest is larger than 4 MiB", "split it into several files",
                       ec::resource);
  EBB_TRY(check_bytes(source));
  std::vector<yaml_node> documents;
  try {
    std::istringstream input(join_surrogates(text));
    YAML::Parser parser(input);
    tree_builder builder(source);
    std::pair<std::uint32_t, std::uint32_t> last{0, 0};
    while (parser.HandleNextDocument(builder)) {
      auto document = builder.take();
      // Behind the end of a document the library may stay where it is for ever.
      const std::pair here{document.line, document.column};
      if (document.kind == yaml_kind::null && here == last)
        return source.fail(document.line, document.column, {},
                           "text behind the end of the document",
                           "check brackets; begin another document with ---");
      last = here;
      if (documents.size() == max_documents)
        return source.fail(document.line, document.column, {},
                           "more than 1000 documents in one file", "split it");
      if (document.kind != yaml_kind::null)
        documents.push_back(std::move(document));
    }
  } catch (refusal& stopped) {
    return std::move(stopped.problem);
  } catch (const YAML::Exception& problem) {
    const auto known = problem.mark.line >= 0;
    const auto line = known ? static_cast<std::uint32_t>(problem.mark.line + 1) : 0;
    const auto column =
        known ? source.column_of(line, static_cast<std::size_t>(problem.mark.column)) : 0;
    return source.fail(line, column, {}, "malformed YAML: " + problem.msg,
                       advice(problem.msg, source.line(line)));
  } catch (const std::exception& problem) {
    return source.fail(0, 0, {}, std::string("malformed YAML: ") + problem.what(), advice({}, {}));
  }
  return documents;
}

} // namespace ebb::manifest
