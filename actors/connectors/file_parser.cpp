#include "actors/connectors/file_parser.hpp"

#include "schemas/assert.hpp"

#include <algorithm>
#include <cstring>

namespace ebb {

namespace {

std::string_view without_line_end(std::string_view raw) noexcept {
  if (!raw.empty() && raw.back() == '\n')
    raw.remove_suffix(1);
  if (!raw.empty() && raw.back() == '\r')
    raw.remove_suffix(1);
  return raw;
}

std::uint64_t count_lines(const char* from, const char* to) noexcept {
  return static_cast<std::uint64_t>(std::count(from, to, '\n'));
}

} // namespace

record_parser::record_parser(parse_options options)
    : options_(std::move(options)),
      builder_(options_.columns, options_.unit, options_.batch_rows + (options_.changes ? 1 : 0)),
      origin_(std::make_shared<const std::string>("source " + options_.source + ", file "
                                                  + options_.file)) {
  if (options_.time_column)
    builder_.watch_time(*options_.time_column);
}

result<void> record_parser::resume(const text_position& at, const byte_chunk& header,
                                   const text_trail& trail) {
  EBB_ASSERT(fed_ == 0 && !started_);
  if (header.size() != 0) {
    adopt(header);
    if (end_[-1] != '\n')
      *end_++ = '\n';
    if (end_ - at_ >= 3)
      skip_byte_order_mark();
    EBB_TRY(reread_header());
  }
  started_ = true;
  at_ = end_;
  trailed_ = at_;
  trail_ = trail;
  text_size_ = fed_ = at.offset;
  header_ = at.header;
  number_ = at.number;
  line_ = at.line;
  return {};
}

text_position record_parser::position() const {
  if (held_)
    return *held_;
  text_position x;
  // Without its header a text has not begun.
  if (!skippable_)
    return x;
  x.offset = offset();
  x.number = number_;
  x.line = line_;
  x.header = header_;
  auto trail = trail_;
  const auto artificial = at_ == end_ ? fed_ - text_size_ : 0;
  trail.add(trailed_, static_cast<std::size_t>(at_ - trailed_) - artificial);
  x.first_hash = trail.first_hash();
  x.last_hash = trail.last_hash();
  return x;
}

// Before at_ moves to other memory.
void record_parser::remember() {
  trail_.add(trailed_, static_cast<std::size_t>(at_ - trailed_));
}

void record_parser::adopt(const byte_chunk& chunk) {
  memory_ = chunk.memory;
  at_ = chunk.begin;
  end_ = chunk.end;
}

void record_parser::append(const byte_chunk& chunk) {
  const auto tail = static_cast<std::size_t>(end_ - at_);
  if (tail <= static_cast<std::size_t>(chunk.begin - chunk.memory.as<char>())) {
    // The common case: the unfinished record moves to the front of the new chunk.
    std::memcpy(chunk.begin - tail, at_, tail);
    memory_ = chunk.memory;
    at_ = chunk.begin - tail;
    end_ = chunk.end;
    return;
  }
  const byte_chunk own{memory_, at_, end_};
  if (static_cast<std::size_t>(own.limit() - end_) < chunk.size()) {
    const auto searched = searched_ == nullptr ? 0 : searched_ - at_;
    auto wider = make_chunk(2 * (tail + chunk.size()));
    std::memcpy(wider.begin, at_, tail);
    memory_ = wider.memory;
    at_ = wider.begin;
    end_ = at_ + tail;
    searched_ = at_ + searched;
  }
  std::memcpy(end_, chunk.begin, chunk.size());
  end_ += chunk.size();
}

void record_parser::feed(const byte_chunk& chunk) {
  EBB_ASSERT(!ended_ && builder_.rows() == 0);
  if (chunk.size() == 0)
    return;
  remember();
  if (at_ == end_)
    adopt(chunk);
  else
    append(chunk);
  trailed_ = at_;
  fed_ += chunk.size();
  text_size_ = fed_;
}

void record_parser::end_input() {
  EBB_ASSERT(builder_.rows() == 0);
  ended_ = true;
  // The last record may lack its line feed.
  if (at_ != end_ && end_[-1] != '\n') {
    *end_++ = '\n';
    ++fed_;
  }
}

namespace {

/// The ending of files that begin so; none of them is text.
std::string_view ending_of(std::string_view start) noexcept {
  if (start.starts_with("\x1f\x8b\x08"))
    return ".gz";
  return start.starts_with("\x28\xb5\x2f") ? ".zst" : std::string_view{};
}

} // namespace

bool record_parser::skip_byte_order_mark() {
  if (end_ - at_ < 3 && !ended_)
    return false;
  if (const auto ending = ending_of({at_, static_cast<std::size_t>(end_ - at_)}); !ending.empty()) {
    const bool gzip = ending == ".gz";
    fail_file({{}, std::string("this is a ") + (gzip ? "gzip" : "zstd") + " file"},
              "its name must end in " + std::string(ending) + " for it to be expanded: "
                  + std::string(shown(options_.file)) + std::string(ending));
    return false;
  }
  if (end_ - at_ >= 3 && std::memcmp(at_, "\xEF\xBB\xBF", 3) == 0)
    at_ += 3;
  started_ = true;
  return true;
}

batch_ptr record_parser::emit() {
  good_ += builder_.rows();
  builder_.keep(memory_);
  auto made = builder_.take(origin_);
  made->partition = options_.partition;
  made->partitions = options_.partitions;
  made->partitions_ended = options_.partitions_ended;
  complete(*made);
  return made;
}

// In a long record only the new bytes are searched for its end: parsing it again with every chunk
// would take time with the square of its length.
bool record_parser::search_on() {
  const bool found = find_end(searched_, end_, false) != nullptr;
  searched_ = end_;
  return found;
}

bool record_parser::reaches_limit() const noexcept {
  // The byte more is a carriage return that belongs to the line end.
  return static_cast<std::uint64_t>(end_ - at_) > options_.max_record + 1;
}

void record_parser::starve() {
  if (reaches_limit()) {
    start_discarding();
  } else if (mode_ == mode::normal && end_ - at_ > static_cast<std::ptrdiff_t>(chunk_headroom)) {
    mode_ = mode::long_record;
    find_end(at_, end_, true);
    searched_ = end_;
  }
}

void record_parser::start_discarding() {
  if (!skippable_) {
    fail_file(too_long(), "raise maxRecord if the file is right");
    return;
  }
  if (mode_ == mode::normal)
    find_end(at_, end_, true);
  held_ = position();
  mode_ = mode::discarding;
  discarded_raw_.clear();
  discarded_end_.clear();
  discarded_size_ = 0;
  note_discarded({at_, static_cast<std::size_t>(end_ - at_)});
  discarded_lines_ = count_lines(at_, end_);
  at_ = end_;
  if (options_.on_bad_record == bad_record_policy::fail)
    reject(discarded_raw_, too_long());
}

void record_parser::note_discarded(std::string_view bytes) {
  discarded_size_ += bytes.size();
  discarded_raw_ += bytes.substr(0, raw_bytes_max - discarded_raw_.size());
  discarded_end_ += bytes.substr(bytes.size() - std::min<std::size_t>(bytes.size(), 2));
  discarded_end_.erase(0, discarded_end_.size() - std::min<std::size_t>(discarded_end_.size(), 2));
}

// True when the record's end was found.
bool record_parser::discard() {
  const char* stop = find_end(at_, end_, false);
  const bool found = stop != nullptr || ended_;
  if (stop == nullptr)
    stop = end_;
  note_discarded({at_, static_cast<std::size_t>(stop - at_)});
  discarded_lines_ += count_lines(at_, stop);
  at_ += stop - at_;
  if (!found)
    return false;
  const auto line_end = discarded_end_.size() - without_line_end(discarded_end_).size();
  const auto length = discarded_size_ - line_end;
  const auto kept = std::min<std::uint64_t>(discarded_raw_.size(), length);
  reject_whole({discarded_raw_.data(), kept}, length, too_long());
  discarded_raw_ = {};
  ++number_;
  line_ += discarded_lines_;
  held_.reset();
  mode_ = mode::normal;
  return true;
}

result<record_parser::state> record_parser::next(std::uint32_t rows, batch_ptr& out) {
  rows = std::clamp<std::uint32_t>(rows, 1, options_.batch_rows);
  for (;;) {
    if (failure_)
      return *failure_;
    if (!started_ && !skip_byte_order_mark())
      return failure_ ? result<state>(*failure_) : result<state>(state::starving);
    if (mode_ == mode::discarding) {
      if (!discard())
        return state::starving;
      continue;
    }
    if (mode_ == mode::long_record) {
      if (!search_on() && !ended_ && !reaches_limit())
        return state::starving;
      mode_ = mode::normal;
    }
    const auto done = parse(rows);
    // Rows before a bad record are given out first: then the error comes at the same place however
    // the input was cut.
    if (builder_.rows() != 0) {
      out = emit();
      return state::batch;
    }
    if (done != progress::incomplete)
      continue;
    builder_.restart_row();
    if (ended_) {
      EBB_ASSERT(at_ == end_);
      return state::end;
    }
    starve();
    if (mode_ != mode::discarding)
      return failure_ ? result<state>(*failure_) : result<state>(state::starving);
  }
}

bool record_parser::reject(std::string_view raw, value_problem problem) {
  raw = without_line_end(raw);
  return reject_whole(raw, raw.size(), std::move(problem));
}

bool record_parser::reject_whole(std::string_view raw, std::uint64_t length,
                                 value_problem problem) {
  ++bad_;
  builder_.restart_row();
  if (options_.on_bad_record == bad_record_policy::skip)
    return true;
  error x = make_error(ec::bad_record, std::move(problem.message));
  x.place.file = options_.file;
  x.place.line =
      static_cast<std::uint32_t>(std::min<std::uint64_t>(line_ + problem.lines, UINT32_MAX));
  x.place.field = std::move(problem.field);
  if (options_.on_bad_record == bad_record_policy::quarantine) {
    quarantined_.push_back(
        {to_string(x), number_, std::string(raw.substr(0, raw_bytes_max)), length});
    return true;
  }
  x.hint = "correct the record, or give source " + options_.source
           + " onBadRecord: skip or onBadRecord: quarantine";
  failure_ = std::move(x);
  return false;
}

void record_parser::fail_file(value_problem problem, std::string hint) {
  error x = make_error(ec::bad_record, std::move(problem.message), std::move(hint));
  x.place.file = options_.file;
  x.place.line = static_cast<std::uint32_t>(std::min<std::uint64_t>(line_, UINT32_MAX));
  x.place.field = std::move(problem.field);
  failure_ = std::move(x);
}

value_problem record_parser::too_long() const {
  return {{},
          "the record is longer than " + std::to_string(options_.max_record)
              + " bytes (maxRecord)"};
}

bool record_parser::over_limit(std::string_view text) const noexcept {
  return text.size() > options_.max_record && without_line_end(text).size() > options_.max_record;
}

std::string shown(std::string_view text) {
  constexpr std::size_t most = 100;
  std::string out;
  std::size_t i = 0;
  while (i < text.size() && out.size() < most) {
    const auto c = static_cast<unsigned char>(text[i]);
    if (c < 0x20 || c == 0x7f) {
      constexpr const char* digits = "0123456789abcdef";
      if (c == '\n' || c == '\r' || c == '\t')
        out += c == '\n' ? "\\n" : c == '\r' ? "\\r" : "\\t";
      else
        out.append({'\\', 'x', digits[c >> 4], digits[c & 15]});
      ++i;
      continue;
    }
    const std::size_t length = c < 0x80 ? 1 : c >= 0xf0 ? 4 : c >= 0xe0 ? 3 : 2;
    bool whole = c < 0x80 || (c >= 0xc2 && c <= 0xf4 && i + length <= text.size());
    for (std::size_t k = 1; whole && k < length; ++k)
      whole = (static_cast<unsigned char>(text[i + k]) & 0xc0) == 0x80;
    // Spellings that are too long, halves of surrogate pairs, and what lies beyond U+10FFFF.
    const auto second = whole && length > 1 ? static_cast<unsigned char>(text[i + 1]) : 0U;
    if ((c == 0xe0 && second < 0xa0) || (c == 0xed && second > 0x9f) || (c == 0xf0 && second < 0x90)
        || (c == 0xf4 && second > 0x8f))
      whole = false;
    if (whole)
      out.append(text, i, length);
    else
      out += "\xEF\xBF\xBD";
    i += whole ? length : 1;
  }
  if (i < text.size())
    out += "…";
  return out;
}

} // namespace ebb
