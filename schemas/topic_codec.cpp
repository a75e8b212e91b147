#include "schemas/topic_codec.hpp"

#include "schemas/topic.capnp.h"
#include "schemas/wire_message.hpp"

#include <cstring>

namespace ebb {

namespace {

template <class T>
capnp::uint count(const std::vector<T>& x) {
  return static_cast<capnp::uint>(x.size());
}

template <class List>
void write_offsets(List to, const std::vector<std::uint64_t>& from) {
  for (capnp::uint i = 0; i < to.size(); ++i)
    to.set(i, from[i]);
}

template <class List>
std::vector<std::uint64_t> read_offsets(List from) {
  std::vector<std::uint64_t> x(from.size());
  for (capnp::uint i = 0; i < from.size(); ++i)
    x[i] = from[i];
  return x;
}

// What stands in lists.
void write(wire::TopicRange::Builder to, const topic_range& x);
void read(wire::TopicRange::Reader from, topic_range& x);
void write(wire::TopicSealed::Builder to, const sealed_topic_file& x);
void read(wire::TopicSealed::Reader from, sealed_topic_file& x);
void write(wire::TopicRequest::Builder to, const logged_request& x);
void read(wire::TopicRequest::Reader from, logged_request& x);
void write(wire::TopicRemembered::Builder to, const remembered_request& x);
void read(wire::TopicRemembered::Reader from, remembered_request& x);
void write(wire::TopicProducer::Builder to, const remembered_producer& x);
void read(wire::TopicProducer::Reader from, remembered_producer& x);
void write(wire::TopicKey::Builder to, const remembered_key& x);
void read(wire::TopicKey::Reader from, remembered_key& x);
void write(wire::TopicMark::Builder to, const remembered_mark& x);
void read(wire::TopicMark::Reader from, remembered_mark& x);

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

void write(wire::TopicRange::Builder to, const topic_range& x) {
  to.setPartition(x.partition);
  to.setRows(x.rows);
  to.setFirst(x.first);
}

void read(wire::TopicRange::Reader from, topic_range& x) {
  x = {from.getPartition(), from.getRows(), from.getFirst()};
}

void write(wire::TopicHeader::Builder to, const topic_file_header& x) {
  to.setFormat(x.format);
  to.setUid(text(x.uid));
  to.setNumber(x.number);
  to.setCreated(x.created);
  write_offsets(to.initBegins(count(x.begins)), x.begins);
}

void read(wire::TopicHeader::Reader from, topic_file_header& x) {
  x.format = from.getFormat();
  x.uid = text(from.getUid());
  x.number = from.getNumber();
  x.created = from.getCreated();
  x.begins = read_offsets(from.getBegins());
}

void write(wire::TopicSealed::Builder to, const sealed_topic_file& x) {
  to.setNumber(x.number);
  to.setBytes(x.bytes);
  to.setTransaction(x.transaction);
  to.setFirstTime(x.first_time);
  to.setLastTime(x.last_time);
  write_offsets(to.initBegins(count(x.begins)), x.begins);
}

void read(wire::TopicSealed::Reader from, sealed_topic_file& x) {
  x.number = from.getNumber();
  x.bytes = from.getBytes();
  x.transaction = from.getTransaction();
  x.first_time = from.getFirstTime();
  x.last_time = from.getLastTime();
  x.begins = read_offsets(from.getBegins());
}

void write(wire::TopicCatalog::Builder to, const topic_catalog& x) {
  to.setVersion(x.version);
  write_all(to.initSealed(count(x.sealed)), x.sealed);
}

void read(wire::TopicCatalog::Reader from, topic_catalog& x) {
  x.version = from.getVersion();
  read_all(from.getSealed(), x.sealed);
}

void write(wire::TopicSummary::Builder to, const topic_summary& x) {
  to.setTransaction(x.transaction);
  to.setCatalogVersion(x.catalog_version);
  to.setChunks(x.chunks);
  to.setFirstGroup(x.first_group);
  to.setNextGroup(x.next_group);
  to.setLogged(x.logged);
  to.setRows(x.rows);
  to.setFirstTime(x.first_time);
  to.setLastTime(x.last_time);
  write_offsets(to.initEnds(count(x.ends)), x.ends);
}

void read(wire::TopicSummary::Reader from, topic_summary& x) {
  x.transaction = from.getTransaction();
  x.catalog_version = from.getCatalogVersion();
  x.chunks = from.getChunks();
  x.first_group = from.getFirstGroup();
  x.next_group = from.getNextGroup();
  x.logged = from.getLogged();
  x.rows = from.getRows();
  x.first_time = from.getFirstTime();
  x.last_time = from.getLastTime();
  x.ends = read_offsets(from.getEnds());
}

void write(wire::TopicRequest::Builder to, const logged_request& x) {
  to.setKind(static_cast<std::uint8_t>(x.kind));
  to.setStarts(x.starts);
  to.setRows(x.rows);
  if (!x.name.empty())
    to.setName(text(x.name));
  to.setKeyHigh(x.key.high);
  to.setKeyLow(x.key.low);
  to.setEpoch(x.epoch);
  to.setSequence(x.sequence);
  write_all(to.initRanges(count(x.ranges)), x.ranges);
}

void read(wire::TopicRequest::Reader from, logged_request& x) {
  KJ_REQUIRE(from.getKind() <= static_cast<std::uint8_t>(logged_kind::forgotten));
  x.kind = static_cast<logged_kind>(from.getKind());
  x.starts = from.getStarts();
  x.rows = from.getRows();
  x.name = text(from.getName());
  x.key = {from.getKeyHigh(), from.getKeyLow()};
  x.epoch = from.getEpoch();
  x.sequence = from.getSequence();
  read_all(from.getRanges(), x.ranges);
}

void write(wire::TopicGroup::Builder to, const logged_group& x) {
  to.setTime(x.time);
  write_all(to.initRequests(count(x.requests)), x.requests);
}

void read(wire::TopicGroup::Reader from, logged_group& x) {
  x.time = from.getTime();
  read_all(from.getRequests(), x.requests);
}

void write(wire::TopicRemembered::Builder to, const remembered_request& x) {
  to.setSequence(x.sequence);
  to.setRows(x.rows);
  write_all(to.initRanges(count(x.ranges)), x.ranges);
}

void read(wire::TopicRemembered::Reader from, remembered_request& x) {
  x.sequence = from.getSequence();
  x.rows = from.getRows();
  read_all(from.getRanges(), x.ranges);
}

void write(wire::TopicProducer::Builder to, const remembered_producer& x) {
  to.setName(text(x.name));
  to.setEpoch(x.epoch);
  to.setNextSequence(x.next_sequence);
  to.setLastTime(x.last_time);
  write_all(to.initRequests(count(x.requests)), x.requests);
}

void read(wire::TopicProducer::Reader from, remembered_producer& x) {
  x.name = text(from.getName());
  x.epoch = from.getEpoch();
  x.next_sequence = from.getNextSequence();
  x.last_time = from.getLastTime();
  read_all(from.getRequests(), x.requests);
}

void write(wire::TopicKey::Builder to, const remembered_key& x) {
  to.setHigh(x.key.high);
  to.setLow(x.key.low);
  to.setRows(x.rows);
  to.setTime(x.time);
  write_all(to.initRanges(count(x.ranges)), x.ranges);
}

void read(wire::TopicKey::Reader from, remembered_key& x) {
  x.key = {from.getHigh(), from.getLow()};
  x.rows = from.getRows();
  x.time = from.getTime();
  read_all(from.getRanges(), x.ranges);
}

void write(wire::TopicMark::Builder to, const remembered_mark& x) {
  to.setSink(text(x.sink));
  to.setGeneration(x.generation);
  to.setEpoch(x.epoch);
}

void read(wire::TopicMark::Reader from, remembered_mark& x) {
  x = {text(from.getSink()), from.getGeneration(), from.getEpoch()};
}

void write(wire::TopicMemory::Builder to, const topic_memory_chunk& x) {
  write_all(to.initProducers(count(x.producers)), x.producers);
  write_all(to.initKeys(count(x.keys)), x.keys);
  write_all(to.initMarks(count(x.marks)), x.marks);
}

void read(wire::TopicMemory::Reader from, topic_memory_chunk& x) {
  read_all(from.getProducers(), x.producers);
  read_all(from.getKeys(), x.keys);
  read_all(from.getMarks(), x.marks);
}

template <class Wire, class T>
std::string encode_as(const T& x) {
  return to_message<Wire>([&](auto to) { write(to, x); });
}

template <class Wire, class T>
result<T> decode_as(std::string_view bytes, const char* what) {
  return from_message<Wire, T>(
      bytes, {what, "the topic's log is damaged: restore it from a copy", 2}, [](auto from) {
        T x;
        read(from, x);
        return x;
      });
}

} // namespace

std::string encode(const topic_file_header& x) {
  return encode_as<wire::TopicHeader>(x);
}

std::string encode(const topic_catalog& x) {
  return encode_as<wire::TopicCatalog>(x);
}

std::string encode(const topic_summary& x) {
  return encode_as<wire::TopicSummary>(x);
}

std::string encode(const logged_group& x) {
  return encode_as<wire::TopicGroup>(x);
}

std::string encode(const topic_memory_chunk& x) {
  return encode_as<wire::TopicMemory>(x);
}

result<topic_file_header> decode_topic_header(std::string_view bytes) {
  return decode_as<wire::TopicHeader, topic_file_header>(bytes, "topic file's header");
}

result<topic_catalog> decode_topic_catalog(std::string_view bytes) {
  return decode_as<wire::TopicCatalog, topic_catalog>(bytes, "topic's list of files");
}

result<topic_summary> decode_topic_summary(std::string_view bytes) {
  return decode_as<wire::TopicSummary, topic_summary>(bytes, "topic file's summary");
}

result<logged_group> decode_logged_group(std::string_view bytes) {
  return decode_as<wire::TopicGroup, logged_group>(bytes, "topic's group of requests");
}

result<topic_memory_chunk> decode_topic_memory(std::string_view bytes) {
  return decode_as<wire::TopicMemory, topic_memory_chunk>(bytes, "topic's memory of producers");
}

} // namespace ebb
