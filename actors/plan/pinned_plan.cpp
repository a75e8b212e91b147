#include "actors/plan/pinned_plan.hpp"

#include "actors/plan/split_text.hpp"

#include <algorithm>
#include <charconv>
#include <map>
#include <set>
#include <utility>

namespace ebb {

namespace {

// `NAME TAB SIGNATURE TAB SHAPE TAB SPANS` of operators that are used, by name. What begins with a
// mark is of other things; earlier versions wrote names and signatures alone.
constexpr char mark = '#';
constexpr std::string_view dropped_line = "#dropped";
constexpr std::string_view version_line = "#version";
constexpr std::string_view manifest_line = "#manifest";
constexpr std::string_view format_line = "#format";
constexpr std::string_view words_line = "#words";
constexpr std::string_view path_line = "#path"; // TAKER TAB PATH TAB SPANS
constexpr std::string_view dropped_ending = " (dropped)";

std::uint64_t number_in(std::string_view text) {
  std::uint64_t x = 0;
  std::from_chars(text.data(), text.data() + text.size(), x);
  return x;
}

// `5-20 30-`
std::vector<epoch_span> spans_in(std::string_view text) {
  std::vector<epoch_span> result;
  for (const auto word : split(text, ' ')) {
    const auto dash = word.find('-');
    if (dash == std::string_view::npos)
      continue;
    epoch_span x;
    x.after = number_in(word.substr(0, dash));
    if (dash + 1 != word.size())
      x.until = number_in(word.substr(dash + 1));
    result.push_back(x);
  }
  return result;
}

std::string text_of(std::span<const epoch_span> spans) {
  std::string result;
  for (const auto& x : spans)
    result += (result.empty() ? "" : " ") + std::to_string(x.after) + '-'
              + (x.until == UINT64_MAX ? std::string{} : std::to_string(x.until));
  return result;
}

bool goes_on(const std::vector<epoch_span>& spans) {
  return !spans.empty() && spans.back().until == UINT64_MAX;
}

void end_at(std::uint64_t last, std::vector<epoch_span>& spans) {
  if (goes_on(spans))
    spans.back().until = last;
}

void drop(pinned_operator& x, std::uint64_t last, std::uint64_t generation) {
  x.dropped_by = generation;
  end_at(last, x.spans);
}

bool lies_in(std::uint64_t epoch, const std::vector<epoch_span>& spans) {
  return std::any_of(spans.begin(), spans.end(),
                     [&](const auto& span) { return span.after < epoch && epoch <= span.until; });
}

/// Fields 1 to 3: signature, shape, spans.
void read_fields(const std::vector<std::string_view>& fields, pinned_operator& x) {
  x.state.signature = fields[1];
  if (fields.size() < 4) {
    x.spans = {epoch_span{}};
    return;
  }
  x.state.shape = fields[2];
  x.spans = spans_in(fields[3]);
}

std::string line_of(const pinned_operator& x) {
  return x.state.identity + '\t' + x.state.signature + '\t' + x.state.shape + '\t'
         + text_of(x.spans);
}

/// Of clocks: a column more in the rows that pass by is nothing to them.
bool keeps_no_columns(std::string_view identity) noexcept {
  const auto end = identity.rfind('/');
  const auto kind = identity.substr(0, end);
  return end != std::string_view::npos
         && (kind.ends_with("/watermark") || kind.ends_with("/processing time"));
}

} // namespace

bool fits(const kept_state& before, const kept_state& now) noexcept {
  return (before.signature == now.signature || keeps_no_columns(now.identity)) && (before.shape.empty() || before.shape == now.shape);
}

std::vector<kept_state> pinned_plan::used() const {
  std::vector<kept_state> result;
  for (const auto& x : operators)
    if (x.dropped_by == 0)
      result.push_back(x.state);
  return result;
}

void pinned_plan::go_back_to(std::uint64_t epoch, std::uint64_t last, std::uint64_t generation) {
  for (auto& x : operators) {
    const bool was_used = lies_in(epoch, x.spans);
    if (was_used && x.dropped_by != 0) {
      x.dropped_by = 0;
      x.spans.push_back({last, UINT64_MAX});
    } else if (!was_used && x.dropped_by == 0) {
      drop(x, last, generation);
    }
  }
  for (auto& x : paths) {
    const bool was_used = lies_in(epoch, x.spans);
    if (was_used && !goes_on(x.spans))
      x.spans.push_back({last, UINT64_MAX});
    else if (!was_used)
      end_at(last, x.spans);
  }
}

void pinned_plan::adopt(std::span<const kept_state> now, std::uint64_t last,
                        std::uint64_t generation) {
  for (auto& x : operators) {
    if (x.dropped_by != 0)
      continue;
    const auto same = std::find_if(now.begin(), now.end(), [&](const auto& y) {
      return y.identity == x.state.identity && fits(x.state, y);
    });
    if (same == now.end())
      drop(x, last, generation);
    else
      x.state = *same;
  }
  for (const auto& x : now)
    if (std::none_of(operators.begin(), operators.end(), [&](const auto& y) {
          return y.dropped_by == 0 && y.state.identity == x.identity;
        }))
      operators.push_back({x, {{last, UINT64_MAX}}, 0});
}

std::vector<change_path> pinned_plan::used_paths() const {
  std::vector<change_path> result;
  for (const auto& x : paths)
    if (goes_on(x.spans))
      result.push_back({x.taker, x.what});
  return result;
}

void pinned_plan::adopt_paths(std::span<const change_path> now, std::uint64_t last) {
  const auto same = [](const change_path& x, const pinned_path& y) {
    return x.taker == y.taker && x.what == y.what;
  };
  for (auto& y : paths)
    if (std::none_of(now.begin(), now.end(), [&](const auto& x) { return same(x, y); }))
      end_at(last, y.spans);
  for (const auto& x : now) {
    const auto found =
        std::find_if(paths.begin(), paths.end(), [&](const auto& y) { return same(x, y); });
    if (found == paths.end())
      paths.push_back({x.taker, x.what, {{last, UINT64_MAX}}});
    else if (!goes_on(found->spans))
      found->spans.push_back({last, UINT64_MAX});
  }
}

void pinned_plan::empty(std::span<const std::string> identities, std::uint64_t last,
                        std::uint64_t generation) {
  for (auto& x : operators)
    if (x.dropped_by == 0
        && std::find(identities.begin(), identities.end(), x.state.identity) != identities.end())
      drop(x, last, generation);
}

void pinned_plan::forget_shapes() {
  for (auto& x : operators)
    if (x.dropped_by == 0)
      x.state.shape.clear();
}

void pinned_plan::forget_numbers_by_stage() {
  const auto kind = [](const pinned_operator& x) {
    const auto& identity = x.state.identity;
    return identity.substr(0, identity.rfind('/'));
  };
  std::map<std::string, std::set<std::string>> of_kind;
  for (const auto& x : operators)
    of_kind[kind(x)].insert(x.state.identity);
  for (auto& x : operators)
    if (of_kind[kind(x)].size() > 1)
      x.state.identity += " (numbered by stage)";
}

pinned_plan read_pinned(const stream_entry& from) {
  pinned_plan result;
  std::map<std::string_view, pinned_operator> used;
  std::map<std::uint64_t, pinned_operator> dropped;
  for (const auto line : split(from.plan_fingerprint, '\n')) {
    auto fields = split(line, '\t');
    if (fields.size() < 2)
      continue;
    pinned_operator x;
    if (line.front() != mark) {
      read_fields(fields, x);
      used[fields[0]] = std::move(x);
    } else if (fields[0] == version_line) {
      result.version = fields[1];
    } else if (fields[0] == manifest_line) {
      result.manifest = fields[1];
    } else if (fields[0] == format_line) {
      result.format = static_cast<std::uint32_t>(number_in(fields[1]));
    } else if (fields[0] == words_line) {
      result.words = static_cast<std::uint32_t>(number_in(fields[1]));
    } else if (fields[0] == path_line && fields.size() == 4) {
      result.paths.push_back(
          {std::string(fields[1]), std::string(fields[2]), spans_in(fields[3])});
    } else if (fields[0] == dropped_line && fields.size() == 7) {
      const auto number = number_in(fields[1]);
      x.dropped_by = number_in(fields[2]);
      fields.erase(fields.begin(), fields.begin() + 3);
      x.state.identity = fields[0];
      read_fields(fields, x);
      dropped[number] = std::move(x);
    }
  }
  for (std::uint64_t number = 0; number < from.operators.size(); ++number) {
    const auto& name = from.operators[number];
    pinned_operator x;
    if (!is_dropped(name)) {
      if (const auto found = used.find(name); found != used.end())
        x = std::move(found->second);
      x.state.identity = name;
    } else if (const auto found = dropped.find(number); found != dropped.end()) {
      x = std::move(found->second);
    } else {
      // An earlier version did not say when.
      x.state.identity = name.substr(0, name.size() - dropped_ending.size());
      x.dropped_by = from.generation + 1;
    }
    result.operators.push_back(std::move(x));
  }
  return result;
}

void write_pinned(const pinned_plan& from, stream_entry& to) {
  to.operators.clear();
  auto& text = to.plan_fingerprint;
  text.clear();
  for (std::size_t number = 0; number < from.operators.size(); ++number) {
    const auto& x = from.operators[number];
    const bool gone = x.dropped_by != 0;
    to.operators.push_back(x.state.identity + (gone ? std::string(dropped_ending) : ""));
    if (gone)
      text += std::string(dropped_line) + '\t' + std::to_string(number) + '\t'
              + std::to_string(x.dropped_by) + '\t';
    text += line_of(x) + '\n';
  }
  for (const auto& x : from.paths)
    text += std::string(path_line) + '\t' + x.taker + '\t' + x.what + '\t' + text_of(x.spans) + '\n';
  text += std::string(version_line) + '\t' + from.version + '\n';
  text += std::string(manifest_line) + '\t' + from.manifest + '\n';
  text += std::string(format_line) + '\t' + std::to_string(from.format) + '\n';
  text += std::string(words_line) + '\t' + std::to_string(from.words) + '\n';
}

bool is_dropped(std::string_view name) noexcept {
  return name.ends_with(dropped_ending);
}

// FNV-1a: tells texts apart, and nothing depends on more.
std::string digest_of_text(std::string_view text) {
  std::uint64_t hash = 14695981039346656037U;
  for (const char c : text)
    hash = (hash ^ static_cast<unsigned char>(c)) * 1099511628211U;
  return std::to_string(hash);
}

const char* engine_version() noexcept {
  return EBB_VERSION;
}

} // namespace ebb
