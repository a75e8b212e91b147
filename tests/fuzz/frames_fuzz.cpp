// What a link reads: the first byte says in which pieces it comes, then frames. However it is cut,
// the same messages are read and the same error ends them; what was read can be written, and is the
// same when it is read again, byte for byte.

#include "actors/links/frame_reader.hpp"
#include "schemas/link_codec.hpp"
#include "tests/fuzz/support.hpp"

#include <algorithm>
#include <cstring>
#include <optional>
#include <string>
#include <vector>

namespace {

using namespace ebb; // NOLINT

struct outcome {
  std::vector<std::string> messages; ///< as they are written
  std::optional<error> problem;

  bool operator==(const outcome&) const = default;
};

std::string bytes_of(const link_message& x) {
  const auto bytes = encode(x);
  EBB_FUZZ_CHECK(bytes.size() % 8 == 0, std::to_string(bytes.size()));
  return {bytes.as<char>(), bytes.size()};
}

// In memory that ends where the message does.
buffer_ptr copy_of(std::string_view bytes) {
  auto copy = buffer_ptr::make(std::max<std::size_t>(1, bytes.size()));
  std::memcpy(copy.as<char>(), bytes.data(), bytes.size());
  return copy;
}

void check_link_error(const error& x) {
  EBB_FUZZ_CHECK(x.code == ec::corrupt || x.code == ec::unsupported, to_string(x));
  EBB_FUZZ_CHECK(!x.message.empty() && !x.hint.empty(), to_string(x));
  fuzz::check_error(x);
}

std::string check_message(const frame_reader::frame& frame, std::optional<error>& problem) {
  const auto message = decode_link_message(frame.bytes, frame.size);
  if (!message) {
    problem = message.error();
    return {};
  }
  auto once = bytes_of(*message);
  const auto again = decode_link_message(copy_of(once), once.size());
  EBB_FUZZ_CHECK(static_cast<bool>(again), to_string(again.error()));
  EBB_FUZZ_CHECK(again->index() == message->index(), "another kind");
  EBB_FUZZ_CHECK(bytes_of(*again) == once, "the second encoding differs");
  return once;
}

// As a connection reads, `step` bytes at a time.
outcome read(std::string_view bytes, std::size_t step) {
  outcome out;
  frame_reader reader;
  while (!bytes.empty()) {
    auto piece = std::as_bytes(std::span(bytes)).first(std::min(step, bytes.size()));
    bytes.remove_prefix(piece.size());
    while (!piece.empty()) {
      if (const auto room = reader.room(); !room.empty()) {
        const auto taken = std::min(room.size(), piece.size());
        std::memcpy(room.data(), piece.data(), taken);
        reader.filled(taken);
        piece = piece.subspan(taken);
      } else {
        const auto taken = reader.feed(piece);
        if (!taken) {
          out.problem = taken.error();
          return out;
        }
        EBB_FUZZ_CHECK(*taken > 0 && *taken <= piece.size(), std::to_string(*taken));
        piece = piece.subspan(*taken);
      }
      if (!reader.complete())
        continue;
      auto written = check_message(reader.take(), out.problem);
      if (out.problem)
        return out;
      out.messages.push_back(std::move(written));
    }
  }
  return out;
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  fuzz::input in(data, size);
  const std::size_t step = 1 + in.byte();
  const auto whole = read(in.rest(), std::max<std::size_t>(1, size));
  const auto cut = read(in.rest(), step);
  EBB_FUZZ_CHECK(whole == cut, std::to_string(whole.messages.size()) + " messages, "
                                   + std::to_string(cut.messages.size()) + " when cut");
  if (whole.problem)
    check_link_error(*whole.problem);
  return 0;
}
