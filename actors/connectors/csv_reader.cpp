#include "actors/connectors/csv_reader.hpp"

#include "actors/connectors/file_names.hpp"
#include "actors/connectors/file_utf8.hpp"

#include <algorithm>
#include <cstring>

namespace ebb {

namespace {

constexpr const char* nul_message = "invalid byte sequence for encoding \"UTF8\": 0x00";

std::size_t distance(const char* from, const char* to) noexcept {
  return static_cast<std::size_t>(to - from);
}

// What stands at `p`, up to the line's end; long lines are cut.
std::string_view line_start(const char* p, const char* end) noexcept {
  const std::string_view text(p, std::min<std::size_t>(60, distance(p, end)));
  return text.substr(0, text.find('\n'));
}

// Doubled quotes become one.
std::size_t unquote(const char* from, std::size_t size, char* to) noexcept {
  char* out = to;
  for (std::size_t i = 0; i < size; ++i) {
    *out++ = from[i];
    if (from[i] == '"')
      ++i;
  }
  return distance(to, out);
}

} // namespace

csv_reader::csv_reader(parse_options options)
    : record_parser(std::move(options)), scanner_(options_.delimiter) {
  skippable_ = false;
  for (const auto& spelling : options_.null) {
    if (spelling.empty())
      empty_is_null_ = true;
    else
      nulls_.push_back(spelling);
    null_size_max_ = std::max(null_size_max_, spelling.size());
  }
}

const char* csv_reader::find_end(const char* from, const char* to, bool restart) {
  if (restart)
    place_ = place::field_start;
  for (const char* p = from; p < to; ++p) {
    const char c = *p;
    if (place_ == place::quoted) {
      if (c == '"')
        place_ = place::quote;
      continue;
    }
    if (c == '\n')
      return p + 1;
    if (c == options_.delimiter)
      place_ = place::field_start;
    else if (c == '"' && place_ != place::unquoted)
      place_ = place::quoted;
    else
      place_ = place::unquoted;
  }
  return nullptr;
}

csv_reader::outcome csv_reader::bad(std::string message, std::string field) {
  problem_ = {std::move(field), std::move(message)};
  return outcome::bad;
}

csv_reader::outcome csv_reader::read_quoted(char* p, raw_field& out) {
  bool doubled = false;
  const char* q = p + 1;
  for (;; q += 2) {
    q = scan::find_quote(q, end_, high_);
    if (end_ - q < 2)
      return outcome::incomplete;
    if (*q != '"')
      return bad(nul_message);
    if (q[1] != '"')
      break;
    doubled = true;
  }
  out.text = p + 1;
  out.size = distance(p + 1, q);
  inner_lines_ += static_cast<std::uint64_t>(std::count(out.text, q, '\n'));
  const char* behind = q + 1;
  if (*behind == '\r') {
    if (end_ - behind < 2)
      return outcome::incomplete;
    if (behind[1] == '\n')
      ++behind;
  }
  if (*behind != options_.delimiter && *behind != '\n')
    return bad("text behind the closing quote of a field: " + shown(line_start(q + 1, end_)));
  out.last = *behind;
  out.next = p + (behind + 1 - p);
  if (doubled) {
    char* copy = builder_.scratch(out.size);
    out.size = unquote(out.text, out.size, copy);
    out.text = copy;
  }
  scanner_.seek(out.next, end_);
  return outcome::done;
}

csv_reader::outcome csv_reader::read_plain(char* p, raw_field& out) {
  const char* e = scanner_.next();
  if (e == end_)
    return outcome::incomplete;
  out.text = p;
  out.size = distance(p, e);
  out.last = *e;
  out.next = p + out.size + 1;
  if (*e == '\n') {
    if (out.size != 0 && e[-1] == '\r')
      --out.size;
  } else if (*e != options_.delimiter) {
    if (*e == '\0')
      return bad(nul_message);
    return bad("a quote inside an unquoted field: " + shown(line_start(p, end_)));
  }
  return outcome::done;
}

bool csv_reader::is_null(const raw_field& x) const noexcept {
  if (x.size == 0)
    return empty_is_null_;
  if (x.size > null_size_max_)
    return false;
  return std::any_of(nulls_.begin(), nulls_.end(), [&](const std::string& spelling) {
    return std::string_view(x.text, x.size) == spelling;
  });
}

csv_reader::outcome csv_reader::store(std::size_t index, const raw_field& x, bool quoted) {
  auto& slot = builder_.slot(static_cast<std::uint32_t>(index));
  const bool done =
      !quoted && is_null(x) ? builder_.store_null(slot) : builder_.store_text(slot, x.text, x.size);
  if (done)
    return outcome::done;
  problem_ = builder_.take_problem();
  return outcome::bad;
}

csv_reader::outcome csv_reader::finish_record(char* next, std::size_t fields) {
  if (fields != meaning_.size())
    return bad("the record has " + std::to_string(fields) + (fields == 1 ? " field" : " fields")
               + ", the header has " + std::to_string(meaning_.size()));
  const std::string_view text(at_, distance(at_, next));
  if (high_ || scanner_.high()) {
    if (!is_utf8(text))
      return bad("invalid byte sequence for encoding \"UTF8\"");
    scanner_.clear_high();
  }
  if (over_limit(text)) {
    problem_ = too_long();
    return outcome::bad;
  }
  if (!builder_.check_time()) {
    problem_ = builder_.take_problem();
    return outcome::bad;
  }
  builder_.commit(number_++);
  line_ += 1 + inner_lines_;
  at_ = next;
  return outcome::done;
}

csv_reader::outcome csv_reader::read_record() {
  char* p = at_;
  inner_lines_ = 0;
  high_ = false;
  for (std::size_t fields = 0;; ++fields) {
    if (p == end_)
      return outcome::incomplete;
    raw_field x;
    const bool quoted = *p == '"';
    const auto read = quoted ? read_quoted(p, x) : read_plain(p, x);
    if (read != outcome::done)
      return read;
    if (fields == meaning_.size())
      return bad("the record has more fields than the header, which has "
                 + std::to_string(meaning_.size()));
    if (meaning_[fields] >= 0)
      if (const auto stored = store(static_cast<std::size_t>(meaning_[fields]), x, quoted);
          stored != outcome::done)
        return stored;
    p = x.next;
    if (x.last == '\n')
      return finish_record(p, fields + 1);
  }
}

bool csv_reader::skip_blank_line() {
  if (meaning_.size() == 1)
    return false;
  if (*at_ != '\n' && (*at_ != '\r' || end_ - at_ < 2 || at_[1] != '\n'))
    return false;
  at_ += *at_ == '\n' ? 1 : 2;
  ++line_;
  scanner_.seek(at_, end_);
  return true;
}

// Leaves out the record at at_, or fails.
bool csv_reader::reject_at(const char* end) {
  const std::string_view raw(at_, distance(at_, end));
  if (over_limit(raw))
    problem_ = too_long();
  if (!reject(raw, std::move(problem_)))
    return false;
  line_ += static_cast<std::uint64_t>(std::count(raw.begin(), raw.end(), '\n'));
  ++number_;
  at_ += raw.size();
  scanner_.seek(at_, end_);
  scanner_.clear_high();
  return true;
}

csv_reader::progress csv_reader::read_header() {
  const char* end = find_end(at_, end_, true);
  if (end == nullptr && (!ended_ || at_ == end_))
    return progress::incomplete;
  if (over_limit({at_, distance(at_, end == nullptr ? end_ : end)})) {
    fail_file(too_long(), "raise maxRecord if the file is right");
    return progress::failed;
  }
  std::vector<std::string> names;
  scanner_.seek(at_, end_);
  inner_lines_ = 0;
  high_ = false;
  for (char* p = at_;;) {
    raw_field x;
    const auto read = p == end_   ? outcome::incomplete
                      : *p == '"' ? read_quoted(p, x)
                                  : read_plain(p, x);
    if (read != outcome::done) {
      if (read == outcome::incomplete)
        problem_.message = "a quoted name in the header is not closed";
      fail_file(std::move(problem_), "the first line must name the columns");
      return progress::failed;
    }
    names.emplace_back(x.text, x.size);
    p = x.next;
    if (x.last == '\n')
      break;
  }
  if (!is_utf8({at_, distance(at_, end)})) {
    fail_file({{}, "the header is not UTF-8"}, "convert the file to UTF-8");
    return progress::failed;
  }
  auto meaning = match_header(names, options_.columns);
  if (!meaning) {
    fail_file({meaning.error().place.field, meaning.error().message}, meaning.error().hint);
    return progress::failed;
  }
  meaning_ = *std::move(meaning);
  have_header_ = true;
  skippable_ = true;
  line_ += 1 + inner_lines_;
  at_ += end - at_;
  note_header();
  return progress::full;
}

result<void> csv_reader::reread_header() {
  if (read_header() == progress::full && at_ == end_)
    return {};
  if (failure_)
    return *failure_;
  return make_error(ec::corrupt, options_.file + ": the header was changed",
                    "put the file back as it was, or start over with --from fresh");
}

csv_reader::progress csv_reader::parse(std::uint32_t rows) {
  if (!have_header_)
    if (const auto done = read_header(); done != progress::full)
      return done;
  scanner_.seek(at_, end_);
  while (builder_.rows() < rows) {
    if (at_ == end_)
      return progress::incomplete;
    if (skip_blank_line())
      continue;
    const auto read = read_record();
    if (read == outcome::done)
      continue;
    const char* end = nullptr;
    if (read == outcome::bad)
      end = find_end(at_, end_, true);
    else if (ended_)
      problem_ = {{}, "a quoted field is not closed before the end of the file"};
    if (end == nullptr) {
      if (!ended_)
        return progress::incomplete;
      end = end_;
    }
    if (!reject_at(end))
      return progress::failed;
  }
  return progress::full;
}

} // namespace ebb
