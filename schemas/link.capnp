@0xb0e6a47c51d3928f;

using Cxx = import "/capnp/c++.capnp";
$Cxx.namespace("ebb::wire");

# Messages between the control process and its workers. The plain forms are in link_records.hpp
# and link_operations.hpp. Streams, records, savepoints and tokens are messages of control.capnp,
# rows of batch.capnp; where one may be missing, no bytes are none. Times: microseconds since 1970.

struct LinkError {
  code @0 :UInt8;         # ebb::ec
  hasRow @1 :Bool;
  line @2 :UInt32;
  column @3 :UInt32;
  row @4 :UInt32;
  message @5 :Text;
  file @6 :Text;
  field @7 :Text;
  hint @8 :Text;
  excerpt @9 :Text;
}

struct LinkHosted {
  uid @0 :Text;
  placement @1 :UInt64;
  generation @2 :UInt64;
  reason @3 :Text;
  part @4 :UInt32;
}

struct LinkHello {
  version @0 :Text;
  pid @1 :Int64;
  name @2 :Text;
  session @3 :UInt64;
  hosted @4 :List(LinkHosted);
  peers @5 :Text;
  time @6 :Int64;
}

struct LinkStarted {
  uid @0 :Text;
  placement @1 :UInt64;
  generation @2 :UInt64;
  notes @3 :List(Text);
}

struct LinkCounts {
  name @0 :Text;
  first @1 :UInt64;       # source, sink: rows; operator: rows in
  second @2 :UInt64;      # bytes; rows out
  third @3 :UInt64;       # source: bad rows; operator: late rows
  fourth @4 :UInt64;      # operator: bytes of state
}

struct LinkPosition {
  source @0 :Text;
  partition @1 :UInt32;
  offset @2 :UInt64;
}

struct LinkStatus {
  uid @0 :Text;
  placement @1 :UInt64;
  busy @2 :Bool;
  activity @3 :UInt64;
  nextTimer @4 :Int64;
  watermark @5 :Int64;
  stateBytes @6 :UInt64;
  sources @7 :List(LinkCounts);
  operators @8 :List(LinkCounts);
  sinks @9 :List(LinkCounts);
  positions @10 :List(LinkPosition);
  completed @11 :UInt64;
  failed @12 :UInt64;
  last @13 :UInt64;
  longest @14 :Int64;
  alarm @15 :Text;
  batches @16 :UInt64;
  blocked @17 :Int64;
  mapped @18 :Int64;
  firstRecord @19 :Int64;
  firstOutput @20 :Int64;
  heldBack @21 :Text;
}

struct LinkEnded {
  uid @0 :Text;
  placement @1 :UInt64;
  cut @2 :Bool;
  finished @3 :Bool;
  problem @4 :LinkError;  # null = none
  nextTimer @5 :Int64;
  positions @6 :List(LinkPosition);
  part @7 :UInt32;
}

struct LinkField {
  name @0 :Text;
  value @1 :Text;
}

struct LinkLogLine {
  uid @0 :Text;
  level @1 :UInt8;        # ebb::log_level
  time @2 :Int64;
  text @3 :Text;
  fields @4 :List(LinkField);
}

struct LinkWatch {
  uid @0 :Text;
  on @1 :Bool;
}

struct LinkMark {
  sink @0 :Text;
  generation @1 :UInt64;
  epoch @2 :UInt64;
}

struct LinkProducer {
  producer @0 :Text;
  epoch @1 :UInt64;
  firstSequence @2 :UInt64;
}

struct LinkPart {
  rows @0 :Data;
  partitions @1 :List(UInt32);
}

struct LinkAppend {
  parts @0 :List(LinkPart);
  producer @1 :LinkProducer;  # null = none
  key @2 :Text;
  mark @3 :LinkMark;          # null = none
}

struct LinkDigest {
  high @0 :UInt64;
  low @1 :UInt64;
}

struct LinkCall {
  id @0 :UInt64;
  settled @1 :UInt64;
  uid @2 :Text;
  placement @3 :UInt64;
  operation @4 :UInt16;       # place in ebb::call_operation
  # What operations have as arguments; each uses some.
  subject @5 :Text;           # uid or name of the stream, uid or name of the topic
  name @6 :Text;              # of a savepoint; path of a file
  generation @7 :UInt64;
  count @8 :UInt64;           # epochs to reserve, records to retain
  entry @9 :Data;             # stream or record
  tokens @10 :List(Data);
  names @11 :List(Text);      # savepoints, files
  append @12 :LinkAppend;     # of the mark alone where the rows are in a file
  partition @13 :UInt32;
  offset @14 :UInt64;         # of a row or a byte
  bytes @15 :UInt64;          # of a file, or that are asked for
  area @16 :UInt8;            # ebb::stored_area
  piece @17 :Data;
  whole @18 :LinkDigest;      # of the file; null = more pieces come
}

struct LinkMade {
  id @0 :UInt64;
  epoch @1 :UInt64;
  problem @2 :LinkError;      # null = none
}

struct LinkWelcome {
  incarnation @0 :UInt64;
  accepted @1 :List(LinkHosted);
  refused @2 :List(LinkHosted);
}

struct LinkStart {
  uid @0 :Text;
  placement @1 :UInt64;
  name @2 :Text;
  nameSpace @3 :Text;
  folder @4 :Text;
  dataFolder @5 :Text;
  manifest @6 :Text;
  parallelism @7 :UInt32;
  savepoint @8 :Text;
  pastOutput @9 :UInt8;       # ebb::link_past_output
  part @10 :UInt32;
  peers @11 :List(Text);
  trace @12 :Text;
}

struct LinkStop {
  uid @0 :Text;
  placement @1 :UInt64;
  kill @2 :Bool;
}

struct LinkSavepoint {
  id @0 :UInt64;
  uid @1 :Text;
  placement @2 :UInt64;
  name @3 :Text;
}

struct LinkIdentity {
  authority @0 :Text;
  certificate @1 :Text;
  key @2 :Text;
}

struct LinkColumn {
  name @0 :Text;
  kind @1 :UInt8;             # this and the element: ebb::type_kind
  element @2 :UInt8;
  notNull @3 :Bool;
  precision @4 :Int16;
  scale @5 :Int16;
  length @6 :Int32;
}

struct LinkTopic {
  uid @0 :Text;
  name @1 :Text;
  folder @2 :Text;
  partitions @3 :UInt32;
  columns @4 :List(LinkColumn);
  key @5 :Text;
  changes @6 :Bool;
  primaryKey @7 :List(Text);
}

struct LinkRange {
  partition @0 :UInt32;
  rows @1 :UInt32;
  first @2 :UInt64;
}

struct LinkAppended {
  status @0 :UInt8;           # ebb::append_status
  hasExpected @1 :Bool;
  expected @2 :UInt64;
  time @3 :Int64;
  ranges @4 :List(LinkRange);
  problem @5 :LinkError;
}

struct LinkBound {
  begin @0 :UInt64;
  end @1 :UInt64;
}

struct LinkRows {
  first @0 :UInt64;
  time @1 :Int64;
  rows @2 :Data;
}

struct LinkSlice {
  batches @0 :List(LinkRows);
  next @1 :UInt64;
  end @2 :UInt64;
}

struct LinkAnswer {
  id @0 :UInt64;
  union {
    problem @1 :LinkError;
    nothing @2 :Void;
    number @3 :UInt64;
    stream @4 :Data;
    maybeStream @5 :Data;
    records @6 :List(Data);
    maybeRecord @7 :Data;
    savepoints @8 :List(Data);
    maybeSavepoint @9 :Data;
    tokens @10 :List(Data);
    names @11 :List(Text);
    topic @12 :LinkTopic;
    appended @13 :LinkAppended;
    bounds @14 :List(LinkBound);
    slice @15 :LinkSlice;
    bytes @16 :Data;
  }
}

# Between workers that share a stream (peer_records.hpp).

struct PeerHello {
  uid @0 :Text;
  placement @1 :UInt64;
  from @2 :UInt32;
  to @3 :UInt32;
}

struct PeerBegin {
  start @0 :Data;             # checkpoint record
  operators @1 :List(Text);
  outputFolder @2 :Text;
  segmentFolder @3 :Text;
  keyGroups @4 :UInt16;
  small @5 :UInt64;
}

struct PeerItem {
  what @0 :UInt8;             # ebb::channel_signal
  time @1 :Int64;
  rows @2 :Data;
  bytes @3 :UInt64;
  epoch @4 :UInt64;
}

struct PeerItems {
  subtask @0 :UInt32;
  input @1 :UInt32;
  channel @2 :UInt32;
  items @3 :List(PeerItem);
}

struct PeerCredit {
  subtask @0 :UInt32;
  output @1 :UInt32;
  target @2 :UInt32;
  bytes @3 :UInt64;
}

struct PeerOrder {
  what @0 :UInt8;             # ebb::peer_order::kind
  subtask @1 :UInt32;
  epoch @2 :UInt64;
  base @3 :UInt64;
  whole @4 :Bool;
}

struct PeerReport {
  what @0 :UInt8;             # ebb::peer_report::kind
  subtask @1 :UInt32;
  epoch @2 :UInt64;
  problem @3 :LinkError;      # null = none
}

struct PeerSource {
  name @0 :Text;
  ended @1 :Bool;
  positions @2 :UInt32;
}

struct PeerWritten {
  part @0 :Data;              # checkpoint record
  sources @1 :List(PeerSource);
  watermark @2 :Int64;
  aligned @3 :Int64;
  made @4 :Int64;
}

struct PeerStats {
  subtask @0 :UInt32;
  watermark @1 :Int64;
  nextTime @2 :Int64;
  counters @3 :List(UInt64);
}

struct PeerMessage {
  union {
    hello @0 :PeerHello;
    begin @1 :PeerBegin;
    ready @2 :Void;
    go @3 :Void;
    items @4 :PeerItems;
    credit @5 :PeerCredit;
    order @6 :PeerOrder;
    report @7 :PeerReport;
    written @8 :PeerWritten;
    stats @9 :PeerStats;
  }
}

struct LinkMessage {
  version @0 :UInt16;         # ebb::link_protocol
  union {
    heartbeat @1 :UInt64;
    hello @2 :LinkHello;
    started @3 :LinkStarted;
    status @4 :LinkStatus;
    ended @5 :LinkEnded;
    logLine @6 :LinkLogLine;
    watch @7 :LinkWatch;
    call @8 :LinkCall;
    savepointMade @9 :LinkMade;
    welcome @10 :LinkWelcome;
    start @11 :LinkStart;
    stop @12 :LinkStop;
    savepoint @13 :LinkSavepoint;
    moved @14 :Text;
    answer @15 :LinkAnswer;
    shutdown @16 :Void;
    peer @17 :PeerMessage;
    identity @18 :LinkIdentity;
  }
}
