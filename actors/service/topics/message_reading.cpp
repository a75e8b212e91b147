#include "actors/service/topics/message_reading.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <limits>

namespace ebb {

namespace {

constexpr std::size_t piece_bytes = std::size_t{64} << 10;
// Who reads little is served with these, whoever else reads.
constexpr std::size_t first_piece_bytes = std::size_t{16} << 10;
constexpr std::uint32_t first_pieces = 2;
constexpr std::size_t units_a_step = 64; // while it counts
constexpr std::size_t named_positions = 64;
constexpr auto no_limit = std::numeric_limits<std::uint64_t>::max();

http_problem unknown_offset(const char* what, std::uint32_t partition, std::uint64_t offset,
                            const topic_bounds& bounds) {
  return make_problem(400, "offset-unknown",
                      fmt::format("partition {}: offset {} is {}; the oldest is {}, the next {}",
                                  partition, offset, what, bounds.begin, bounds.end),
                      "query.from", "use from=earliest or from=latest, or an offset that is there");
}

// Moves `to` behind the event with this id.
bool go_on_behind(std::string_view id, const std::vector<topic_bounds>& bounds,
                  std::vector<topic_cursor::position>& to) {
  std::vector<topic_cursor::position> behind;
  std::uint64_t offset = 0;
  const auto* end = id.data() + id.size();
  const auto parsed = std::from_chars(id.data(), end, offset);
  if (to.size() == 1 && parsed.ec == std::errc{} && parsed.ptr == end) {
    behind.push_back({to.front().partition, offset == no_limit ? offset : offset + 1});
  } else {
    auto all = parse_positions(id);
    if (!all || all->empty())
      return false;
    behind = *std::move(all);
  }
  for (auto& x : to) {
    const auto same = [&](const auto& y) { return y.partition == x.partition; };
    const auto at = std::find_if(behind.begin(), behind.end(), same);
    if (at == behind.end())
      return false;
    x.next = std::clamp(at->next, bounds[x.partition].begin, bounds[x.partition].end);
  }
  return true;
}

} // namespace

message_reading::message_reading(io_executor& io, std::shared_ptr<topic_host> of,
                                 std::shared_ptr<const http_request> request, http_reply reply,
                                 const message_metrics& metrics, std::function<void()> ended)
    : io_(io), of_(std::move(of)), request_(std::move(request)), metrics_(metrics),
      follow_(request_->query_number("follow", 0) != 0), topic_(of_->settings()),
      reply_(std::move(reply)),
      left_(static_cast<std::uint64_t>(request_->query_number("limit", 0))),
      ended_(std::move(ended)) {
  if (left_ == 0)
    left_ = no_limit;
  metrics_.following.add(1);
}

message_reading::~message_reading() {
  metrics_.following.add(-1);
}

void message_reading::start() {
  // What the reply holds must not hold the reply.
  reply_->on_closed([weak = weak_from_this()] {
    if (const auto self = weak.lock())
      self->stop();
  });
  poke(false);
}

void message_reading::stop() {
  {
    std::lock_guard guard(mutex_);
    stopped_ = true;
  }
  poke(true);
}

// --- jobs ----------------------------------------------------------------------------------------

void message_reading::poke(bool room) {
  {
    std::lock_guard guard(mutex_);
    if (room)
      blocked_ = false;
    if (blocked_)
      return;
    again_ = true;
    if (posted_)
      return;
    posted_ = true;
  }
  post();
}

bool message_reading::has_much() const noexcept {
  return stage_ == stage::counting || pieces_ >= first_pieces;
}

void message_reading::post() {
  io_.submit(of_->read_lane(bulk_), [self = shared_from_this()] { self->run(); });
}

void message_reading::run() {
  bool stopped = false;
  {
    std::lock_guard guard(mutex_);
    again_ = false;
    stopped = stopped_;
  }
  const auto next = stopped || stage_ == stage::done ? outcome::done : step();
  const bool much = has_much();
  if (next == outcome::done)
    return finish();
  auto stream = stream_; // another job may run as soon as the lock is given back
  bool more = next == outcome::more;
  {
    std::lock_guard guard(mutex_);
    bulk_ = much;
    more = more || stopped_ || (next == outcome::wait_for_rows && again_);
    posted_ = more;
    blocked_ = !more && next == outcome::wait_for_client;
  }
  if (more)
    return post();
  if (next == outcome::wait_for_client)
    stream->on_ready([weak = weak_from_this()] {
      if (const auto self = weak.lock())
        self->poke(true);
    });
}

void message_reading::finish() {
  stage_ = stage::done;
  reply_.reset();
  stream_.reset();
  cursor_.reset();
  counter_.reset();
  text_.reset();
  std::function<void()> ended;
  std::shared_ptr<void> watch;
  {
    std::lock_guard guard(mutex_);
    ended.swap(ended_);
    watch.swap(watch_);
    posted_ = false;
  }
  if (ended)
    ended();
}

message_reading::outcome message_reading::step() {
  switch (stage_) {
  case stage::beginning:
    return begin();
  case stage::counting:
    return count_on();
  case stage::sending:
    return send();
  case stage::done:
    break;
  }
  return outcome::done;
}

// --- where to begin ------------------------------------------------------------------------------

message_reading::outcome message_reading::begin() {
  if (follow_) {
    // Before the look at the ends: nothing is missed between them.
    auto watch = of_->watch([weak = weak_from_this()] {
      if (const auto self = weak.lock())
        self->poke(false);
    });
    std::lock_guard guard(mutex_);
    watch_ = std::move(watch);
  }
  const auto bounds = of_->bounds();
  if (!bounds)
    return give_up(bounds.error());
  if (const auto wrong = find_positions(*bounds)) {
    reply_->fail(*wrong);
    return outcome::done;
  }
  cursor_->extend(*bounds);
  const auto positions = cursor_->positions();
  if (!follow_ && positions.size() > 1 && left_ < cursor_->rows_left()) {
    counter_ = cursor_;
    counted_ = left_;
    stage_ = stage::counting;
    return outcome::more;
  }
  auto next = positions;
  if (!follow_)
    for (auto& x : next)
      x.next += std::min(left_, (*bounds)[x.partition].end - x.next);
  return open_stream(next);
}

std::optional<http_problem>
message_reading::find_positions(const std::vector<topic_bounds>& bounds) {
  const auto partitions = static_cast<std::uint32_t>(bounds.size());
  std::vector<topic_cursor::position> from;
  if (const auto* only = request_->query_value("partition")) {
    if (only->number >= partitions)
      return make_problem(400, "partition-unknown",
                          fmt::format("topic {} has no partition {}", topic_->name, only->number),
                          "query.partition",
                          partitions == 1 ? "it has one, number 0"
                                          : fmt::format("it has {}, numbered from 0", partitions));
    from.push_back({static_cast<std::uint32_t>(only->number), 0});
  } else {
    for (std::uint32_t p = 0; p < partitions; ++p)
      from.push_back({p, 0});
  }
  const auto* id = request_->header_value("Last-Event-ID");
  const auto* wish = request_->query_value("from");
  for (auto& x : from) {
    const auto& range = bounds[x.partition];
    x.next = range.begin;
    if (id != nullptr || wish == nullptr || wish->text == "earliest")
      continue;
    if (wish->text == "latest") {
      x.next = range.end;
      continue;
    }
    const auto offset = static_cast<std::uint64_t>(wish->number);
    if (from.size() == 1 && offset < range.begin)
      return unknown_offset("not there any more", x.partition, offset, range);
    if (from.size() == 1 && offset > range.end)
      return unknown_offset("behind the end", x.partition, offset, range);
    x.next = std::clamp(offset, range.begin, range.end);
  }
  if (id != nullptr && !go_on_behind(id->text, bounds, from))
    return make_problem(400, "header-invalid", "it is no id of an event of these partitions",
                        "header.Last-Event-ID", "leave it out, and say where with from");
  cursor_.emplace(std::move(from));
  return std::nullopt;
}

message_reading::outcome message_reading::count_on() {
  const auto read_rows = [this](auto... x) { return read(x...); };
  for (std::size_t i = 0; i < units_a_step && counted_ != 0; ++i) {
    const auto unit = counter_->next(read_rows, counted_);
    if (!unit)
      return give_up(unit.error());
    if (!*unit)
      break;
    counted_ -= (*unit)->rows.rows->rows;
    if (i + 1 == units_a_step && counted_ != 0)
      return outcome::more;
  }
  const auto next = counter_->positions();
  counter_.reset();
  return open_stream(next);
}

message_reading::outcome
message_reading::open_stream(const std::vector<topic_cursor::position>& next) {
  const http_headers headers = {{"Ebb-Next", position_text(next)}};
  if (request_->head) {
    reply_->send({200, request_->accept, {}, headers});
    return outcome::done;
  }
  message_text::form how;
  how.events = request_->accept == "text/event-stream";
  how.meta = request_->query_number("meta", 0) != 0;
  if (how.events)
    how.ids = next.size() == 1                 ? message_text::event_ids::offset
              : next.size() <= named_positions ? message_text::event_ids::positions
                                               : message_text::event_ids::none;
  text_.emplace(*topic_, how);
  stream_ = reply_->stream(200, request_->accept, headers);
  reply_.reset();
  stage_ = stage::sending;
  return outcome::more;
}

// --- rows ----------------------------------------------------------------------------------------

result<topic_slice> message_reading::read(std::uint32_t partition, std::uint64_t offset,
                                          const topic_read_limits& limits) {
  auto slice = of_->read(partition, offset, limits);
  if (slice || slice.error().code != ec::not_found)
    return slice;
  // Retention was faster: what is gone is passed over.
  EBB_ASSIGN(const auto bounds, of_->bounds());
  if (bounds[partition].begin <= offset)
    return slice;
  return of_->read(partition, bounds[partition].begin, limits);
}

result<std::string> message_reading::make_piece(std::uint64_t& rows) {
  const auto read_rows = [this](auto... x) { return read(x...); };
  std::string piece;
  const auto bytes = has_much() ? piece_bytes : first_piece_bytes;
  while (piece.size() < bytes && rows < left_) {
    EBB_ASSIGN(const auto unit, cursor_->next(read_rows, left_ - rows));
    if (!unit)
      break;
    EBB_TRY(text_->add(*unit, cursor_->positions(), piece));
    rows += unit->rows.rows->rows;
  }
  return piece;
}

message_reading::outcome message_reading::send() {
  if (left_ == 0 || (cursor_->at_end() && !follow_)) {
    stream_->end();
    return outcome::done;
  }
  if (cursor_->at_end()) {
    const auto bounds = of_->bounds();
    if (!bounds)
      return give_up(bounds.error());
    cursor_->extend(*bounds);
    if (cursor_->at_end()) {
      pieces_ = 0;
      return outcome::wait_for_rows;
    }
  }
  const auto before = cursor_->positions();
  std::uint64_t rows = 0;
  auto piece = make_piece(rows);
  if (!piece)
    return give_up(piece.error());
  const auto bytes = piece->size();
  switch (stream_->write(*std::move(piece))) {
  case http_stream::taken::all:
    left_ -= left_ == no_limit ? 0 : rows;
    ++pieces_;
    metrics_.rows_read.add(rows);
    metrics_.bytes_read.add(bytes);
    return outcome::more;
  case http_stream::taken::full:
    cursor_->rewind(before); // read again when there is room: nothing is held for slow readers
    return outcome::wait_for_client;
  case http_stream::taken::closed:
    break;
  }
  return outcome::done;
}

message_reading::outcome message_reading::give_up(const error& why) {
  if (reply_)
    reply_->fail(why);
  else if (of_->ended())
    stream_->end(); // the topic was deleted: that was all
  // Else the stream is cut when its handle goes, so that nobody takes a part for the whole.
  return outcome::done;
}

} // namespace ebb
