@0xb1f5d1a5c3e0a7f1;

using Cxx = import "/capnp/c++.capnp";
$Cxx.namespace("ebb::wire");

# The one wire and disk form of a batch: the columns' arrays as they lie in memory, little-endian.
# A reader checks lengths and offsets once and then views the bytes where they are.

struct Batch {
  rows @0 :UInt32;
  columns @1 :List(Column);
  weights @2 :Data;     # i32 a row; empty = all +1
  watermarks @3 :Data;  # i64 a row; empty = no row lies behind its partition's watermark
  hashes @4 :Data;      # u64 a row; empty = not hashed
}

struct Type {
  kind @0 :UInt8;       # ebb::type_kind
  element @1 :UInt8;    # arrays
  precision @2 :Int16;
  scale @3 :Int16;
  length @4 :Int32;
}

struct Column {
  type @0 :Type;
  rows @1 :UInt32;
  scale @2 :Int16;        # NUMERIC without `scales`
  validity @3 :Data;      # a bit a row, set = not NULL; empty = no NULLs
  values @4 :Data;        # fixed-width values
  scales @5 :Data;        # NUMERIC: i16 a row; empty = one scale
  offsets @6 :Data;       # u32, rows + 1: into `bytes` (text, bytea, big NUMERICs) or the child
  bytes @7 :Data;
  child @8 :List(Column); # arrays: one column of elements
}
