#include "actors/links/frame_reader.hpp"

#include <algorithm>
#include <cstring>
#include <string>
#include <utility>

namespace ebb {

namespace {

constexpr std::size_t word_bytes = 8;
// Below this a body is put together from what was read for several frames at once.
constexpr std::size_t long_body = std::size_t{16} << 10;

std::uint32_t length_of(const std::array<std::byte, frame_head_bytes>& head) noexcept {
  std::uint32_t length = 0;
  for (std::size_t i = head.size(); i-- > 0;)
    length = length << 8 | std::to_integer<std::uint32_t>(head[i]);
  return length;
}

} // namespace

std::array<std::byte, frame_head_bytes> frame_head(std::uint32_t length) noexcept {
  std::array<std::byte, frame_head_bytes> head{};
  for (auto& x : head) {
    x = static_cast<std::byte>(length & 0xFFU);
    length >>= 8;
  }
  return head;
}

std::span<std::byte> frame_reader::room() noexcept {
  if (!body_ || size_ - have_ < long_body)
    return {};
  return {body_.as<std::byte>() + have_, size_ - have_};
}

void frame_reader::filled(std::size_t bytes) noexcept {
  EBB_ASSERT(body_ && bytes <= size_ - have_);
  have_ += bytes;
}

result<std::size_t> frame_reader::feed(std::span<const std::byte> bytes) {
  std::size_t taken = 0;
  if (!body_) {
    taken = std::min(bytes.size(), head_.size() - head_have_);
    std::copy_n(bytes.begin(), taken, head_.begin() + static_cast<std::ptrdiff_t>(head_have_));
    head_have_ += taken;
    if (head_have_ < head_.size())
      return taken;
    const std::size_t size = length_of(head_);
    if (size > link_message_max)
      return make_error(ec::corrupt,
                        "the other side of the link sent a frame of " + std::to_string(size)
                            + " bytes, more than " + std::to_string(link_message_max),
                        "only control process and workers of ebb may use the link");
    if (size == 0 || size % word_bytes != 0)
      return make_error(ec::corrupt,
                        "the other side of the link sent a frame of " + std::to_string(size)
                            + " bytes, which is no message",
                        "only control process and workers of ebb may use the link");
    body_ = buffer_ptr::make(size);
    size_ = size;
    have_ = 0;
  }
  const auto more = std::min(bytes.size() - taken, size_ - have_);
  if (more != 0)
    std::memcpy(body_.as<std::byte>() + have_, bytes.data() + taken, more);
  have_ += more;
  return taken + more;
}

frame_reader::frame frame_reader::take() noexcept {
  EBB_ASSERT(complete());
  head_have_ = 0;
  return {std::exchange(body_, {}), std::exchange(size_, 0)};
}

} // namespace ebb
