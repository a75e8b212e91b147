// Messages between the workers that share a stream.
#include "schemas/batch_codec.hpp"
#include "schemas/link_nested.hpp"
#include "schemas/peer_parts.hpp"

#include <memory>
#include <type_traits>
#include <utility>

namespace ebb::link_wire {

namespace {

struct peer_writer {
  wire::PeerMessage::Builder to;
  const std::vector<buffer_ptr>& rows;

  void operator()(const peer_hello& x) {
    auto m = to.initHello();
    m.setUid(text(x.uid));
    m.setPlacement(x.placement);
    m.setFrom(x.from);
    m.setTo(x.to);
  }

  void operator()(const peer_begin& x) {
    auto m = to.initBegin();
    m.setStart(data(encode(x.start)));
    write_texts(m.initOperators(count(x.operators)), x.operators);
    m.setOutputFolder(text(x.output_folder));
    m.setSegmentFolder(text(x.segment_folder));
    m.setKeyGroups(x.key_groups);
    m.setSmall(x.small);
  }

  void operator()(const peer_ready&) {
    to.setReady();
  }

  void operator()(const peer_go&) {
    to.setGo();
  }

  void operator()(const peer_items& x) {
    auto m = to.initItems();
    m.setSubtask(x.subtask);
    m.setInput(x.input);
    m.setChannel(x.channel);
    auto items = m.initItems(count(x.items));
    std::size_t next = 0;
    for (capnp::uint i = 0; i < items.size(); ++i) {
      const auto& from = x.items[i];
      items[i].setWhat(from.what);
      items[i].setTime(from.time);
      items[i].setBytes(from.bytes);
      items[i].setEpoch(from.epoch);
      if (from.rows) {
        const auto& bytes = rows[next++];
        items[i].setRows({bytes.as<const capnp::byte>(), bytes.size()});
      }
    }
  }

  void operator()(const peer_credit& x) {
    auto m = to.initCredit();
    m.setSubtask(x.subtask);
    m.setOutput(x.output);
    m.setTarget(x.target);
    m.setBytes(x.bytes);
  }

  void operator()(const peer_order& x) {
    auto m = to.initOrder();
    m.setWhat(static_cast<std::uint8_t>(x.what));
    m.setSubtask(x.subtask);
    m.setEpoch(x.epoch);
    m.setBase(x.base);
    m.setWhole(x.whole);
  }

  void operator()(const peer_report& x) {
    auto m = to.initReport();
    m.setWhat(static_cast<std::uint8_t>(x.what));
    m.setSubtask(x.subtask);
    m.setEpoch(x.epoch);
    if (x.problem)
      write(m.initProblem(), *x.problem);
  }

  void operator()(const peer_written& x) {
    auto m = to.initWritten();
    m.setPart(data(encode(x.part)));
    auto sources = m.initSources(count(x.sources));
    for (capnp::uint i = 0; i < sources.size(); ++i) {
      sources[i].setName(text(x.sources[i].name));
      sources[i].setEnded(x.sources[i].ended);
      sources[i].setPositions(x.sources[i].positions);
    }
    m.setWatermark(x.watermark);
    m.setAligned(x.aligned);
    m.setMade(x.made);
  }

  void operator()(const peer_stats& x) {
    auto m = to.initStats();
    m.setSubtask(x.subtask);
    m.setWatermark(x.watermark);
    m.setNextTime(x.next_time);
    auto counters = m.initCounters(count(x.counters));
    for (capnp::uint i = 0; i < counters.size(); ++i)
      counters.set(i, x.counters[i]);
  }
};

peer_items read_items(wire::PeerItems::Reader from, const buffer_ptr& message) {
  peer_items x{from.getSubtask(), from.getInput(), from.getChannel(), {}};
  x.items.reserve(from.getItems().size());
  for (const auto item : from.getItems())
    x.items.push_back({item.getWhat(), item.getTime(), view_rows(item.getRows(), message),
                       item.getBytes(), item.getEpoch()});
  return x;
}

checkpoint_record read_record(capnp::Data::Reader from) {
  return sound(decode_checkpoint(view(from)));
}

peer_written read_written(wire::PeerWritten::Reader from) {
  peer_written x;
  x.part = read_record(from.getPart());
  for (const auto source : from.getSources())
    x.sources.push_back({text(source.getName()), source.getEnded(), source.getPositions()});
  x.watermark = from.getWatermark();
  x.aligned = from.getAligned();
  x.made = from.getMade();
  return x;
}

peer_stats read_stats(wire::PeerStats::Reader from) {
  peer_stats x{from.getSubtask(), from.getWatermark(), from.getNextTime(), {}};
  for (const auto counter : from.getCounters())
    x.counters.push_back(counter);
  return x;
}

} // namespace

batch_ptr view_rows(capnp::Data::Reader from, const buffer_ptr& message) {
  if (from.size() == 0)
    return nullptr;
  const auto at = reinterpret_cast<const std::byte*>(from.begin()) - message.as<std::byte>();
  const auto part = buffer_ptr::part(message, static_cast<std::size_t>(at), from.size());
  return std::make_shared<const batch>(sound(view_batch(part, from.size())));
}

std::vector<buffer_ptr> encode_rows(const peer_message& x) {
  std::vector<buffer_ptr> rows;
  if (const auto* items = std::get_if<peer_items>(&x))
    for (const auto& item : items->items)
      if (item.rows)
        rows.push_back(encode_batch(*item.rows));
  return rows;
}

void write(wire::PeerMessage::Builder to, const peer_message& x,
           const std::vector<buffer_ptr>& rows) {
  std::visit(peer_writer{to, rows}, x);
}

peer_message read(wire::PeerMessage::Reader from, const buffer_ptr& message) {
  switch (from.which()) {
  case wire::PeerMessage::HELLO: {
    const auto m = from.getHello();
    return peer_hello{text(m.getUid()), m.getPlacement(), m.getFrom(), m.getTo()};
  }
  case wire::PeerMessage::BEGIN: {
    const auto m = from.getBegin();
    return peer_begin{read_record(m.getStart()), read_texts(m.getOperators()),
                      text(m.getOutputFolder()), text(m.getSegmentFolder()),
                      m.getKeyGroups(),          m.getSmall()};
  }
  case wire::PeerMessage::READY:
    return peer_ready{};
  case wire::PeerMessage::GO:
    return peer_go{};
  case wire::PeerMessage::ITEMS:
    return read_items(from.getItems(), message);
  case wire::PeerMessage::CREDIT: {
    const auto m = from.getCredit();
    return peer_credit{m.getSubtask(), m.getOutput(), m.getTarget(), m.getBytes()};
  }
  case wire::PeerMessage::ORDER: {
    const auto m = from.getOrder();
    return peer_order{choice(m.getWhat(), peer_order::kind::abandon), m.getSubtask(), m.getEpoch(),
                      m.getBase(), m.getWhole()};
  }
  case wire::PeerMessage::REPORT: {
    const auto m = from.getReport();
    peer_report x{
        choice(m.getWhat(), peer_report::kind::unwritten), m.getSubtask(), m.getEpoch(), {}};
    if (m.hasProblem())
      x.problem = read(m.getProblem());
    return x;
  }
  case wire::PeerMessage::WRITTEN:
    return read_written(from.getWritten());
  case wire::PeerMessage::STATS:
    return read_stats(from.getStats());
  }
  KJ_FAIL_REQUIRE("a peer's message is of unknown kind");
}

} // namespace ebb::link_wire
