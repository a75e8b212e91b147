#include "schemas/link_codec.hpp"

#include "schemas/link_parts.hpp"
#include "schemas/peer_parts.hpp"

#include <algorithm>
#include <cstring>
#include <memory>
#include <utility>

namespace ebb {

namespace {

using link_wire::read;
using link_wire::write;

struct message_writer {
  wire::LinkMessage::Builder to;
  const std::vector<buffer_ptr>& rows;

  void operator()(const heartbeat& x) {
    to.setHeartbeat(x.number);
  }

  void operator()(const worker_hello& x) {
    write(to.initHello(), x);
  }

  void operator()(const stream_started& x) {
    write(to.initStarted(), x);
  }

  void operator()(const stream_status& x) {
    write(to.initStatus(), x);
  }

  void operator()(const stream_ended& x) {
    write(to.initEnded(), x);
  }

  void operator()(const log_line& x) {
    write(to.initLogLine(), x);
  }

  void operator()(const topic_watch& x) {
    write(to.initWatch(), x);
  }

  void operator()(const link_call& x) {
    write(to.initCall(), x, rows);
  }

  void operator()(const savepoint_made& x) {
    write(to.initSavepointMade(), x);
  }

  void operator()(const control_welcome& x) {
    write(to.initWelcome(), x);
  }

  void operator()(const start_stream& x) {
    write(to.initStart(), x);
  }

  void operator()(const stop_stream& x) {
    write(to.initStop(), x);
  }

  void operator()(const savepoint_stream& x) {
    write(to.initSavepoint(), x);
  }

  void operator()(const topic_moved& x) {
    to.setMoved(text(x.uid));
  }

  void operator()(const call_answer& x) {
    write(to.initAnswer(), x, rows);
  }

  void operator()(const worker_shutdown&) {
    to.setShutdown();
  }

  void operator()(const peer_message& x) {
    write(to.initPeer(), x, rows);
  }

  void operator()(const worker_identity& x) {
    write(to.initIdentity(), x);
  }
};

result<link_message> read(wire::LinkMessage::Reader from, const buffer_ptr& bytes) {
  using wire_message = wire::LinkMessage;
  if (from.getVersion() != link_protocol)
    return make_error(ec::unsupported,
                      "the other side of the link speaks version "
                          + std::to_string(from.getVersion()) + " of its messages, this one "
                          + std::to_string(link_protocol),
                      "control process and workers must be of one version of ebb");
  switch (from.which()) {
  case wire_message::HEARTBEAT:
    return link_message{heartbeat{from.getHeartbeat()}};
  case wire_message::HELLO:
    return link_message{read(from.getHello())};
  case wire_message::STARTED:
    return link_message{read(from.getStarted())};
  case wire_message::STATUS:
    return link_message{read(from.getStatus())};
  case wire_message::ENDED:
    return link_message{read(from.getEnded())};
  case wire_message::LOG_LINE:
    return link_message{read(from.getLogLine())};
  case wire_message::WATCH:
    return link_message{read(from.getWatch())};
  case wire_message::CALL:
    return link_message{read(from.getCall())};
  case wire_message::SAVEPOINT_MADE:
    return link_message{read(from.getSavepointMade())};
  case wire_message::WELCOME:
    return link_message{read(from.getWelcome())};
  case wire_message::START:
    return link_message{read(from.getStart())};
  case wire_message::STOP:
    return link_message{read(from.getStop())};
  case wire_message::SAVEPOINT:
    return link_message{read(from.getSavepoint())};
  case wire_message::MOVED:
    return link_message{topic_moved{text(from.getMoved())}};
  case wire_message::ANSWER:
    return link_message{read(from.getAnswer(), bytes)};
  case wire_message::SHUTDOWN:
    return link_message{worker_shutdown{}};
  case wire_message::PEER:
    return link_message{read(from.getPeer(), bytes)};
  case wire_message::IDENTITY:
    return link_message{read(from.getIdentity())};
  }
  return make_error(ec::unsupported, "the other side of the link sent a message of unknown kind",
                    "control process and workers must be of one version of ebb");
}

// --- bytes ---------------------------------------------------------------------------------------

constexpr std::size_t word_bytes = sizeof(capnp::word);
constexpr std::size_t table_bytes = word_bytes; ///< of a message with one segment

// Builds in a buffer, behind room for the segment table. What does not fit goes elsewhere, and the
// message has to be built again with more room.
class buffer_builder final : public capnp::MessageBuilder {
public:
  explicit buffer_builder(std::size_t words)
      : words_(words), bytes_(buffer_ptr::make(table_bytes + words * word_bytes)) {
    std::memset(bytes_.as<std::byte>(), 0, table_bytes + words * word_bytes);
  }

  kj::ArrayPtr<capnp::word> allocateSegment(capnp::uint minimum) override {
    if (!std::exchange(used_, true) && minimum <= words_)
      return {bytes_.as<capnp::word>() + 1, words_};
    const auto size = std::max<std::size_t>(minimum, words_);
    overflow_.push_back(std::make_unique<capnp::word[]>(size));
    std::memset(static_cast<void*>(overflow_.back().get()), 0, size * word_bytes);
    return {overflow_.back().get(), size};
  }

  // The message, where it lies in one segment.
  [[nodiscard]] std::optional<buffer_ptr> take() {
    const auto segments = getSegmentsForOutput();
    if (segments.size() != 1 || !overflow_.empty())
      return std::nullopt;
    const auto words = static_cast<std::uint32_t>(segments[0].size());
    std::memcpy(bytes_.as<std::byte>() + sizeof words, &words, sizeof words);
    return buffer_ptr::part(bytes_, 0, table_bytes + words * word_bytes);
  }

private:
  std::size_t words_;
  buffer_ptr bytes_;
  bool used_ = false;
  std::vector<std::unique_ptr<capnp::word[]>> overflow_;
};

error unsound() {
  return make_error(ec::corrupt, "the other side of the link sent bytes that are no message",
                    "only control process and workers of ebb may use the link");
}

} // namespace

buffer_ptr encode(const link_message& x) {
  constexpr std::size_t small_words = 128;
  std::vector<buffer_ptr> rows;
  if (const auto* call = std::get_if<link_call>(&x))
    rows = link_wire::encode_rows(call->operation);
  else if (const auto* peer = std::get_if<peer_message>(&x))
    rows = link_wire::encode_rows(*peer);
  else if (const auto* answer = std::get_if<call_answer>(&x))
    rows = link_wire::encode_rows(*answer);
  auto words = small_words + link_wire::payload_bytes(x) / word_bytes;
  for (const auto& part : rows)
    words += part.size() / word_bytes + small_words;
  for (;;) {
    buffer_builder builder(words);
    auto root = builder.initRoot<wire::LinkMessage>();
    root.setVersion(link_protocol);
    std::visit(message_writer{root, rows}, x);
    if (auto bytes = builder.take())
      return *std::move(bytes);
    words = builder.sizeInWords() + small_words;
  }
}

result<link_message> decode_link_message(const buffer_ptr& bytes, std::size_t size) {
  std::uint32_t table[2] = {};
  if (size < table_bytes || size > bytes.size() || size % word_bytes != 0)
    return unsound();
  std::memcpy(table, bytes.as<std::byte>(), sizeof table);
  if (table[0] != 0 || table[1] != size / word_bytes - 1)
    return unsound();
  try {
    const kj::ArrayPtr<const capnp::word> segment{bytes.as<const capnp::word>() + 1, table[1]};
    capnp::ReaderOptions options;
    options.traversalLimitInWords = segment.size() * 2 + 1024;
    options.nestingLimit = 16;
    const kj::ArrayPtr<const capnp::word> segments[] = {segment};
    capnp::SegmentArrayMessageReader reader{segments, options};
    return read(reader.getRoot<wire::LinkMessage>(), bytes);
  } catch (const kj::Exception&) {
    return unsound();
  }
}

const char* to_string(log_level x) noexcept {
  switch (x) {
  case log_level::debug:
    return "debug";
  case log_level::info:
    return "info";
  case log_level::warning:
    return "warning";
  case log_level::error:
    return "error";
  }
  return "";
}

} // namespace ebb
