/// gzip and zstd as streams of bytes, for file_io.
#include "actors/connectors/file_io.hpp"

#include <array>
#include <vector>
#include <zlib.h>
#include <zstd.h>

namespace ebb {

namespace {

constexpr std::size_t block_size = std::size_t{128} << 10;
constexpr int gzip_window = 15 + 16; // 15 bits of window, with gzip's header and trailer
constexpr int gzip_level = 6;
constexpr int zstd_level = 3;

error damaged(const std::string& shown, const char* format, const char* what) {
  return make_error(ec::corrupt, shown + ": damaged " + format + " data: " + what,
                    "check the file with the program that made it; its ending says how it is "
                    "compressed");
}

/// What both readers share: compressed bytes waiting to be expanded.
class expander : public byte_reader {
public:
  expander(std::unique_ptr<byte_reader> source, std::string shown)
      : source_(std::move(source)), shown_(std::move(shown)), input_(block_size) {}

protected:
  /// Reads on when all input is used up. False at the end of the file.
  result<bool> refill() {
    if (used_ != size_)
      return true;
    auto count = source_->read(input_.data(), input_.size());
    if (!count)
      return std::move(count).error();
    used_ = 0;
    size_ = *count;
    return size_ != 0;
  }

  std::unique_ptr<byte_reader> source_;
  std::string shown_;
  std::vector<char> input_;
  std::size_t used_ = 0;
  std::size_t size_ = 0;
  bool inside_ = false; ///< a member or frame has begun and not ended
};

class gzip_reader final : public expander {
public:
  using expander::expander;

  ~gzip_reader() override {
    if (ready_)
      inflateEnd(&state_);
  }

  result<std::size_t> read(char* to, std::size_t room) override {
    state_.next_out = reinterpret_cast<Bytef*>(to);
    state_.avail_out = static_cast<uInt>(room);
    while (state_.avail_out != 0) {
      EBB_ASSIGN(const bool more, refill());
      if (!more) {
        if (inside_)
          return damaged(shown_, "gzip", "it ends too early");
        break;
      }
      // A file may be several members, one after the other.
      if (!inside_ && !begin())
        return make_error(ec::resource, "no memory to expand " + shown_);
      state_.next_in = reinterpret_cast<Bytef*>(input_.data() + used_);
      state_.avail_in = static_cast<uInt>(size_ - used_);
      const int status = inflate(&state_, Z_NO_FLUSH);
      used_ = size_ - state_.avail_in;
      if (status == Z_STREAM_END)
        inside_ = false;
      else if (status != Z_OK && status != Z_BUF_ERROR)
        return damaged(shown_, "gzip", state_.msg == nullptr ? "bad bytes" : state_.msg);
    }
    return room - state_.avail_out;
  }

private:
  bool begin() {
    inside_ = true;
    if (ready_)
      return inflateReset(&state_) == Z_OK;
    ready_ = inflateInit2(&state_, gzip_window) == Z_OK;
    return ready_;
  }

  z_stream state_{};
  bool ready_ = false;
};

class zstd_reader final : public expander {
public:
  zstd_reader(std::unique_ptr<byte_reader> source, std::string shown)
      : expander(std::move(source), std::move(shown)), state_(ZSTD_createDStream()) {}

  ~zstd_reader() override {
    ZSTD_freeDStream(state_);
  }

  zstd_reader(const zstd_reader&) = delete;
  zstd_reader& operator=(const zstd_reader&) = delete;

  result<std::size_t> read(char* to, std::size_t room) override {
    if (state_ == nullptr)
      return make_error(ec::resource, "no memory to expand " + shown_);
    ZSTD_outBuffer out{to, room, 0};
    while (out.pos != out.size) {
      // Expanded bytes may still wait inside zstd when all input is used up.
      if (!held_) {
        EBB_ASSIGN(const bool more, refill());
        if (!more) {
          if (inside_)
            return damaged(shown_, "zstd", "it ends too early");
          break;
        }
      }
      ZSTD_inBuffer in{input_.data(), size_, used_};
      const auto status = ZSTD_decompressStream(state_, &out, &in);
      used_ = in.pos;
      if (ZSTD_isError(status) != 0)
        return damaged(shown_, "zstd", ZSTD_getErrorName(status));
      inside_ = status != 0;
      held_ = inside_ && out.pos == out.size;
    }
    return out.pos;
  }

private:
  ZSTD_DStream* state_;
  bool held_ = false;
};

/// What both writers share: a block of compressed bytes on its way to the file.
class shrinker : public byte_writer {
public:
  shrinker(std::unique_ptr<byte_writer> target, std::string shown)
      : target_(std::move(target)), shown_(std::move(shown)), output_(block_size) {}

protected:
  result<void> hand_over(std::size_t size) {
    if (size == 0)
      return {};
    return target_->write(output_.data(), size);
  }

  std::unique_ptr<byte_writer> target_;
  std::string shown_;
  std::vector<char> output_;
};

class gzip_writer final : public shrinker {
public:
  gzip_writer(std::unique_ptr<byte_writer> target, std::string shown)
      : shrinker(std::move(target), std::move(shown)) {
    ready_ =
        deflateInit2(&state_, gzip_level, Z_DEFLATED, gzip_window, 8, Z_DEFAULT_STRATEGY) == Z_OK;
  }

  ~gzip_writer() override {
    if (ready_)
      deflateEnd(&state_);
  }

  gzip_writer(const gzip_writer&) = delete;
  gzip_writer& operator=(const gzip_writer&) = delete;

  result<void> write(const char* bytes, std::size_t size) override {
    return run(bytes, size, Z_NO_FLUSH);
  }

  result<void> flush() override {
    EBB_TRY(run(nullptr, 0, Z_SYNC_FLUSH));
    return target_->flush();
  }

  result<void> finish() override {
    EBB_TRY(run(nullptr, 0, Z_FINISH));
    return target_->finish();
  }

private:
  result<void> run(const char* bytes, std::size_t size, int mode) {
    if (!ready_)
      return make_error(ec::resource, "no memory to compress " + shown_);
    state_.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(bytes));
    state_.avail_in = static_cast<uInt>(size);
    do {
      state_.next_out = reinterpret_cast<Bytef*>(output_.data());
      state_.avail_out = static_cast<uInt>(output_.size());
      if (deflate(&state_, mode) == Z_STREAM_ERROR)
        return make_error(ec::internal, "zlib refused to compress " + shown_);
      EBB_TRY(hand_over(output_.size() - state_.avail_out));
    } while (state_.avail_out == 0);
    return {};
  }

  z_stream state_{};
  bool ready_ = false;
};

class zstd_writer final : public shrinker {
public:
  zstd_writer(std::unique_ptr<byte_writer> target, std::string shown)
      : shrinker(std::move(target), std::move(shown)), state_(ZSTD_createCStream()) {
    if (state_ != nullptr) {
      ZSTD_CCtx_setParameter(state_, ZSTD_c_compressionLevel, zstd_level);
      ZSTD_CCtx_setParameter(state_, ZSTD_c_checksumFlag, 1);
    }
  }

  ~zstd_writer() override {
    ZSTD_freeCStream(state_);
  }

  zstd_writer(const zstd_writer&) = delete;
  zstd_writer& operator=(const zstd_writer&) = delete;

  result<void> write(const char* bytes, std::size_t size) override {
    return run(bytes, size, ZSTD_e_continue);
  }

  result<void> flush() override {
    EBB_TRY(run(nullptr, 0, ZSTD_e_flush));
    return target_->flush();
  }

  result<void> finish() override {
    EBB_TRY(run(nullptr, 0, ZSTD_e_end));
    return target_->finish();
  }

private:
  result<void> run(const char* bytes, std::size_t size, ZSTD_EndDirective mode) {
    if (state_ == nullptr)
      return make_error(ec::resource, "no memory to compress " + shown_);
    ZSTD_inBuffer in{bytes, size, 0};
    for (;;) {
      ZSTD_outBuffer out{output_.data(), output_.size(), 0};
      const auto left = ZSTD_compressStream2(state_, &out, &in, mode);
      if (ZSTD_isError(left) != 0)
        return make_error(ec::internal,
                          "zstd refused to compress " + shown_ + ": " + ZSTD_getErrorName(left));
      EBB_TRY(hand_over(out.pos));
      if (mode == ZSTD_e_continue ? in.pos == in.size : left == 0)
        return {};
    }
  }

  ZSTD_CStream* state_;
};

} // namespace

std::unique_ptr<byte_reader> decompress(compression method, std::unique_ptr<byte_reader> source,
                                        const std::string& shown) {
  switch (method) {
  case compression::none:
    return source;
  case compression::gzip:
    return std::make_unique<gzip_reader>(std::move(source), shown);
  case compression::zstd:
    return std::make_unique<zstd_reader>(std::move(source), shown);
  }
  EBB_UNREACHABLE("a compression");
}

std::unique_ptr<byte_writer> compress(compression method, std::unique_ptr<byte_writer> target,
                                      const std::string& shown) {
  switch (method) {
  case compression::none:
    return target;
  case compression::gzip:
    return std::make_unique<gzip_writer>(std::move(target), shown);
  case compression::zstd:
    return std::make_unique<zstd_writer>(std::move(target), shown);
  }
  EBB_UNREACHABLE("a compression");
}

} // namespace ebb
