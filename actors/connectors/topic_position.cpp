#include "actors/connectors/topic_position.hpp"

#include "actors/connectors/position_codec.hpp"

namespace ebb {

namespace {

// Not the versions of other connectors: a source may be given another one.
constexpr std::uint8_t position_version = 0x71;

} // namespace

std::string encode(const topic_position& x) {
  position_writer out(position_version);
  out.put(std::string_view(x.topic));
  out.put(x.offset);
  return out.take();
}

result<topic_position> decode_topic_position(std::string_view bytes, const std::string& source) {
  position_reader in(bytes, position_version);
  topic_position made;
  made.topic = in.text();
  made.offset = in.number();
  EBB_TRY(in.finish(source));
  return made;
}

} // namespace ebb
