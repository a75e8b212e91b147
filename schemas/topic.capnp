@0xe3a1c95d20b7f846;

using Cxx = import "/capnp/c++.capnp";
$Cxx.namespace("ebb::wire");

# Values of a topic's log. The plain forms are in topic_records.hpp. All lists of offsets have an
# entry for each partition.

struct TopicRange {
  partition @0 :UInt32;
  rows @1 :UInt32;
  first @2 :UInt64;
}

struct TopicHeader {
  format @0 :UInt32;
  uid @1 :Text;
  number @2 :UInt64;
  created @3 :Int64;          # microseconds since 1970, as all times here
  begins @4 :List(UInt64);
}

struct TopicSealed {
  number @0 :UInt64;
  bytes @1 :UInt64;
  transaction @2 :UInt64;
  firstTime @3 :Int64;
  lastTime @4 :Int64;
  begins @5 :List(UInt64);
}

struct TopicCatalog {
  version @0 :UInt64;
  sealed @1 :List(TopicSealed);
}

struct TopicSummary {
  transaction @0 :UInt64;
  catalogVersion @1 :UInt64;
  nextGroup @2 :UInt64;
  chunks @3 :UInt64;
  rows @4 :UInt64;
  firstTime @5 :Int64;
  lastTime @6 :Int64;
  ends @7 :List(UInt64);
  firstGroup @8 :UInt64;
  logged @9 :UInt64;
}

struct TopicRequest {
  kind @0 :UInt8;             # ebb::logged_kind
  starts @1 :Bool;
  rows @2 :UInt32;
  name @3 :Text;
  keyHigh @4 :UInt64;
  keyLow @5 :UInt64;
  epoch @6 :UInt64;
  sequence @7 :UInt64;
  ranges @8 :List(TopicRange);
}

struct TopicGroup {
  time @0 :Int64;
  requests @1 :List(TopicRequest);
}

struct TopicRemembered {
  sequence @0 :UInt64;
  rows @1 :UInt32;
  ranges @2 :List(TopicRange);
}

struct TopicProducer {
  name @0 :Text;
  epoch @1 :UInt64;
  nextSequence @2 :UInt64;
  lastTime @3 :Int64;
  requests @4 :List(TopicRemembered);
}

struct TopicKey {
  high @0 :UInt64;
  low @1 :UInt64;
  rows @2 :UInt32;
  time @3 :Int64;
  ranges @4 :List(TopicRange);
}

struct TopicMark {
  sink @0 :Text;
  generation @1 :UInt64;
  epoch @2 :UInt64;
}

struct TopicMemory {
  producers @0 :List(TopicProducer);
  keys @1 :List(TopicKey);
  marks @2 :List(TopicMark);
}
