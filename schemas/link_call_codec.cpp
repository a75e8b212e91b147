// Calls of workers.
#include "schemas/batch_codec.hpp"
#include "schemas/link_nested.hpp"

#include <array>
#include <memory>
#include <utility>

namespace ebb::link_wire {

namespace {

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
  if (from.size() != 0)
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
    to.setEntry(data(encode(x.wanted)));
  }

  void operator()(const ledger_find_stream& x) {
    subject(x.name);
  }

  void operator()(const ledger_update_stream& x) {
    to.setEntry(data(encode(x.changed)));
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
    to.setEntry(data(encode(x.record)));
    to.setGeneration(x.generation);
    write_texts(to.initNames(count(x.savepoints)), x.savepoints);
    to.setCount(x.retained);
  }

  void operator()(const ledger_rewind& x) {
    to.setEntry(data(encode(x.record)));
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

  void operator()(const topic_bounds_call& x) {
    subject(x.topic);
  }

  void operator()(const topic_read_call& x) {
    subject(x.topic);
    to.setPartition(x.partition);
    to.setOffset(x.offset);
    to.setBytes(x.bytes);
    to.setCount(x.rows);
  }

  void operator()(const store_put_call& x) {
    file(x.area, x.name);
    to.setGeneration(x.piece.generation);
    to.setBytes(x.piece.total);
    to.setOffset(x.piece.offset);
    to.setPiece(data(x.piece.bytes));
    if (x.piece.digest) {
      auto whole = to.initWhole();
      whole.setHigh(x.piece.digest->high);
      whole.setLow(x.piece.digest->low);
    }
  }

  void operator()(const store_read_call& x) {
    file(x.area, x.name);
    to.setOffset(x.offset);
    to.setBytes(x.bytes);
  }

  void operator()(const store_list_call& x) {
    file(x.area, {});
  }

  void operator()(const store_remove_call& x) {
    file(x.area, {});
    to.setGeneration(x.generation);
    write_texts(to.initNames(count(x.names)), x.names);
  }

  // The others have a stream's uid and no more.
  template <class T>
  void operator()(const T& x) {
    subject(x.uid);
  }

  void file(stored_area area, const std::string& name) {
    to.setArea(static_cast<std::uint8_t>(area));
    to.setName(text(name));
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

  [[nodiscard]] stored_area area() const {
    return choice(from.getArea(), stored_area::output);
  }

  topic_read_call operator()(as<topic_read_call>) const {
    return {subject(), from.getPartition(), from.getOffset(), from.getBytes(), from.getCount()};
  }

  store_put_call operator()(as<store_put_call>) const {
    store_put_call x{area(), text(from.getName()), {}};
    x.piece.generation = from.getGeneration();
    x.piece.total = from.getBytes();
    x.piece.offset = from.getOffset();
    x.piece.bytes = view(from.getPiece());
    if (from.hasWhole())
      x.piece.digest = digest128{from.getWhole().getHigh(), from.getWhole().getLow()};
    return x;
  }

  store_read_call operator()(as<store_read_call>) const {
    return {area(), text(from.getName()), from.getOffset(), from.getBytes()};
  }

  store_list_call operator()(as<store_list_call>) const {
    return {area()};
  }

  store_remove_call operator()(as<store_remove_call>) const {
    return {area(), read_texts(from.getNames()), from.getGeneration()};
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

} // namespace ebb::link_wire
