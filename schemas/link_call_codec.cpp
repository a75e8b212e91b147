// Calls of workers and their answers.
#include "schemas/batch_codec.hpp"
#include "schemas/control_codec.hpp"
#include "schemas/link_parts.hpp"

#include <array>
#include <memory>
#include <utility>

namespace ebb::link_wire {

namespace {

// Bytes of another codec's message; none are no value.
capnp::Data::Reader bytes_of(const std::string& x) {
  return data(x);
}

template <class T>
T sound(result<T> x) {
  KJ_REQUIRE(static_cast<bool>(x), "a message within the message is not sound");
  return *std::move(x);
}

template <class List, class T>
void write_encoded(List to, const std::vector<T>& from) {
  for (capnp::uint i = 0; i < to.size(); ++i)
    to.set(i, bytes_of(encode(from[i])));
}

template <class T, class Decode>
std::vector<T> read_encoded(capnp::List<capnp::Data>::Reader from, const Decode& decode) {
  std::vector<T> all;
  all.reserve(from.size());
  for (const auto x : from)
    all.push_back(sound(decode(view(x))));
  return all;
}

template <class T>
std::string encode_if(const std::optional<T>& x) {
  return x ? encode(*x) : std::string{};
}

template <class T, class Decode>
std::optional<T> decode_if(capnp::Data::Reader from, const Decode& decode) {
  if (from.size() == 0)
    return std::nullopt;
  return sound(decode(view(from)));
}

// --- calls ---------------------------------------------------------------------------------------

void write(wire::LinkMark::Builder to, const link_mark& x) {
  to.setSink(text(x.sink));
  to.setGeneration(x.generation);
  to.setEpoch(x.epoch);
}

link_mark read(wire::LinkMark::Reader from) {
  return {text(from.getSink()), from.getGeneration(), from.getEpoch()};
}

void write_append(wire::LinkAppend::Builder to, const topic_append_call& x,
                  const std::vector<buffer_ptr>& rows) {
  auto parts = to.initParts(count(x.parts));
  for (capnp::uint i = 0; i < parts.size(); ++i) {
    parts[i].setRows({rows[i].as<const capnp::byte>(), rows[i].size()});
    const auto& from = x.parts[i].partitions;
    auto partitions = parts[i].initPartitions(count(from));
    for (capnp::uint k = 0; k < partitions.size(); ++k)
      partitions.set(k, from[k]);
  }
  if (x.producer) {
    auto producer = to.initProducer();
    producer.setProducer(text(x.producer->producer));
    producer.setEpoch(x.producer->epoch);
    producer.setFirstSequence(x.producer->first_sequence);
  }
  to.setKey(text(x.idempotency_key));
  if (x.mark)
    write(to.initMark(), *x.mark);
}

batch_ptr read_rows(capnp::Data::Reader from) {
  auto own = buffer_ptr::make(std::max<std::size_t>(1, from.size()));
  std::memcpy(own.as<std::byte>(), from.begin(), from.size());
  return std::make_shared<const batch>(sound(view_batch(own, from.size())));
}

topic_append_call read_append(std::string topic, wire::LinkAppend::Reader from) {
  topic_append_call x;
  x.topic = std::move(topic);
  for (const auto part : from.getParts()) {
    const auto partitions = part.getPartitions();
    auto& one = x.parts.emplace_back();
    one.rows = read_rows(part.getRows());
    one.partitions.reserve(partitions.size());
    for (const auto partition : partitions)
      one.partitions.push_back(partition);
  }
  if (from.hasProducer()) {
    const auto producer = from.getProducer();
    x.producer = link_producer{text(producer.getProducer()), producer.getEpoch(),
                               producer.getFirstSequence()};
  }
  x.idempotency_key = text(from.getKey());
  if (from.hasMark())
    x.mark = read(from.getMark());
  return x;
}

// Writes the arguments of an operation.
struct argument_writer {
  wire::LinkCall::Builder to;
  const std::vector<buffer_ptr>& rows;

  void subject(const std::string& x) {
    to.setSubject(text(x));
  }

  void tokens(const std::vector<sink_token>& x) {
    write_encoded(to.initTokens(count(x)), x);
  }

  void operator()(const ledger_open_or_create& x) {
    to.setEntry(bytes_of(encode(x.wanted)));
  }

  void operator()(const ledger_find_stream& x) {
    subject(x.name);
  }

  void operator()(const ledger_update_stream& x) {
    to.setEntry(bytes_of(encode(x.changed)));
    to.setGeneration(x.generation);
  }

  void operator()(const ledger_delete_stream& x) {
    subject(x.name);
  }

  void operator()(const ledger_reserve_epochs& x) {
    subject(x.uid);
    to.setGeneration(x.generation);
    to.setCount(x.count);
  }

  void operator()(const ledger_commit& x) {
    to.setEntry(bytes_of(encode(x.record)));
    to.setGeneration(x.generation);
    write_texts(to.initNames(count(x.savepoints)), x.savepoints);
    to.setCount(x.retained);
  }

  void operator()(const ledger_rewind& x) {
    to.setEntry(bytes_of(encode(x.record)));
    to.setGeneration(x.generation);
    tokens(x.tokens);
  }

  void operator()(const ledger_savepoint& x) {
    subject(x.uid);
    to.setName(text(x.name));
  }

  void operator()(const ledger_set_tokens& x) {
    subject(x.uid);
    to.setGeneration(x.generation);
    tokens(x.tokens);
  }

  void operator()(const ledger_garbage& x) {
    subject(x.uid);
    write_texts(to.initNames(count(x.present)), x.present);
  }

  void operator()(const topic_find_call& x) {
    subject(x.name);
  }

  void operator()(const topic_append_file_call& x) {
    subject(x.topic);
    to.setName(text(x.path));
    write(to.initAppend().initMark(), x.mark);
  }

  void operator()(const topic_append_call& x) {
    subject(x.topic);
    write_append(to.initAppend(), x, rows);
  }

  // The others have a stream's uid and no more.
  template <class T>
  void operator()(const T& x) {
    subject(x.uid);
  }
};

template <class T>
struct as {};

// Reads the arguments of operation T.
struct argument_reader {
  wire::LinkCall::Reader from;

  [[nodiscard]] std::string subject() const {
    return text(from.getSubject());
  }

  [[nodiscard]] std::vector<sink_token> tokens() const {
    return read_encoded<sink_token>(from.getTokens(), decode_token);
  }

  [[nodiscard]] stream_entry stream() const {
    return sound(decode_stream(view(from.getEntry())));
  }

  [[nodiscard]] checkpoint_record record() const {
    return sound(decode_checkpoint(view(from.getEntry())));
  }

  ledger_open_or_create operator()(as<ledger_open_or_create>) const {
    return {stream()};
  }

  ledger_update_stream operator()(as<ledger_update_stream>) const {
    return {stream(), from.getGeneration()};
  }

  ledger_reserve_epochs operator()(as<ledger_reserve_epochs>) const {
    return {subject(), from.getGeneration(), from.getCount()};
  }

  ledger_commit operator()(as<ledger_commit>) const {
    return {record(), from.getGeneration(), read_texts(from.getNames()), from.getCount()};
  }

  ledger_rewind operator()(as<ledger_rewind>) const {
    return {record(), from.getGeneration(), tokens()};
  }

  ledger_savepoint operator()(as<ledger_savepoint>) const {
    return {subject(), text(from.getName())};
  }

  ledger_set_tokens operator()(as<ledger_set_tokens>) const {
    return {subject(), from.getGeneration(), tokens()};
  }

  ledger_garbage operator()(as<ledger_garbage>) const {
    return {subject(), read_texts(from.getNames())};
  }

  topic_append_file_call operator()(as<topic_append_file_call>) const {
    return {subject(), text(from.getName()), read(from.getAppend().getMark())};
  }

  topic_append_call operator()(as<topic_append_call>) const {
    return read_append(subject(), from.getAppend());
  }

  template <class T>
  T operator()(as<T>) const {
    return {subject()};
  }
};

template <class T>
call_operation read_operation(const argument_reader& from) {
  return from(as<T>{});
}

template <std::size_t... I>
call_operation read_operation(std::size_t which, const argument_reader& from,
                              std::index_sequence<I...>) {
  using reader = call_operation (*)(const argument_reader&);
  constexpr std::array<reader, sizeof...(I)> readers{
      read_operation<std::variant_alternative_t<I, call_operation>>...};
  KJ_REQUIRE(which < readers.size(), "an operation is not known");
  return readers[which](from);
}

// --- answers -------------------------------------------------------------------------------------

void write(wire::LinkTopic::Builder to, const link_topic& x) {
  to.setUid(text(x.uid));
  to.setName(text(x.name));
  to.setFolder(text(x.folder));
  to.setPartitions(x.partitions);
  auto columns = to.initColumns(count(x.columns));
  for (capnp::uint i = 0; i < columns.size(); ++i) {
    auto column = columns[i];
    const auto& from = x.columns[i];
    column.setName(text(from.name));
    column.setKind(static_cast<std::uint8_t>(from.type.kind));
    column.setElement(static_cast<std::uint8_t>(from.type.element));
    column.setNotNull(from.not_null);
    column.setPrecision(from.type.precision);
    column.setScale(from.type.scale);
    column.setLength(from.type.length);
  }
  to.setKey(text(x.key));
}

link_topic read(wire::LinkTopic::Reader from) {
  link_topic x;
  x.uid = text(from.getUid());
  x.name = text(from.getName());
  x.folder = text(from.getFolder());
  x.partitions = from.getPartitions();
  for (const auto column : from.getColumns()) {
    const sql_type type{choice(column.getKind(), type_kind::array),
                        choice(column.getElement(), type_kind::array), column.getPrecision(),
                        column.getScale(), column.getLength()};
    x.columns.push_back({text(column.getName()), type, column.getNotNull()});
  }
  x.key = text(from.getKey());
  return x;
}

void write(wire::LinkAppended::Builder to, const link_append_answer& x) {
  to.setStatus(x.status);
  to.setHasExpected(x.expected_sequence.has_value());
  to.setExpected(x.expected_sequence.value_or(0));
  to.setTime(x.time);
  auto ranges = to.initRanges(count(x.ranges));
  for (capnp::uint i = 0; i < ranges.size(); ++i) {
    ranges[i].setPartition(x.ranges[i].partition);
    ranges[i].setRows(x.ranges[i].rows);
    ranges[i].setFirst(x.ranges[i].first);
  }
  link_wire::write(to.initProblem(), x.problem);
}

link_append_answer read(wire::LinkAppended::Reader from) {
  link_append_answer x;
  x.status = from.getStatus();
  x.time = from.getTime();
  for (const auto range : from.getRanges())
    x.ranges.push_back({range.getPartition(), range.getRows(), range.getFirst()});
  if (from.getHasExpected())
    x.expected_sequence = from.getExpected();
  x.problem = link_wire::read(from.getProblem());
  return x;
}

struct value_writer {
  wire::LinkAnswer::Builder to;

  void operator()(std::monostate) {
    to.setNothing();
  }

  void operator()(std::uint64_t x) {
    to.setNumber(x);
  }

  void operator()(const stream_entry& x) {
    to.setStream(bytes_of(encode(x)));
  }

  void operator()(const std::optional<stream_entry>& x) {
    to.setMaybeStream(bytes_of(encode_if(x)));
  }

  void operator()(const std::vector<checkpoint_record>& x) {
    write_encoded(to.initRecords(count(x)), x);
  }

  void operator()(const std::optional<checkpoint_record>& x) {
    to.setMaybeRecord(bytes_of(encode_if(x)));
  }

  void operator()(const std::vector<savepoint_entry>& x) {
    write_encoded(to.initSavepoints(count(x)), x);
  }

  void operator()(const std::optional<savepoint_entry>& x) {
    to.setMaybeSavepoint(bytes_of(encode_if(x)));
  }

  void operator()(const std::vector<sink_token>& x) {
    write_encoded(to.initTokens(count(x)), x);
  }

  void operator()(const std::vector<std::string>& x) {
    write_texts(to.initNames(count(x)), x);
  }

  void operator()(const link_topic& x) {
    write(to.initTopic(), x);
  }

  void operator()(const link_append_answer& x) {
    write(to.initAppended(), x);
  }
};

call_outcome read_outcome(wire::LinkAnswer::Reader from) {
  using wire_answer = wire::LinkAnswer;
  switch (from.which()) {
  case wire_answer::PROBLEM:
    return link_wire::read(from.getProblem());
  case wire_answer::NOTHING:
    return call_value{};
  case wire_answer::NUMBER:
    return call_value{from.getNumber()};
  case wire_answer::STREAM:
    return call_value{sound(decode_stream(view(from.getStream())))};
  case wire_answer::MAYBE_STREAM:
    return call_value{decode_if<stream_entry>(from.getMaybeStream(), decode_stream)};
  case wire_answer::RECORDS:
    return call_value{read_encoded<checkpoint_record>(from.getRecords(), decode_checkpoint)};
  case wire_answer::MAYBE_RECORD:
    return call_value{decode_if<checkpoint_record>(from.getMaybeRecord(), decode_checkpoint)};
  case wire_answer::SAVEPOINTS:
    return call_value{read_encoded<savepoint_entry>(from.getSavepoints(), decode_savepoint)};
  case wire_answer::MAYBE_SAVEPOINT:
    return call_value{decode_if<savepoint_entry>(from.getMaybeSavepoint(), decode_savepoint)};
  case wire_answer::TOKENS:
    return call_value{read_encoded<sink_token>(from.getTokens(), decode_token)};
  case wire_answer::NAMES:
    return call_value{read_texts(from.getNames())};
  case wire_answer::TOPIC:
    return call_value{read(from.getTopic())};
  case wire_answer::APPENDED:
    return call_value{read(from.getAppended())};
  }
  KJ_FAIL_REQUIRE("an answer is not known");
}

} // namespace

std::vector<buffer_ptr> encode_rows(const call_operation& x) {
  std::vector<buffer_ptr> rows;
  if (const auto* append = std::get_if<topic_append_call>(&x))
    for (const auto& part : append->parts)
      rows.push_back(encode_batch(*part.rows));
  return rows;
}

void write(wire::LinkCall::Builder to, const link_call& x, const std::vector<buffer_ptr>& rows) {
  to.setId(x.id);
  to.setSettled(x.settled);
  to.setUid(text(x.uid));
  to.setPlacement(x.placement);
  to.setOperation(static_cast<std::uint16_t>(x.operation.index()));
  std::visit(argument_writer{to, rows}, x.operation);
}

link_call read(wire::LinkCall::Reader from) {
  return {from.getId(), from.getSettled(), text(from.getUid()), from.getPlacement(),
          read_operation(from.getOperation(), {from},
                         std::make_index_sequence<std::variant_size_v<call_operation>>{})};
}

void write(wire::LinkAnswer::Builder to, const call_answer& x) {
  to.setId(x.id);
  if (x.outcome)
    std::visit(value_writer{to}, *x.outcome);
  else
    write(to.initProblem(), x.outcome.error());
}

call_answer read(wire::LinkAnswer::Reader from) {
  return {from.getId(), read_outcome(from)};
}

} // namespace ebb::link_wire
