#include "actors/connectors/json_reader.hpp"

#include "actors/connectors/file_names.hpp"
#include "actors/connectors/file_utf8.hpp"

#include <algorithm>
#include <cstring>

namespace ebb {

namespace {

// Files with names that never repeat (maps as objects) must not fill the memory.
constexpr std::size_t names_max = 512;

} // namespace

json_reader::json_reader(parse_options options)
    : record_parser(std::move(options)), seen_(options_.columns.size(), 0),
      in_key_(options_.columns.size(), false) {
  for (std::size_t c = 0; c < options_.columns.size(); ++c)
    in_key_[c] = std::find(options_.key.begin(), options_.key.end(), options_.columns[c].name)
                 != options_.key.end();
}

const char* json_reader::find_end(const char* from, const char* to, bool) {
  const void* found = std::memchr(from, '\n', static_cast<std::size_t>(to - from));
  return found == nullptr ? nullptr : static_cast<const char*>(found) + 1;
}

void json_reader::resolve(std::string_view name, known_name& out) const {
  for (const bool exact : {true, false}) {
    for (std::size_t c = 0; c < options_.columns.size(); ++c) {
      const auto& wanted = options_.columns[c].name;
      if (exact ? name == wanted : equal_ignoring_case(name, wanted)) {
        out.column = static_cast<std::int32_t>(c);
        out.exact = exact;
        return;
      }
    }
  }
  out.column = -1;
  out.exact = false;
}

const char* json_reader::read_name(const char* p, std::size_t& expected, known_name*& out) {
  const std::uint64_t head = scan::load8(p);
  const auto is_here = [&](const known_name& x) {
    return ((head ^ x.head) & x.head_mask) == 0
           && (x.text.size() <= 8 || std::memcmp(p + 8, x.text.data() + 8, x.text.size() - 8) == 0);
  };
  for (std::size_t i = expected; i < names_.size(); ++i) {
    if (is_here(names_[i])) {
      expected = i + 1;
      out = &names_[i];
      return p + out->text.size();
    }
  }
  for (std::size_t i = 0; i < std::min(expected, names_.size()); ++i) {
    if (is_here(names_[i])) {
      expected = i + 1;
      out = &names_[i];
      return p + out->text.size();
    }
  }
  return learn_name(p, expected, out);
}

const char* json_reader::learn_name(const char* p, std::size_t& expected, known_name*& out) {
  if (*p != '"')
    return json::complain(complaint_, p, "the name of a field");
  json::raw_string raw;
  const char* end = json::read_string(p, raw, high_, complaint_);
  if (end == nullptr)
    return nullptr;
  const bool high =
      std::any_of(raw.begin, raw.end, [](char c) { return static_cast<unsigned char>(c) >= 0x80; });
  known_name x;
  x.text.assign(p, end);
  std::string name(raw.begin, raw.end);
  if (raw.escaped) {
    std::size_t size = 0;
    json::complaint ignored;
    // A name that is no text names no column.
    if (json::unescape(raw, name.data(), size, ignored) == nullptr)
      size = 0;
    name.resize(size);
  }
  resolve(name, x);
  const auto head_size = std::min<std::size_t>(8, x.text.size());
  std::memcpy(&x.head, x.text.data(), head_size);
  x.head_mask = head_size == 8 ? ~std::uint64_t{0} : (std::uint64_t{1} << (8 * head_size)) - 1;
  // Names outside ASCII are looked at every time, since they are checked with their record; known
  // ones are compared with whatever stands at their place, up to the padding behind the text.
  if (high || names_.size() >= names_max || x.text.size() > chunk_padding) {
    unknown_ = std::move(x);
    out = &unknown_;
    return end;
  }
  expected = std::min(expected, names_.size());
  names_.insert(names_.begin() + static_cast<std::ptrdiff_t>(expected), std::move(x));
  out = &names_[expected++];
  return end;
}

bool json_reader::read_members(const char* p) {
  std::size_t expected = 0;
  p = json::skip_space(p + 1);
  if (*p == '}')
    return finish_record(p + 1);
  for (;;) {
    known_name* name = nullptr;
    p = read_name(p, expected, name);
    if (p == nullptr)
      return false;
    p = json::skip_space(p);
    if (*p != ':') {
      json::complain(complaint_, p, "a colon");
      return false;
    }
    p = json::skip_space(p + 1);
    if (name->column < 0) {
      p = json::skip_value(p, high_, complaint_);
    } else {
      const auto c = static_cast<std::uint32_t>(name->column);
      several_ |= !name->exact || seen_[c] == stamp_;
      if (seen_[c] == stamp_)
        return false;
      seen_[c] = stamp_;
      ++stored_;
      p = read_value(builder_, builder_.slot(c), p);
    }
    if (p == nullptr)
      return false;
    p = json::skip_space(p);
    if (*p == '}')
      return finish_record(p + 1);
    if (*p != ',') {
      json::complain(complaint_, p, "a comma or a closing brace");
      return false;
    }
    p = json::skip_space(p + 1);
  }
}

bool json_reader::store_missing() {
  for (std::uint32_t c = 0; c < builder_.width(); ++c) {
    if (seen_[c] == stamp_)
      continue;
    if (goes_ && options_.key.empty()) {
      problem_ = {options_.columns[c].name,
                  "the field is missing, and " + options_.source
                      + " has no PRIMARY KEY to find the row by: all of its fields must be there"};
      return false;
    }
    // What is found by its key may say no more than that.
    if (goes_ && !in_key_[c])
      builder_.leave_out(builder_.slot(c));
    else if (!builder_.store_null(builder_.slot(c)))
      return false;
  }
  return true;
}

// The record ends at `p`, and is text of an allowed size.
bool json_reader::check_line(const char* p) {
  if (*p != '\n') {
    json::complain(complaint_, p, "the end of the line");
    return false;
  }
  const std::string_view text(at_, static_cast<std::size_t>(p + 1 - at_));
  if (high_ && !is_utf8(text)) {
    problem_ = {{}, "invalid byte sequence for encoding \"UTF8\""};
    return false;
  }
  if (over_limit(text)) {
    problem_ = too_long();
    return false;
  }
  return true;
}

void json_reader::pass_line(const char* p) {
  ++number_;
  ++line_;
  at_ += p + 1 - at_;
}

bool json_reader::finish_record(const char* p) {
  if (object_ != nullptr)
    return end_of_object(p);
  p = json::skip_space(p);
  if (!check_line(p))
    return false;
  if (stored_ != builder_.width() && !store_missing())
    return false;
  if (!builder_.check_time())
    return false;
  builder_.commit(number_);
  pass_line(p);
  return true;
}

bool json_reader::choose(const std::vector<candidate>& found, std::int32_t column,
                         const candidate*& chosen) {
  chosen = nullptr;
  const auto& name = options_.columns[static_cast<std::size_t>(column)].name;
  for (const auto& x : found) {
    if (x.column != column)
      continue;
    if (chosen != nullptr && chosen->exact == x.exact) {
      problem_ = {name, x.exact ? "the record has the field twice"
                                : "the record has two fields that can be meant: \""
                                      + shown(chosen->name) + "\" and \"" + shown(x.name) + "\""};
      // A field of the very name may still come.
      if (x.exact)
        return false;
      continue;
    }
    if (chosen == nullptr || x.exact)
      chosen = &x;
  }
  if (chosen != nullptr && chosen->exact)
    problem_ = {};
  return problem_.message.empty();
}

// For records where a column's value can be meant by several fields: first all names, then the
// values.
bool json_reader::read_carefully() {
  std::vector<candidate> found;
  problem_ = {};
  complaint_ = {};
  static_cast<void>(builder_.take_problem());
  builder_.restart_row();
  std::size_t expected = 0;
  const char* p = object_ != nullptr ? object_ : json::skip_space(at_);
  p = json::skip_space(p + 1);
  while (*p != '}') {
    known_name* name = nullptr;
    p = read_name(p, expected, name);
    if (p == nullptr)
      return false;
    p = json::skip_space(p);
    if (*p != ':') {
      json::complain(complaint_, p, "a colon");
      return false;
    }
    p = json::skip_space(p + 1);
    if (name->column >= 0)
      found.push_back({name->column, name->exact, name->text.substr(1, name->text.size() - 2), p});
    p = json::skip_value(p, high_, complaint_);
    if (p == nullptr)
      return false;
    p = json::skip_space(p);
    if (*p == ',' && *json::skip_space(p + 1) == '"') {
      p = json::skip_space(p + 1);
    } else if (*p != '}') {
      json::complain(complaint_, p, "a comma and the name of a field, or a closing brace");
      return false;
    }
  }
  stored_ = 0;
  ++stamp_;
  for (std::int32_t c = 0; c < static_cast<std::int32_t>(builder_.width()); ++c) {
    const candidate* chosen = nullptr;
    if (!choose(found, c, chosen))
      return false;
    if (chosen == nullptr)
      continue;
    seen_[static_cast<std::size_t>(c)] = stamp_;
    ++stored_;
    if (read_value(builder_, builder_.slot(static_cast<std::uint32_t>(c)), chosen->value)
        == nullptr)
      return false;
  }
  return finish_record(p + 1);
}

bool json_reader::read_record(const char* p) {
  ++stamp_;
  stored_ = 0;
  high_ = false;
  several_ = false;
  if (*p != '{') {
    if (json::skip_value(p, high_, complaint_) != nullptr) {
      complaint_ = {};
      json::complain(complaint_, p, "an object");
    }
    return false;
  }
  if (options_.changes)
    return read_change(p);
  return read_members(p) || (several_ && read_carefully());
}

// The one thing to say of the bad record, of the places that may have something to say.
void json_reader::note_problem() {
  if (!complaint_.message.empty()) {
    problem_ = {{}, std::move(complaint_.message)};
  } else if (auto value = builder_.take_problem(); !value.message.empty()) {
    problem_ = std::move(value);
  }
  complaint_ = {};
}

json_reader::progress json_reader::parse(std::uint32_t rows) {
  const auto* last = static_cast<const char*>(
      at_ == end_ ? nullptr : memrchr(at_, '\n', static_cast<std::size_t>(end_ - at_)));
  if (last == nullptr)
    return progress::incomplete;
  while (builder_.rows() < rows) {
    if (at_ > last)
      return progress::incomplete;
    const char* p = json::skip_space(at_);
    problem_ = {};
    if (*p == '\n') {
      const std::string_view blank(at_, static_cast<std::size_t>(p + 1 - at_));
      if (!over_limit(blank)) {
        at_ += blank.size();
        ++line_;
        ++number_;
        continue;
      }
    } else if (read_record(p)) {
      continue;
    }
    note_problem();
    const char* end = find_end(at_, end_, true);
    const std::string_view raw(at_, static_cast<std::size_t>(end - at_));
    if (over_limit(raw))
      problem_ = too_long();
    if (!reject(raw, std::move(problem_)))
      return progress::failed;
    ++line_;
    ++number_;
    at_ += raw.size();
  }
  return progress::full;
}

} // namespace ebb
