#include "actors/connectors/csv_reader.hpp"

#include "actors/connectors/file_names.hpp"
#include "actors/connectors/file_utf8.hpp"

#include <algorithm>
#include <cstring>
#include <utility>

namespace ebb {

namespace {

constexpr const char* nul_message = "invalid byte sequence for encoding \"UTF8\": 0x00";

std::size_t distance(const char* from, const char* to) noexcept {
  return static_cast<std::size_t>(to - from);
}

constexpr std::size_t shown_bytes = 60;

// What stands at `p`, up to the line's end; long lines are cut.
std::string_view line_start(const char* p, const char* end) noexcept {
  const std::string_view text(p, std::min(shown_bytes, distance(p, end)));
  return text.substr(0, text.find('\n'));
}

const char* line_feed(const char* from, const char* to) noexcept {
  return static_cast<const char*>(std::memchr(from, '\n', distance(from, to)));
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
  if (to_line_end_) {
    const char* p = line_feed(from, to);
    return p == nullptr ? nullptr : p + 1;
  }
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
    if (c == options_.delimiter) {
      place_ = place::field_start;
    } else if (c == '"' && place_ != place::unquoted) {
      if (place_ == place::field_start)
        opened_ = p;
      place_ = place::quoted;
    } else {
      place_ = place::unquoted;
    }
  }
  return nullptr;
}

csv_reader::outcome csv_reader::bad(std::string message, std::string field) {
  return bad(value_problem{std::move(field), std::move(message)});
}

csv_reader::outcome csv_reader::bad(value_problem problem) {
  problem_ = std::move(problem);
  bad_quote_ = nullptr;
  return outcome::bad;
}

csv_reader::outcome csv_reader::bad_quoted(std::string message, const char* open,
                                           const char* where) {
  problem_ = {{}, std::move(message), lines_before(open)};
  bad_quote_ = open;
  bad_place_ = where;
  return outcome::bad;
}

std::uint64_t csv_reader::lines_before(const char* p) const noexcept {
  return static_cast<std::uint64_t>(std::count<const char*>(at_, p, '\n'));
}

csv_reader::outcome csv_reader::read_quoted(char* p, raw_field& out) {
  bool doubled = false;
  const char* q = p + 1;
  for (;; q += 2) {
    q = scan::find_quote(q, end_, high_);
    if (end_ - q < 2)
      return outcome::incomplete;
    if (*q != '"')
      return bad_quoted(nul_message, p, q);
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
    return bad_quoted("text behind the closing quote of a field: "
                          + shown(line_start(q + 1, end_)),
                      p, q);
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
  return bad(builder_.take_problem());
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
  if (over_limit(text))
    return bad(too_long());
  if (!builder_.check_time())
    return bad(builder_.take_problem());
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

// Deals with a record that was not read. All that is decided here follows from the text, not from
// how much of it has come: for that a record is looked at as far as it may reach.
csv_reader::progress csv_reader::leave_out(outcome read) {
  const auto most = options_.max_record + 2; // with its line end
  const bool all = ended_ || distance(at_, end_) >= most;
  if (!all && read == outcome::incomplete)
    return progress::incomplete;
  char* const limit = distance(at_, end_) > most ? at_ + most : end_;
  if (limit != end_) {
    const auto behind = std::exchange(end_, limit);
    builder_.restart_row();
    scanner_.seek(at_, end_);
    read = read_record();
    end_ = behind;
  }
  if (read == outcome::bad && bad_quote_ != nullptr)
    if (const char* feed = line_feed(bad_quote_, bad_place_); feed != nullptr) {
      // The message shows what follows.
      if (!all && distance(bad_place_, end_) <= shown_bytes
          && line_feed(bad_place_, end_) == nullptr)
        return progress::incomplete;
      return reject_at(feed + 1) ? progress::full : progress::failed;
    }
  const char* end = find_end(at_, limit, true);
  if (end == nullptr) {
    if (!all)
      return progress::incomplete;
    const bool open = place_ == place::quoted;
    const char* feed = line_feed(open ? opened_ : limit, end_);
    if (feed == nullptr) {
      to_line_end_ = true;
      return progress::incomplete;
    }
    if (open && read == outcome::incomplete)
      problem_ = {{},
                  distance(at_, limit) < most
                      ? "a quoted field is not closed before the end of the file"
                      : too_long().message + ": a quoted field is not closed",
                  lines_before(opened_)};
    end = feed + 1;
  }
  return reject_at(end) ? progress::full : progress::failed;
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
  to_line_end_ = false;
  scanner_.seek(at_, end_);
  while (builder_.rows() < rows) {
    if (at_ == end_)
      return progress::incomplete;
    if (skip_blank_line())
      continue;
    const auto read = read_record();
    if (read == outcome::done)
      continue;
    if (const auto left = leave_out(read); left != progress::full)
      return left;
  }
  return progress::full;
}

} // namespace ebb
