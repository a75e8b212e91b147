// Messages but calls and answers.
#include "schemas/link_parts.hpp"

#include <utility>

namespace ebb::link_wire {

namespace {

std::optional<error> read_problem(bool there, wire::LinkError::Reader from) {
  return there ? std::optional(link_wire::read(from)) : std::nullopt;
}

void write(wire::LinkHosted::Builder to, const hosted_stream& x) {
  to.setUid(text(x.uid));
  to.setPlacement(x.placement);
  to.setGeneration(x.generation);
  to.setPart(x.part);
}

void read(wire::LinkHosted::Reader from, hosted_stream& x) {
  x = {text(from.getUid()), from.getPlacement(), from.getGeneration(), from.getPart()};
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

} // namespace

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

void write(wire::LinkHello::Builder to, const worker_hello& x) {
  to.setVersion(text(x.version));
  to.setPid(x.pid);
  to.setName(text(x.name));
  to.setSession(x.session);
  write_all(to.initHosted(count(x.hosted)), x.hosted);
  to.setPeers(text(x.peers));
  to.setTime(x.time);
}

worker_hello read(wire::LinkHello::Reader from) {
  worker_hello x;
  x.version = text(from.getVersion());
  x.pid = from.getPid();
  x.name = text(from.getName());
  x.session = from.getSession();
  read_all(from.getHosted(), x.hosted);
  x.peers = text(from.getPeers());
  x.time = from.getTime();
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
  to.setBatches(x.batches);
  to.setBlocked(x.blocked);
  to.setMapped(x.mapped);
  to.setFirstRecord(x.first_record);
  to.setFirstOutput(x.first_output);
  to.setHeldBack(text(x.held_back));
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
  x.batches = from.getBatches();
  x.blocked = from.getBlocked();
  x.mapped = from.getMapped();
  x.first_record = from.getFirstRecord();
  x.first_output = from.getFirstOutput();
  x.held_back = text(from.getHeldBack());
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
  to.setPart(x.part);
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
  x.part = from.getPart();
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

void write(wire::LinkIdentity::Builder to, const worker_identity& x) {
  to.setAuthority(text(x.authority));
  to.setCertificate(text(x.certificate));
  to.setKey(text(x.key));
}

worker_identity read(wire::LinkIdentity::Reader from) {
  return {text(from.getAuthority()), text(from.getCertificate()), text(from.getKey())};
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
  to.setPart(x.part);
  write_texts(to.initPeers(count(x.peers)), x.peers);
  to.setTrace(text(x.trace));
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
  x.part = from.getPart();
  x.peers = read_texts(from.getPeers());
  x.trace = text(from.getTrace());
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

} // namespace ebb::link_wire
