// Answers to calls.
#include "schemas/link_nested.hpp"

#include <utility>

namespace ebb::link_wire {

namespace {

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

  to.setChanges(x.changes);
  write_texts(to.initPrimaryKey(count(x.primary_key)), x.primary_key);
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
  x.changes = from.getChanges();
  x.primary_key = read_texts(from.getPrimaryKey());

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
    to.setStream(data(encode(x)));
  }

  void operator()(const std::optional<stream_entry>& x) {
    to.setMaybeStream(data(encode_if(x)));
  }

  void operator()(const std::vector<checkpoint_record>& x) {
    write_encoded(to.initRecords(count(x)), x);
  }

  void operator()(const std::optional<checkpoint_record>& x) {
    to.setMaybeRecord(data(encode_if(x)));
  }

  void operator()(const std::vector<savepoint_entry>& x) {
    write_encoded(to.initSavepoints(count(x)), x);
  }

  void operator()(const std::optional<savepoint_entry>& x) {
    to.setMaybeSavepoint(data(encode_if(x)));
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
