#include "schemas/link_codec.hpp"

#include "schemas/link_parts.hpp"

#include <algorithm>
#include <cstring>
#include <memory>
#include <utility>

namespace ebb {

namespace link_wire {

void write(wire::LinkError::Builder to, const error& x) {
  to.setCode(static_cast<std::uint8_t>(x.code));
  to.setMessage(text(x.message));
  to.setFile(text(x.place.file));
  to.setLine(x.place.line);
  to.setColumn(x.place.column);
  to.setField(text(x.place.field));
  to.setHint(text(x.hint));
  to.setExcerpt(text(x.excerpt));
  to.setHasRow(x.row.has_value());
  to.setRow(x.row.value_or(0));
}

error read(wire::LinkError::Reader from) {
  error x;
  x.code = choice(from.getCode(), ec::internal);
  x.message = text(from.getMessage());
  x.place = {text(from.getFile()), from.getLine(), from.getColumn(), text(from.getField())};
  x.hint = text(from.getHint());
  x.excerpt = text(from.getExcerpt());
  if (from.getHasRow())
    x.row = from.getRow();
  return x;
}

} // namespace link_wire

namespace {

using namespace std::string_literals;
using link_wire::choice;
using link_wire::count;
using link_wire::read;
using link_wire::read_texts;
using link_wire::write;
using link_wire::write_texts;

std::optional<error> read_problem(bool there, wire::LinkError::Reader from) {
  return there ? std::optional(read(from)) : std::nullopt;
}

// --- parts ---------------------------------------------------------------------------------------

void write(wire::LinkHosted::Builder to, const hosted_stream& x) {
  to.setUid(text(x.uid));
  to.setPlacement(x.placement);
  to.setGeneration(x.generation);
}

void read(wire::LinkHosted::Reader from, hosted_stream& x) {
  x = {text(from.getUid()), from.getPlacement(), from.getGeneration()};
}

void write(wire::LinkHosted::Builder to, const stream_placement& x) {
  to.setUid(text(x.uid));
  to.setPlacement(x.placement);
}

void read(wire::LinkHosted::Reader from, stream_placement& x) {
  x = {text(from.getUid()), from.getPlacement()};
}

void write(wire::LinkHosted::Builder to, const refused_stream& x) {
  to.setUid(text(x.uid));
  to.setPlacement(x.placement);
  to.setReason(text(x.reason));
}

void read(wire::LinkHosted::Reader from, refused_stream& x) {
  x = {text(from.getUid()), from.getPlacement(), text(from.getReason())};
}

void write(wire::LinkCounts::Builder to, const link_source_report& x) {
  to.setName(text(x.name));
  to.setFirst(x.rows);
  to.setSecond(x.bytes);
  to.setThird(x.bad_rows);
}

void read(wire::LinkCounts::Reader from, link_source_report& x) {
  x = {text(from.getName()), from.getFirst(), from.getSecond(), from.getThird()};
}

void write(wire::LinkCounts::Builder to, const link_operator_report& x) {
  to.setName(text(x.name));
  to.setFirst(x.rows_in);
  to.setSecond(x.rows_out);
  to.setThird(x.late_rows);
  to.setFourth(x.state_bytes);
}

void read(wire::LinkCounts::Reader from, link_operator_report& x) {
  x = {text(from.getName()), from.getFirst(), from.getSecond(), from.getThird(), from.getFourth()};
}

void write(wire::LinkCounts::Builder to, const link_sink_report& x) {
  to.setName(text(x.name));
  to.setFirst(x.rows);
  to.setSecond(x.bytes);
}

void read(wire::LinkCounts::Reader from, link_sink_report& x) {
  x = {text(from.getName()), from.getFirst(), from.getSecond()};
}

void write(wire::LinkPosition::Builder to, const read_position& x) {
  to.setSource(text(x.source));
  to.setPartition(x.partition);
  to.setOffset(x.offset);
}

void read(wire::LinkPosition::Reader from, read_position& x) {
  x = {text(from.getSource()), from.getPartition(), from.getOffset()};
}

void write(wire::LinkField::Builder to, const std::pair<std::string, std::string>& x) {
  to.setName(text(x.first));
  to.setValue(text(x.second));
}

void read(wire::LinkField::Reader from, std::pair<std::string, std::string>& x) {
  x = {text(from.getName()), text(from.getValue())};
}

template <class List, class T>
void write_all(List to, const std::vector<T>& from) {
  for (capnp::uint i = 0; i < to.size(); ++i)
    write(to[i], from[i]);
}

template <class List, class T>
void read_all(List from, std::vector<T>& to) {
  to.resize(from.size());
  for (capnp::uint i = 0; i < from.size(); ++i)
    read(from[i], to[i]);
}

// --- messages ------------------------------------------------------------------------------------

void write(wire::LinkHello::Builder to, const worker_hello& x) {
  to.setVersion(text(x.version));
  to.setPid(x.pid);
  to.setName(text(x.name));
  to.setSession(x.session);
  write_all(to.initHosted(count(x.hosted)), x.hosted);
}

worker_hello read(wire::LinkHello::Reader from) {
  worker_hello x;
  x.version = text(from.getVersion());
  x.pid = from.getPid();
  x.name = text(from.getName());
  x.session = from.getSession();
  read_all(from.getHosted(), x.hosted);
  return x;
}

void write(wire::LinkStarted::Builder to, const stream_started& x) {
  to.setUid(text(x.uid));
  to.setPlacement(x.placement);
  to.setGeneration(x.generation);
  write_texts(to.initNotes(count(x.notes)), x.notes);
}

stream_started read(wire::LinkStarted::Reader from) {
  return {text(from.getUid()), from.getPlacement(), from.getGeneration(),
          read_texts(from.getNotes())};
}

void write(wire::LinkStatus::Builder to, const stream_status& x) {
  to.setUid(text(x.uid));
  to.setPlacement(x.placement);
  to.setBusy(x.busy);
  to.setActivity(x.activity);
  to.setNextTimer(x.next_timer);
  to.setWatermark(x.watermark);
  to.setStateBytes(x.state_bytes);
  write_all(to.initSources(count(x.sources)), x.sources);
  write_all(to.initOperators(count(x.operators)), x.operators);
  write_all(to.initSinks(count(x.sinks)), x.sinks);
  write_all(to.initPositions(count(x.positions)), x.positions);
  to.setCompleted(x.checkpoints.completed);
  to.setFailed(x.checkpoints.failed);
  to.setLast(x.checkpoints.last);
  to.setLongest(x.checkpoints.longest);
  to.setAlarm(text(x.checkpoints.alarm));
}

stream_status read(wire::LinkStatus::Reader from) {
  stream_status x;
  x.uid = text(from.getUid());
  x.placement = from.getPlacement();
  x.busy = from.getBusy();
  x.activity = from.getActivity();
  x.next_timer = from.getNextTimer();
  x.watermark = from.getWatermark();
  x.state_bytes = from.getStateBytes();
  read_all(from.getSources(), x.sources);
  read_all(from.getOperators(), x.operators);
  read_all(from.getSinks(), x.sinks);
  read_all(from.getPositions(), x.positions);
  x.checkpoints = {from.getCompleted(), from.getFailed(), from.getLast(), from.getLongest(),
                   text(from.getAlarm())};
  return x;
}

void write(wire::LinkEnded::Builder to, const stream_ended& x) {
  to.setUid(text(x.uid));
  to.setPlacement(x.placement);
  to.setCut(x.cut);
  to.setFinished(x.finished);
  if (x.problem)
    write(to.initProblem(), *x.problem);
  to.setNextTimer(x.next_timer);
  write_all(to.initPositions(count(x.positions)), x.positions);
}

stream_ended read(wire::LinkEnded::Reader from) {
  stream_ended x;
  x.uid = text(from.getUid());
  x.placement = from.getPlacement();
  x.cut = from.getCut();
  x.finished = from.getFinished();
  x.problem = read_problem(from.hasProblem(), from.getProblem());
  x.next_timer = from.getNextTimer();
  read_all(from.getPositions(), x.positions);
  return x;
}

void write(wire::LinkLogLine::Builder to, const log_line& x) {
  to.setUid(text(x.uid));
  to.setLevel(static_cast<std::uint8_t>(x.level));
  to.setTime(x.time);
  to.setText(text(x.text));
  write_all(to.initFields(count(x.fields)), x.fields);
}

log_line read(wire::LinkLogLine::Reader from) {
  log_line x;
  x.uid = text(from.getUid());
  x.level = choice(from.getLevel(), log_level::error);
  x.time = from.getTime();
  x.text = text(from.getText());
  read_all(from.getFields(), x.fields);
  return x;
}

void write(wire::LinkWatch::Builder to, const topic_watch& x) {
  to.setUid(text(x.uid));
  to.setOn(x.on);
}

topic_watch read(wire::LinkWatch::Reader from) {
  return {text(from.getUid()), from.getOn()};
}

void write(wire::LinkMade::Builder to, const savepoint_made& x) {
  to.setId(x.id);
  to.setEpoch(x.epoch);
  if (x.problem)
    write(to.initProblem(), *x.problem);
}

savepoint_made read(wire::LinkMade::Reader from) {
  return {from.getId(), from.getEpoch(), read_problem(from.hasProblem(), from.getProblem())};
}

void write(wire::LinkWelcome::Builder to, const control_welcome& x) {
  to.setIncarnation(x.incarnation);
  write_all(to.initAccepted(count(x.accepted)), x.accepted);
  write_all(to.initRefused(count(x.refused)), x.refused);
}

control_welcome read(wire::LinkWelcome::Reader from) {
  control_welcome x;
  x.incarnation = from.getIncarnation();
  read_all(from.getAccepted(), x.accepted);
  read_all(from.getRefused(), x.refused);
  return x;
}

void write(wire::LinkStart::Builder to, const start_stream& x) {
  to.setUid(text(x.uid));
  to.setPlacement(x.placement);
  to.setName(text(x.name));
  to.setNameSpace(text(x.name_space));
  to.setFolder(text(x.folder));
  to.setDataFolder(text(x.data_folder));
  to.setManifest(text(x.manifest));
  to.setParallelism(x.parallelism);
  to.setSavepoint(text(x.savepoint));
  to.setPastOutput(static_cast<std::uint8_t>(x.past_output));
}

start_stream read(wire::LinkStart::Reader from) {
  start_stream x;
  x.uid = text(from.getUid());
  x.placement = from.getPlacement();
  x.name = text(from.getName());
  x.name_space = text(from.getNameSpace());
  x.folder = text(from.getFolder());
  x.data_folder = text(from.getDataFolder());
  x.manifest = text(from.getManifest());
  x.parallelism = from.getParallelism();
  x.savepoint = text(from.getSavepoint());
  x.past_output = choice(from.getPastOutput(), link_past_output::keep);
  return x;
}

void write(wire::LinkStop::Builder to, const stop_stream& x) {
  to.setUid(text(x.uid));
  to.setPlacement(x.placement);
  to.setKill(x.kill);
}

stop_stream read(wire::LinkStop::Reader from) {
  return {text(from.getUid()), from.getPlacement(), from.getKill()};
}

void write(wire::LinkSavepoint::Builder to, const savepoint_stream& x) {
  to.setId(x.id);
  to.setUid(text(x.uid));
  to.setPlacement(x.placement);
  to.setName(text(x.name));
}

savepoint_stream read(wire::LinkSavepoint::Reader from) {
  return {from.getId(), text(from.getUid()), from.getPlacement(), text(from.getName())};
}

struct message_writer {
  wire::LinkMessage::Builder to;
  const std::vector<buffer_ptr>& rows;

  void operator()(const heartbeat& x) {
    to.setHeartbeat(x.number);
  }

  void operator()(const worker_hello& x) {
    write(to.initHello(), x);
  }

  void operator()(const stream_started& x) {
    write(to.initStarted(), x);
  }

  void operator()(const stream_status& x) {
    write(to.initStatus(), x);
  }

  void operator()(const stream_ended& x) {
    write(to.initEnded(), x);
  }

  void operator()(const log_line& x) {
    write(to.initLogLine(), x);
  }

  void operator()(const topic_watch& x) {
    write(to.initWatch(), x);
  }

  void operator()(const link_call& x) {
    write(to.initCall(), x, rows);
  }

  void operator()(const savepoint_made& x) {
    write(to.initSavepointMade(), x);
  }

  void operator()(const control_welcome& x) {
    write(to.initWelcome(), x);
  }

  void operator()(const start_stream& x) {
    write(to.initStart(), x);
  }

  void operator()(const stop_stream& x) {
    write(to.initStop(), x);
  }

  void operator()(const savepoint_stream& x) {
    write(to.initSavepoint(), x);
  }

  void operator()(const topic_moved& x) {
    to.setMoved(text(x.uid));
  }

  void operator()(const call_answer& x) {
    write(to.initAnswer(), x);
  }

  void operator()(const worker_shutdown&) {
    to.setShutdown();
  }
};

result<link_message> read(wire::LinkMessage::Reader from) {
  using wire_message = wire::LinkMessage;
  if (from.getVersion() != link_protocol)
    return make_error(ec::unsupported,
                      "the other side of the link speaks version "
                          + std::to_string(from.getVersion()) + " of its messages, this one "
                          + std::to_string(link_protocol),
                      "control process and workers must be of one version of ebb");
  switch (from.which()) {
  case wire_message::HEARTBEAT:
    return link_message{heartbeat{from.getHeartbeat()}};
  case wire_message::HELLO:
    return link_message{read(from.getHello())};
  case wire_message::STARTED:
    return link_message{read(from.getStarted())};
  case wire_message::STATUS:
    return link_message{read(from.getStatus())};
  case wire_message::ENDED:
    return link_message{read(from.getEnded())};
  case wire_message::LOG_LINE:
    return link_message{read(from.getLogLine())};
  case wire_message::WATCH:
    return link_message{read(from.getWatch())};
  case wire_message::CALL:
    return link_message{read(from.getCall())};
  case wire_message::SAVEPOINT_MADE:
    return link_message{read(from.getSavepointMade())};
  case wire_message::WELCOME:
    return link_message{read(from.getWelcome())};
  case wire_message::START:
    return link_message{read(from.getStart())};
  case wire_message::STOP:
    return link_message{read(from.getStop())};
  case wire_message::SAVEPOINT:
    return link_message{read(from.getSavepoint())};
  case wire_message::MOVED:
    return link_message{topic_moved{text(from.getMoved())}};
  case wire_message::ANSWER:
    return link_message{read(from.getAnswer())};
  case wire_message::SHUTDOWN:
    return link_message{worker_shutdown{}};
  }
  return make_error(ec::unsupported, "the other side of the link sent a message of unknown kind",
                    "control process and workers must be of one version of ebb");
}

// --- bytes ---------------------------------------------------------------------------------------

constexpr std::size_t word_bytes = sizeof(capnp::word);
constexpr std::size_t table_bytes = word_bytes; ///< of a message with one segment

// Builds in a buffer, behind room for the segment table. What does not fit goes elsewhere, and the
// message has to be built again with more room.
class buffer_builder final : public capnp::MessageBuilder {
public:
  explicit buffer_builder(std::size_t words)
      : words_(words), bytes_(buffer_ptr::make(table_bytes + words * word_bytes)) {
    std::memset(bytes_.as<std::byte>(), 0, table_bytes + words * word_bytes);
  }

  kj::ArrayPtr<capnp::word> allocateSegment(capnp::uint minimum) override {
    if (!std::exchange(used_, true) && minimum <= words_)
      return {bytes_.as<capnp::word>() + 1, words_};
    const auto size = std::max<std::size_t>(minimum, words_);
    overflow_.push_back(std::make_unique<capnp::word[]>(size));
    std::memset(static_cast<void*>(overflow_.back().get()), 0, size * word_bytes);
    return {overflow_.back().get(), size};
  }

  // The message, where it lies in one segment.
  [[nodiscard]] std::optional<buffer_ptr> take() {
    const auto segments = getSegmentsForOutput();
    if (segments.size() != 1 || !overflow_.empty())
      return std::nullopt;
    const auto words = static_cast<std::uint32_t>(segments[0].size());
    std::memcpy(bytes_.as<std::byte>() + sizeof words, &words, sizeof words);
    return buffer_ptr::part(bytes_, 0, table_bytes + words * word_bytes);
  }

private:
  std::size_t words_;
  buffer_ptr bytes_;
  bool used_ = false;
  std::vector<std::unique_ptr<capnp::word[]>> overflow_;
};

error unsound() {
  return make_error(ec::corrupt, "the other side of the link sent bytes that are no message",
                    "only control process and workers of ebb may use the link");
}

} // namespace

buffer_ptr encode(const link_message& x) {
  constexpr std::size_t small_words = 128;
  std::vector<buffer_ptr> rows;
  if (const auto* call = std::get_if<link_call>(&x))
    rows = link_wire::encode_rows(call->operation);
  auto words = small_words;
  for (const auto& part : rows)
    words += part.size() / word_bytes + small_words;
  for (;;) {
    buffer_builder builder(words);
    auto root = builder.initRoot<wire::LinkMessage>();
    root.setVersion(link_protocol);
    std::visit(message_writer{root, rows}, x);
    if (auto bytes = builder.take())
      return *std::move(bytes);
    words = builder.sizeInWords() + small_words;
  }
}

result<link_message> decode_link_message(const buffer_ptr& bytes, std::size_t size) {
  std::uint32_t table[2] = {};
  if (size < table_bytes || size > bytes.size() || size % word_bytes != 0)
    return unsound();
  std::memcpy(table, bytes.as<std::byte>(), sizeof table);
  if (table[0] != 0 || table[1] != size / word_bytes - 1)
    return unsound();
  try {
    const kj::ArrayPtr<const capnp::word> segment{bytes.as<const capnp::word>() + 1, table[1]};
    capnp::ReaderOptions options;
    options.traversalLimitInWords = segment.size() * 2 + 1024;
    options.nestingLimit = 16;
    const kj::ArrayPtr<const capnp::word> segments[] = {segment};
    capnp::SegmentArrayMessageReader reader{segments, options};
    return read(reader.getRoot<wire::LinkMessage>());
  } catch (const kj::Exception&) {
    return unsound();
  }
}

} // namespace ebb
