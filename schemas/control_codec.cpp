#include "schemas/control_codec.hpp"

#include "schemas/control.capnp.h"
#include "schemas/wire_message.hpp"

#include <algorithm>

namespace ebb {

namespace {

capnp::Data::Reader data(const std::string& x) {
  return {reinterpret_cast<const capnp::byte*>(x.data()), x.size()};
}

std::string data(capnp::Data::Reader x) {
  return {reinterpret_cast<const char*>(x.begin()), x.size()};
}

// An enumeration of values 0 to `last`.
template <class T>
T choice(std::uint8_t value, T last) {
  KJ_REQUIRE(value <= static_cast<std::uint8_t>(last), "a value is not known");
  return static_cast<T>(value);
}

template <class T>
capnp::uint count(const std::vector<T>& x) {
  return static_cast<capnp::uint>(x.size());
}

void write(wire::Digest::Builder to, const digest128& x) {
  to.setHigh(x.high);
  to.setLow(x.low);
}

digest128 read(wire::Digest::Reader from) {
  return {from.getHigh(), from.getLow()};
}

void write(wire::Segment::Builder to, const segment_info& x) {
  to.setId(text(x.id));
  to.setKind(static_cast<std::uint8_t>(x.kind));
  to.setEpoch(x.epoch);
  to.setBytes(x.bytes);
  write(to.initDigest(), x.digest);
  to.setEntries(x.entries);
  to.setFirstKeyGroup(x.first_key_group);
  to.setLastKeyGroup(x.last_key_group);
}

segment_info read(wire::Segment::Reader from) {
  segment_info x;
  x.id = text(from.getId());
  x.kind = choice(from.getKind(), segment_kind::output);
  x.epoch = from.getEpoch();
  x.bytes = from.getBytes();
  x.digest = read(from.getDigest());
  x.entries = from.getEntries();
  x.first_key_group = from.getFirstKeyGroup();
  x.last_key_group = from.getLastKeyGroup();
  return x;
}

void write(wire::Stream::Builder to, const stream_entry& x) {
  to.setUid(text(x.uid));
  to.setName(text(x.name));
  to.setManifest(text(x.manifest));
  to.setPlan(data(x.plan));
  to.setPlanFingerprint(text(x.plan_fingerprint));
  auto operators = to.initOperators(count(x.operators));
  for (capnp::uint i = 0; i < operators.size(); ++i)
    operators.set(i, text(x.operators[i]));
  to.setKeyGroups(x.key_groups);
  to.setParallelism(x.parallelism);
  to.setGeneration(x.generation);
  to.setNextEpoch(x.next_epoch);
  to.setLife(static_cast<std::uint8_t>(x.life));
  to.setCreated(x.created);
  to.setRevision(x.revision);
}

stream_entry read(wire::Stream::Reader from) {
  stream_entry x;
  x.uid = text(from.getUid());
  x.name = text(from.getName());
  x.manifest = text(from.getManifest());
  x.plan = data(from.getPlan());
  x.plan_fingerprint = text(from.getPlanFingerprint());
  for (const auto name : from.getOperators())
    x.operators.push_back(text(name));
  x.key_groups = from.getKeyGroups();
  x.parallelism = from.getParallelism();
  x.generation = from.getGeneration();
  x.next_epoch = from.getNextEpoch();
  x.life = choice(from.getLife(), stream_life::deleted);
  x.created = from.getCreated();
  x.revision = from.getRevision();
  return x;
}

void write(wire::Position::Builder to, const recorded_position& x) {
  to.setSource(text(x.source));
  to.setPartition(x.partition);
  to.setFinished(x.finished);
  to.setBytes(data(x.bytes));
}

recorded_position read(wire::Position::Reader from) {
  return {text(from.getSource()), from.getPartition(), from.getFinished(), data(from.getBytes())};
}

void write(wire::Watermark::Builder to, const recorded_watermark& x) {
  to.setSource(text(x.source));
  to.setWatermark(x.watermark);
}

recorded_watermark read(wire::Watermark::Reader from) {
  return {text(from.getSource()), from.getWatermark()};
}

void write(wire::Output::Builder to, const recorded_output& x) {
  to.setSink(text(x.sink));
  to.setLane(x.lane);
  to.setEpoch(x.epoch);
  to.setFile(text(x.file));
  to.setBytes(x.bytes);
  write(to.initDigest(), x.digest);
  to.setTarget(data(x.target));
  to.setOffset(x.offset);
  to.setRows(x.rows);
}

recorded_output read(wire::Output::Reader from) {
  recorded_output x;
  x.sink = text(from.getSink());
  x.lane = from.getLane();
  x.epoch = from.getEpoch();
  x.file = text(from.getFile());
  x.bytes = from.getBytes();
  x.digest = read(from.getDigest());
  x.target = data(from.getTarget());
  x.offset = from.getOffset();
  x.rows = from.getRows();
  return x;
}

void write(wire::Topic::Builder to, const topic_entry& x) {
  to.setUid(text(x.uid));
  to.setName(text(x.name));
  to.setManifest(text(x.manifest));
  to.setCreated(x.created);
  to.setRevision(x.revision);
}

topic_entry read(wire::Topic::Reader from) {
  return {text(from.getUid()), text(from.getName()), text(from.getManifest()), from.getCreated(),
          from.getRevision()};
}

void write(wire::LifeInput::Builder to, const life_input& x) {
  to.setSource(text(x.source));
  to.setTopic(text(x.topic));
}

life_input read(wire::LifeInput::Reader from) {
  return {text(from.getSource()), text(from.getTopic())};
}

template <class List, class T>
void write_all(List to, const std::vector<T>& from) {
  for (capnp::uint i = 0; i < to.size(); ++i)
    write(to[i], from[i]);
}

template <class List, class T>
void read_all(List from, std::vector<T>& to) {
  to.reserve(from.size());
  for (const auto x : from)
    to.push_back(read(x));
}

void write(wire::Checkpoint::Builder to, const checkpoint_record& x) {
  to.setUid(text(x.uid));
  to.setEpoch(x.epoch);
  to.setGeneration(x.generation);
  to.setWhen(x.when);
  to.setAlign(x.phases.align);
  to.setSerialise(x.phases.serialise);
  to.setWrite(x.phases.write);
  to.setCommit(x.phases.commit);
  to.setReason(static_cast<std::uint8_t>(x.reason));
  to.setFinished(x.finished);
  write_all(to.initSegments(count(x.segments)), x.segments);
  write_all(to.initPositions(count(x.positions)), x.positions);
  write_all(to.initWatermarks(count(x.watermarks)), x.watermarks);
  write_all(to.initOutputs(count(x.outputs)), x.outputs);
  to.setBytes(x.bytes);
}

checkpoint_record read(wire::Checkpoint::Reader from) {
  checkpoint_record x;
  x.uid = text(from.getUid());
  x.epoch = from.getEpoch();
  x.generation = from.getGeneration();
  x.when = from.getWhen();
  x.phases = {from.getAlign(), from.getSerialise(), from.getWrite(), from.getCommit()};
  x.reason = choice(from.getReason(), record_reason::final);
  x.finished = from.getFinished();
  read_all(from.getSegments(), x.segments);
  read_all(from.getPositions(), x.positions);
  read_all(from.getWatermarks(), x.watermarks);
  read_all(from.getOutputs(), x.outputs);
  x.bytes = from.getBytes();
  return x;
}

void write(wire::Savepoint::Builder to, const savepoint_entry& x) {
  to.setName(text(x.name));
  to.setWhen(x.when);
  write(to.initRecord(), x.record);
}

savepoint_entry read(wire::Savepoint::Reader from) {
  return {text(from.getName()), from.getWhen(), read(from.getRecord())};
}

void write(wire::Token::Builder to, const sink_token& x) {
  to.setSink(text(x.sink));
  to.setLane(x.lane);
  to.setEpoch(x.epoch);
  to.setOffset(x.offset);
}

sink_token read(wire::Token::Reader from) {
  return {text(from.getSink()), from.getLane(), from.getEpoch(), from.getOffset()};
}

void write(wire::Life::Builder to, const life_record& x) {
  to.setUid(text(x.uid));
  to.setPhase(x.phase);
  to.setReason(x.reason);
  to.setAim(x.aim);
  to.setSince(x.since);
  to.setNextWake(x.next_wake);
  to.setPlacement(x.placement);
  to.setDefinition(x.definition);
  to.setFailures(x.failures);
  to.setRetryAt(x.retry_at);
  to.setWakeTook(x.wake_took);
  to.setMessage(text(x.message));
  to.setHint(text(x.hint));
  to.setPlaced(x.placed);
}

life_record read(wire::Life::Reader from) {
  life_record x;
  x.uid = text(from.getUid());
  x.phase = from.getPhase();
  x.reason = from.getReason();
  x.aim = from.getAim();
  x.since = from.getSince();
  x.next_wake = from.getNextWake();
  x.placement = from.getPlacement();
  x.definition = from.getDefinition();
  x.failures = from.getFailures();
  x.retry_at = from.getRetryAt();
  x.wake_took = from.getWakeTook();
  x.message = text(from.getMessage());
  x.hint = text(from.getHint());
  x.placed = from.getPlaced();
  return x;
}

void write(wire::Traits::Builder to, const life_traits& x) {
  to.setUid(text(x.uid));
  to.setIdleAfter(x.idle_after);
  to.setCannotWake(text(x.cannot_wake));
  to.setParallelism(x.parallelism);
  to.setDefinition(x.definition);
  to.setWorkers(x.workers);
  write_all(to.initInputs(count(x.inputs)), x.inputs);
  auto outputs = to.initOutputs(count(x.outputs));
  for (capnp::uint i = 0; i < outputs.size(); ++i)
    outputs.set(i, text(x.outputs[i]));
  auto files = to.initFiles(count(x.files));
  for (capnp::uint i = 0; i < files.size(); ++i)
    files.set(i, text(x.files[i]));
}

life_traits read(wire::Traits::Reader from) {
  life_traits x;
  x.uid = text(from.getUid());
  x.idle_after = from.getIdleAfter();
  x.cannot_wake = text(from.getCannotWake());
  x.parallelism = from.getParallelism();
  x.definition = from.getDefinition();
  x.workers = from.getWorkers();
  read_all(from.getInputs(), x.inputs);
  for (const auto output : from.getOutputs())
    x.outputs.push_back(text(output));
  for (const auto file : from.getFiles())
    x.files.push_back(text(file));
  return x;
}

template <class Wire, class T>
std::string encode_as(const T& x) {
  return to_message<Wire>([&](auto to) { write(to, x); });
}

template <class Wire, class T>
result<T> decode_as(std::string_view bytes, const char* what) {
  return from_message<Wire, T>(bytes,
                               {what, "the control database is damaged: restore it from a copy", 4},
                               [](auto from) { return read(from); });
}

} // namespace

std::string encode(const stream_entry& x) {
  return encode_as<wire::Stream>(x);
}

std::string encode(const checkpoint_record& x) {
  return encode_as<wire::Checkpoint>(x);
}

std::string encode(const savepoint_entry& x) {
  return encode_as<wire::Savepoint>(x);
}

std::string encode(const sink_token& x) {
  return encode_as<wire::Token>(x);
}

std::string encode(const topic_entry& x) {
  return encode_as<wire::Topic>(x);
}

std::string encode(const life_record& x) {
  return encode_as<wire::Life>(x);
}

std::string encode(const life_traits& x) {
  return encode_as<wire::Traits>(x);
}

result<stream_entry> decode_stream(std::string_view bytes) {
  return decode_as<wire::Stream, stream_entry>(bytes, "stream entry");
}

result<checkpoint_record> decode_checkpoint(std::string_view bytes) {
  return decode_as<wire::Checkpoint, checkpoint_record>(bytes, "checkpoint record");
}

result<savepoint_entry> decode_savepoint(std::string_view bytes) {
  return decode_as<wire::Savepoint, savepoint_entry>(bytes, "savepoint");
}

result<sink_token> decode_token(std::string_view bytes) {
  return decode_as<wire::Token, sink_token>(bytes, "sink token");
}

result<topic_entry> decode_topic(std::string_view bytes) {
  return decode_as<wire::Topic, topic_entry>(bytes, "topic entry");
}

result<life_record> decode_life(std::string_view bytes) {
  return decode_as<wire::Life, life_record>(bytes, "life of a stream");
}

result<life_traits> decode_traits(std::string_view bytes) {
  return decode_as<wire::Traits, life_traits>(bytes, "traits of a stream");
}

} // namespace ebb
