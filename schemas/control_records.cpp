#include "schemas/control_records.hpp"

#include "schemas/assert.hpp"

namespace ebb {

const char* to_string(stream_life x) noexcept {
  switch (x) {
  case stream_life::active:
    return "active";
  case stream_life::finished:
    return "finished";
  case stream_life::deleted:
    return "deleted";
  }
  EBB_UNREACHABLE("stream life");
}

const char* to_string(record_reason x) noexcept {
  switch (x) {
  case record_reason::interval:
    return "interval";
  case record_reason::savepoint:
    return "savepoint";
  case record_reason::final:
    return "final";
  }
  EBB_UNREACHABLE("record reason");
}

} // namespace ebb
