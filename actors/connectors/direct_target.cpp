#include "actors/connectors/direct_target.hpp"

#include "actors/connectors/exclusive_part.hpp"
#include "actors/connectors/file_digest.hpp"
#include "actors/connectors/output_tail.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <sys/stat.h>
#include <unistd.h>
#include <utility>

namespace ebb {

namespace {

class direct_target final : public output_target {
public:
  direct_target(descriptor file, compression method, std::uint64_t size, std::string shown)
      : file_(std::move(file)), method_(method), size_(size), shown_(std::move(shown)) {}

  result<void> write(const char* bytes, std::size_t size) override {
    if (!writer_) {
      EBB_ASSIGN(auto same, same_file(file_, shown_));
      writer_ = make_writer(std::move(same), method_, shown_);
    }
    size_ += size;
    return writer_->write(bytes, size);
  }

  result<sealed_output> seal(epoch_number) override {
    EBB_TRY(flush());
    EBB_TRY(sync_file(file_, shown_));
    sealed_output made;
    made.offset = size_;

    struct stat info {};

    // Compressed bytes are fewer than those that were taken.
    if (::fstat(file_.number(), &info) == 0 && S_ISREG(info.st_mode)) {
      made.offset = static_cast<std::uint64_t>(info.st_size);
      output_tail tail;
      EBB_TRY(tail.read(file_, made.offset, shown_));
      made.digest = tail.digest();
    }
    return made;
  }

  result<void> finish() override {
    EBB_TRY(flush());
    EBB_TRY(sync_file(file_, shown_));
    if (const int problem = file_.close(); problem != 0)
      return file_error("write", shown_, problem);
    return {};
  }

private:
  result<void> flush() {
    const auto writer = std::exchange(writer_, nullptr);
    return writer ? writer->finish() : result<void>{};
  }

  descriptor file_;
  compression method_;
  std::uint64_t size_;
  std::string shown_;
  std::unique_ptr<byte_writer> writer_;
};

} // namespace

std::unique_ptr<output_target> make_direct_target(descriptor file, compression method,
                                                  std::uint64_t size, const std::string& shown) {
  return std::make_unique<direct_target>(std::move(file), method, size, shown);
}

result<std::uint64_t> whole_size(const descriptor& file, bool lines, std::uint64_t recorded,
                                 const std::string& shown) {
  struct stat info {};

  if (::fstat(file.number(), &info) != 0)
    return file_error("read", shown, errno);
  auto end = static_cast<std::uint64_t>(info.st_size);
  if (!lines)
    return std::min(end, recorded);
  std::array<char, 4096> block{};
  while (end > recorded) {
    const auto from = end - std::min<std::uint64_t>(block.size(), end - recorded);
    const auto count = ::pread(file.number(), block.data(), static_cast<std::size_t>(end - from),
                               static_cast<off_t>(from));
    if (count < 0 && errno == EINTR)
      continue;
    if (count <= 0)
      return file_error("read", shown, count < 0 ? errno : EIO);
    const void* line_end = memrchr(block.data(), '\n', static_cast<std::size_t>(count));
    if (line_end != nullptr)
      return from + static_cast<std::uint64_t>(static_cast<const char*>(line_end) - block.data())
             + 1;
    end = from;
  }
  return end;
}

} // namespace ebb
