@0xd28bb8d082497302;

using Cxx = import "/capnp/c++.capnp";
$Cxx.namespace("ebb::wire");

# Values of the control database. The plain forms are in control_records.hpp.

struct Digest {
  high @0 :UInt64;
  low @1 :UInt64;
}

struct Segment {
  id @0 :Text;
  kind @1 :UInt8;       # ebb::segment_kind
  epoch @2 :UInt64;
  bytes @3 :UInt64;
  digest @4 :Digest;
  entries @5 :UInt64;
  firstKeyGroup @6 :UInt16;
  lastKeyGroup @7 :UInt16;
}

struct Stream {
  uid @0 :Text;
  name @1 :Text;
  manifest @2 :Text;
  plan @3 :Data;
  planFingerprint @4 :Text;
  operators @5 :List(Text);
  keyGroups @6 :UInt16;
  parallelism @7 :UInt32;
  generation @8 :UInt64;
  nextEpoch @9 :UInt64;
  life @10 :UInt8;      # ebb::stream_life
  created @11 :Int64;   # microseconds since 1970
  revision @12 :UInt64;
}

struct Position {
  source @0 :Text;
  partition @1 :UInt32;
  finished @2 :Bool;
  bytes @3 :Data;
}

struct Watermark {
  source @0 :Text;
  watermark @1 :Int64;  # microseconds since 1970
}

struct Output {
  sink @0 :Text;
  lane @1 :UInt32;
  epoch @2 :UInt64;
  file @3 :Text;
  bytes @4 :UInt64;
  digest @5 :Digest;
  target @6 :Data;
  offset @7 :UInt64;
  rows @8 :UInt64;
}

struct Checkpoint {
  uid @0 :Text;
  epoch @1 :UInt64;
  generation @2 :UInt64;
  when @3 :Int64;       # this and the phases: microseconds
  align @4 :Int64;
  serialise @5 :Int64;
  write @6 :Int64;
  commit @7 :Int64;
  reason @8 :UInt8;     # ebb::record_reason
  finished @9 :Bool;
  segments @10 :List(Segment);
  positions @11 :List(Position);
  watermarks @12 :List(Watermark);
  outputs @13 :List(Output);
  bytes @14 :UInt64;
}

struct Savepoint {
  name @0 :Text;
  when @1 :Int64;
  record @2 :Checkpoint;
}

struct Token {
  sink @0 :Text;
  lane @1 :UInt32;
  epoch @2 :UInt64;
  offset @3 :UInt64;
}

struct Topic {
  uid @0 :Text;
  name @1 :Text;
  manifest @2 :Text;
  created @3 :Int64;    # microseconds since 1970
  revision @4 :UInt64;
}

struct LifeInput {
  source @0 :Text;
  topic @1 :Text;       # uid
}

struct Life {
  uid @0 :Text;
  phase @1 :UInt8;      # this, reason and aim: ebb::lifecycle_record
  reason @2 :UInt8;
  aim @3 :UInt8;
  since @4 :Int64;      # times: microseconds since 1970
  nextWake @5 :Int64;
  placement @6 :UInt64;
  definition @7 :UInt64;
  failures @8 :UInt32;
  retryAt @9 :Int64;
  wakeTook @10 :Int64;
  message @11 :Text;
  hint @12 :Text;
  placed @13 :Bool;
}

struct Traits {
  uid @0 :Text;
  idleAfter @1 :Int64;  # microseconds
  cannotWake @2 :Text;
  parallelism @3 :UInt32;
  definition @4 :UInt64;
  inputs @5 :List(LifeInput);
  outputs @6 :List(Text);
  files @7 :List(Text);
  workers @8 :UInt32 = 1;
}
