#include "actors/connectors/topic_output.hpp"

#include "actors/connectors/file_io.hpp"
#include "schemas/batch_codec.hpp"
#include "storage/segment_trailer.hpp"

#include <array>
#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <unistd.h>
#include <utility>

namespace ebb {

namespace {

constexpr std::string_view magic = "ebbtopo1";

enum class record_kind : std::uint32_t { rows = 1, end_of_request = 2, end_of_file = 3 };

struct record_header {
  record_kind kind = record_kind::rows;
  std::uint32_t count = 0; ///< of partitions
  std::uint64_t size = 0;  ///< of the batch or of the end's values
  digest128 digest;
};

constexpr std::size_t header_bytes = 32;
constexpr std::size_t digest_at = 16;
static_assert(sizeof(record_header) == header_bytes);

constexpr std::size_t padded(std::size_t bytes) noexcept {
  return (bytes + 7) & ~std::size_t{7};
}

std::size_t partition_bytes(std::uint32_t count) noexcept {
  return padded(count * sizeof(std::uint32_t));
}

// `record` holds the header without digest, and what follows.
digest128 digest_of(std::span<const char> record) {
  std::array<char, digest_at> start{};
  std::memcpy(start.data(), record.data(), digest_at);
  const auto rest = record.subspan(header_bytes);
  const auto of_rest = hash_bytes({rest.data(), rest.size()});
  std::array<char, digest_at + sizeof of_rest> both{};
  std::memcpy(both.data(), start.data(), digest_at);
  std::memcpy(both.data() + digest_at, &of_rest, sizeof of_rest);
  return hash_bytes({both.data(), both.size()});
}

// Fills in the digest.
void put_record(record_header header, std::span<const char> first, std::span<const char> second,
                output_buffer& out) {
  const auto first_bytes = padded(first.size());
  const auto bytes = header_bytes + first_bytes + second.size();
  char* const to = out.reserve(bytes);
  std::memcpy(to, &header, header_bytes);
  std::memset(to + header_bytes, 0, first_bytes);
  if (!first.empty())
    std::memcpy(to + header_bytes, first.data(), first.size());
  if (!second.empty())
    std::memcpy(to + header_bytes + first_bytes, second.data(), second.size());
  header.digest = digest_of({to, bytes});
  std::memcpy(to, &header, header_bytes);
  out.advance(to + bytes);
}

/// The records of a file, one after the other.
class record_reader {
public:
  record_reader(const descriptor& file, const std::string& path) : file_(file), path_(path) {}

  result<void> begin() {
    at_ = 0;
    EBB_ASSIGN(const auto start, take(magic.size()));
    if (std::string_view(start.as<char>(), magic.size()) != magic)
      return damaged();
    return {};
  }

  /// The next record, checked.
  result<void> next() {
    constexpr std::uint64_t size_max = batch_message_max;
    constexpr std::uint32_t count_max = 1U << 24;
    EBB_ASSIGN(const auto head, peek_header());
    if (head.size > size_max || head.count > count_max)
      return damaged();
    const auto bytes = header_bytes + partition_bytes(head.count) + head.size;
    EBB_ASSIGN(record_, take(bytes));
    if (digest_of({record_.as<char>(), bytes}) != head.digest)
      return damaged();
    header_ = head;
    return {};
  }

  [[nodiscard]] const record_header& header() const noexcept {
    return header_;
  }

  /// Of rows.
  [[nodiscard]] result<topic_part> part() const {
    topic_part made;
    const auto* partitions =
        record_.as<const std::uint32_t>() + header_bytes / sizeof(std::uint32_t);
    made.partitions.assign(partitions, partitions + header_.count);
    const auto message =
        buffer_ptr::part(record_, header_bytes + partition_bytes(header_.count), header_.size);
    auto rows = view_batch(message, header_.size);
    if (!rows || (header_.count != 1 && header_.count != rows->rows))
      return damaged();
    made.rows = std::make_shared<const batch>(*std::move(rows));
    return made;
  }

  /// Of the end of the file.
  [[nodiscard]] std::string_view end() const noexcept {
    return {record_.as<char>() + header_bytes, header_.size};
  }

  /// Whether nothing follows.
  [[nodiscard]] bool at_end() const noexcept {
    char more = 0;
    return ::pread(file_.number(), &more, 1, static_cast<off_t>(at_)) == 0;
  }

  [[nodiscard]] error damaged() const {
    return make_error(ec::corrupt, path_ + " is damaged, which holds committed output for a topic",
                      "restore it from a copy, or go back to a savepoint");
  }

private:
  result<buffer_ptr> read(std::size_t bytes) const {
    auto made = buffer_ptr::make(bytes);
    std::size_t done = 0;
    while (done < bytes) {
      const auto count = ::pread(file_.number(), made.as<char>() + done, bytes - done,
                                 static_cast<off_t>(at_ + done));
      if (count < 0 && errno == EINTR)
        continue;
      if (count < 0)
        return file_error("read", path_, errno);
      if (count == 0)
        return damaged();
      done += static_cast<std::size_t>(count);
    }
    return made;
  }

  result<record_header> peek_header() const {
    EBB_ASSIGN(const auto bytes, read(header_bytes));
    record_header head;
    std::memcpy(&head, bytes.as<char>(), header_bytes);
    return head;
  }

  result<buffer_ptr> take(std::size_t bytes) {
    EBB_ASSIGN(auto made, read(bytes));
    at_ += bytes;
    return made;
  }

  const descriptor& file_;
  const std::string& path_;
  std::uint64_t at_ = 0;
  record_header header_;
  buffer_ptr record_;
};

struct end_values {
  std::uint64_t generation = 0;
  std::uint64_t epoch = 0;
  std::uint64_t rows = 0;
};

/// Reads the whole file; the number of its requests.
result<std::uint64_t> check(record_reader& in, const sink_mark& mark) {
  std::uint64_t requests = 0;
  std::uint64_t rows = 0;
  bool open = false; // rows behind the last request's end
  EBB_TRY(in.begin());
  for (;;) {
    EBB_TRY(in.next());
    if (in.header().kind == record_kind::rows) {
      EBB_ASSIGN(const auto part, in.part());
      rows += part.rows->rows;
      open = true;
    } else if (in.header().kind == record_kind::end_of_request) {
      requests += open ? 1 : 0;
      open = false;
    } else if (in.header().kind == record_kind::end_of_file) {
      break;
    } else {
      return in.damaged();
    }
  }
  end_values expected;
  const auto bytes = in.end();
  if (bytes.size() < sizeof expected)
    return in.damaged();
  std::memcpy(&expected, bytes.data(), sizeof expected);
  if (open || !in.at_end() || expected.generation != mark.generation || expected.epoch != mark.epoch
      || expected.rows != rows || bytes.substr(sizeof expected) != mark.sink)
    return in.damaged();
  return requests;
}

/// The mark of a request but the last one.
std::string part_mark(const std::string& sink, std::uint64_t number) {
  return sink + '#' + std::to_string(number);
}

} // namespace

void topic_output_encoder::add(const topic_part& part, output_buffer& out) {
  EBB_ASSERT(part.partitions.size() == 1 || part.partitions.size() == part.rows->rows);
  if (part.rows->rows == 0)
    return;
  const auto message = encode_batch(*part.rows);
  if (rows_ == 0)
    out.append(magic);
  if (request_bytes_ != 0 && request_bytes_ + message.size() > topic_output_request) {
    put_record({record_kind::end_of_request, 0, 0, {}}, {}, {}, out);
    request_bytes_ = 0;
  }
  request_bytes_ += message.size();
  rows_ += part.rows->rows;
  const auto* partitions = reinterpret_cast<const char*>(part.partitions.data());
  put_record(
      {record_kind::rows, static_cast<std::uint32_t>(part.partitions.size()), message.size(), {}},
      {partitions, part.partitions.size() * sizeof(std::uint32_t)},
      {message.as<char>(), message.size()}, out);
}

void topic_output_encoder::end(const sink_mark& mark, output_buffer& out) {
  if (rows_ == 0)
    out.append(magic);
  put_record({record_kind::end_of_request, 0, 0, {}}, {}, {}, out);
  const end_values values{mark.generation, mark.epoch, std::exchange(rows_, 0)};
  std::string bytes(reinterpret_cast<const char*>(&values), sizeof values);
  bytes += mark.sink;
  put_record({record_kind::end_of_file, 0, bytes.size(), {}}, {}, bytes, out);
  request_bytes_ = 0;
}

result<void> append_topic_output(const std::string& path, const sink_mark& mark,
                                 const std::optional<sink_mark>& known,
                                 const std::function<append_answer(topic_append)>& append) {
  if (known && known->epoch >= mark.epoch)
    return {};
  const descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (file.number() < 0)
    return errno == ENOENT ? make_error(ec::corrupt,
                                        path + " is gone, which holds committed output for a topic",
                                        "put it back, or go back to a savepoint")
                           : file_error("open", path, errno);
  record_reader in(file, path);
  EBB_ASSIGN(const auto requests, check(in, mark));
  EBB_TRY(in.begin());
  for (std::uint64_t i = 0; i < requests; ++i) {
    topic_append request;
    for (;;) {
      EBB_TRY(in.next());
      if (in.header().kind != record_kind::rows)
        break;
      EBB_ASSIGN(auto part, in.part());
      request.parts.push_back(std::move(part));
    }
    request.mark = mark;
    if (i + 1 != requests)
      request.mark->sink = part_mark(mark.sink, i);
    const auto answer = append(std::move(request));
    if (answer.status != append_status::appended && answer.status != append_status::duplicate)
      return answer.problem;
  }
  return {};
}

std::string topic_mark_name(const std::string& stream_uid, const std::string& sink,
                            std::uint32_t lane) {
  return stream_uid + '/' + sink + '/' + std::to_string(lane);
}

} // namespace ebb
