// Answers to calls.
#include "schemas/batch_codec.hpp"
#include "schemas/link_nested.hpp"
#include "schemas/peer_parts.hpp"

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
  to.setChanges(x.changes);
  write_texts(to.initPrimaryKey(count(x.primary_key)), x.primary_key);
}

link_topic read(wire::LinkTopic::Reader from) {
  link_topic x;
  x.uid = text(from.getUid());
  x.name = text(from.getName());
  x.folder = text(from.getFolder());
  x.partitions = from.getPartitions();
  for (const auto column : from.getColumns()) {
    const sql_type type{choice(column.getKind(), type_kind::jsonb),
                        choice(column.getElement(), type_kind::jsonb), column.getPrecision(),
                        column.getScale(), column.getLength()};
    x.columns.push_back({text(column.getName()), type, column.getNotNull()});
  }
  x.key = text(from.getKey());
  x.changes = from.getChanges();
  x.primary_key = read_texts(from.getPrimaryKey());
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

link_bounds read(capnp::List<wire::LinkBound>::Reader from) {
  link_bounds x;
  for (const auto bound : from)
    x.all.emplace_back(bound.getBegin(), bound.getEnd());
  return x;
}

link_slice read(wire::LinkSlice::Reader from, const buffer_ptr& message) {
  link_slice x;
  x.next = from.getNext();
  x.end = from.getEnd();
  x.batches.reserve(from.getBatches().size());
  for (const auto rows : from.getBatches()) {
    auto& one = x.batches.emplace_back();
    one.first = rows.getFirst();
    one.time = rows.getTime();
    one.batch = view_rows(rows.getRows(), message);
    KJ_REQUIRE(one.batch != nullptr, "a batch has no bytes");
  }
  return x;
}

struct value_writer {
  wire::LinkAnswer::Builder to;
  const std::vector<buffer_ptr>& rows;

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

  void operator()(const link_bounds& x) {
    auto all = to.initBounds(count(x.all));
    for (capnp::uint i = 0; i < all.size(); ++i) {
      all[i].setBegin(x.all[i].first);
      all[i].setEnd(x.all[i].second);
    }
  }

  void operator()(const link_slice& x) {
    auto slice = to.initSlice();
    slice.setNext(x.next);
    slice.setEnd(x.end);
    auto batches = slice.initBatches(count(x.batches));
    for (capnp::uint i = 0; i < batches.size(); ++i) {
      batches[i].setFirst(x.batches[i].first);
      batches[i].setTime(x.batches[i].time);
      batches[i].setRows({rows[i].as<const capnp::byte>(), rows[i].size()});
    }
  }

  void operator()(const link_bytes& x) {
    to.setBytes(data(x.bytes));
  }
};

call_outcome read_outcome(wire::LinkAnswer::Reader from, const buffer_ptr& message) {
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
  case wire_answer::BOUNDS:
    return call_value{read(from.getBounds())};
  case wire_answer::SLICE:
    return call_value{read(from.getSlice(), message)};
  case wire_answer::BYTES:
    return call_value{link_bytes{std::string(view(from.getBytes()))}};
  }
  KJ_FAIL_REQUIRE("an answer is not known");
}

} // namespace

std::vector<buffer_ptr> encode_rows(const call_answer& x) {
  std::vector<buffer_ptr> rows;
  if (const auto* slice = x.outcome ? std::get_if<link_slice>(&*x.outcome) : nullptr)
    for (const auto& one : slice->batches)
      rows.push_back(encode_batch(*one.batch));
  return rows;
}

void write(wire::LinkAnswer::Builder to, const call_answer& x,
           const std::vector<buffer_ptr>& rows) {
  to.setId(x.id);
  if (x.outcome)
    std::visit(value_writer{to, rows}, *x.outcome);
  else
    write(to.initProblem(), x.outcome.error());
}

call_answer read(wire::LinkAnswer::Reader from, const buffer_ptr& message) {
  return {from.getId(), read_outcome(from, message)};
}

std::size_t payload_bytes(const link_message& x) noexcept {
  if (const auto* call = std::get_if<link_call>(&x))
    if (const auto* put = std::get_if<store_put_call>(&call->operation))
      return put->piece.bytes.size();
  if (const auto* answer = std::get_if<call_answer>(&x); answer != nullptr && answer->outcome)
    if (const auto* bytes = std::get_if<link_bytes>(&*answer->outcome))
      return bytes->bytes.size();
  return 0;
}

} // namespace ebb::link_wire
