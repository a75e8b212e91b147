#include "actors/links/tls_stream.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <climits>
#include <cstring>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <string_view>
#include <sys/socket.h>
#include <sys/uio.h>
#include <utility>

namespace ebb {

namespace {

// Of one record.
constexpr std::size_t record_bytes = 16'384;

// What records wait for together on their way into the socket, and are read together: a call into
// the kernel for each record would cost more than its encryption.
constexpr std::size_t gathered_bytes = 8 * record_bytes;
// Of a record besides its bytes: head, type, tag.
constexpr std::size_t record_overhead = 64;

/// The socket below OpenSSL, whose own way to it raises SIGPIPE.
class record_socket {
public:
  explicit record_socket(int socket) : socket_(socket) {}

  /// Owned by whom it is set for; refers to this.
  [[nodiscard]] BIO* bio() {
    auto* made = BIO_new(method());
    EBB_ASSERT(made != nullptr);
    BIO_set_data(made, this);
    BIO_set_init(made, 1);
    return made;
  }

  [[nodiscard]] bool holds_bytes() const noexcept {
    return sent_ != out_.size();
  }

  enum class flushed : std::uint8_t { all, some, failed };

  /// `errno` says why it failed.
  flushed flush() {
    while (holds_bytes()) {
      const auto sent =
          ::send(socket_, out_.data() + sent_, out_.size() - sent_, MSG_DONTWAIT | MSG_NOSIGNAL);
      if (sent < 0 && errno == EINTR)
        continue;
      if (sent < 0)
        return errno == EAGAIN || errno == EWOULDBLOCK ? flushed::some : flushed::failed;
      sent_ += static_cast<std::size_t>(sent);
    }
    sent_ = 0;
    out_.clear();
    if (out_.capacity() > record_bytes + record_overhead)
      std::string().swap(out_); // a link at rest holds no more than a record
    return flushed::all;
  }

private:
  static record_socket& self(BIO* bio) {
    return *static_cast<record_socket*>(BIO_get_data(bio));
  }

  static int write(BIO* bio, const char* data, int size) {
    BIO_clear_retry_flags(bio);
    auto& x = self(bio);
    if (x.out_.size() >= gathered_bytes)
      switch (x.flush()) {
      case flushed::all:
        break;
      case flushed::some:
        BIO_set_retry_write(bio);
        return -1;
      case flushed::failed:
        return -1;
      }
    x.out_.append(data, static_cast<std::size_t>(size));
    return size;
  }

  static int read(BIO* bio, char* data, int size) {
    BIO_clear_retry_flags(bio);
    for (;;) {
      const auto got =
          ::recv(self(bio).socket_, data, static_cast<std::size_t>(size), MSG_DONTWAIT);
      if (got < 0 && errno == EINTR)
        continue;
      if (got < 0 && (errno == EAGAIN || errno == EWOULDBLOCK))
        BIO_set_retry_read(bio);
      if (got == 0)
        BIO_set_flags(bio, BIO_FLAGS_IN_EOF);
      return static_cast<int>(got);
    }
  }

  static long control(BIO* bio, int command, long /*number*/, void* /*pointer*/) {
    if (command == BIO_CTRL_EOF)
      return BIO_test_flags(bio, BIO_FLAGS_IN_EOF) != 0 ? 1 : 0;
    if (command != BIO_CTRL_FLUSH)
      return 0;
    BIO_clear_retry_flags(bio);
    const auto how = self(bio).flush();
    if (how == flushed::some)
      BIO_set_retry_write(bio);
    return how == flushed::all ? 1 : -1;
  }

  static const BIO_METHOD* method() {
    static const BIO_METHOD* const made = [] {
      auto* x = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "link socket");
      EBB_ASSERT(x != nullptr);
      BIO_meth_set_write(x, write);
      BIO_meth_set_read(x, read);
      BIO_meth_set_ctrl(x, control);
      return x;
    }();
    return made;
  }

  int socket_;
  std::string out_;
  std::size_t sent_ = 0; ///< of `out_`
};

class tls final : public link_stream {
public:
  tls(int socket, std::shared_ptr<const link_identity> identity, tls_role role, link_side other)
      : identity_(std::move(identity)), other_(other), socket_(socket) {
    ERR_clear_error();
    tls_.reset(SSL_new(identity_->context()));
    EBB_ASSERT(tls_);
    // The first is what both take: as strong as is needed, and the fastest with AES instructions.
    SSL_set_ciphersuites(tls_.get(), "TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384:"
                                     "TLS_CHACHA20_POLY1305_SHA256");
    SSL_set_read_ahead(tls_.get(), 1);
    SSL_set_default_read_buffer_len(tls_.get(), gathered_bytes);
    auto* bio = socket_.bio();
    SSL_set_bio(tls_.get(), bio, bio);
    if (role == tls_role::server)
      SSL_set_accept_state(tls_.get());
    else
      SSL_set_connect_state(tls_.get());
  }

  step handshake() override {
    ERR_clear_error();
    const auto done = SSL_do_handshake(tls_.get());
    if (done != 1)
      return outcome_of(done);
    const auto* expected = certificate_name(other_);
    if (const auto name = peer_name(); name != expected) {
      problem_ = "the other side shows the certificate of " + name + ", and not of " + expected;
      return {outcome::failed, 0};
    }
    return {outcome::moved, 0};
  }

  step read(std::span<std::byte> to) override {
    ERR_clear_error();
    const auto got = SSL_read(tls_.get(), to.data(),
                              static_cast<int>(std::min<std::size_t>(to.size(), INT_MAX)));
    return got > 0 ? step{outcome::moved, static_cast<std::size_t>(got)} : outcome_of(got);
  }

  // A record that OpenSSL could not send has to be offered again as it was, so it is kept here and
  // counts as taken.
  step write(std::span<const iovec> pieces) override {
    step all{outcome::moved, 0};
    piece_taken_ = 0;
    for (;;) {
      if (record_size_ == 0) {
        all.bytes += fill(pieces);
        if (record_size_ == 0)
          return flush(all);
      }
      ERR_clear_error();
      const auto sent = SSL_write(tls_.get(), record_.data() + record_sent_,
                                  static_cast<int>(record_size_ - record_sent_));
      if (sent <= 0) {
        all.what = outcome_of(sent).what;
        // After the handshake nothing of TLS 1.3 makes a writer wait for bytes.
        if (all.what == outcome::want_read)
          all.what = outcome::failed;
        return all;
      }
      record_sent_ += static_cast<std::size_t>(sent);
      if (record_sent_ == record_size_)
        record_sent_ = record_size_ = 0;
    }
  }

  [[nodiscard]] bool holds_bytes() const noexcept override {
    return record_size_ != 0 || socket_.holds_bytes();
  }

  [[nodiscard]] std::string problem() const override {
    return problem_;
  }

  [[nodiscard]] link_credential shown() const override {
    return credential_of(SSL_get0_peer_certificate(tls_.get()));
  }

  [[nodiscard]] bool exclusive() const noexcept override {
    return true;
  }

private:
  step flush(step all) {
    switch (socket_.flush()) {
    case record_socket::flushed::all:
      return all;
    case record_socket::flushed::some:
      all.what = outcome::want_write;
      return all;
    case record_socket::flushed::failed:
      problem_ = std::strerror(errno);
      all.what = outcome::failed;
      return all;
    }
    return all;
  }

  struct free_tls {
    void operator()(SSL* x) const noexcept {
      SSL_free(x);
    }
  };

  // Takes the next bytes from the pieces.
  std::size_t fill(std::span<const iovec>& pieces) {
    while (!pieces.empty() && record_size_ < record_.size()) {
      const auto& piece = pieces.front();
      const auto size = std::min(piece.iov_len - piece_taken_, record_.size() - record_size_);
      std::memcpy(record_.data() + record_size_,
                  static_cast<const char*>(piece.iov_base) + piece_taken_, size);
      record_size_ += size;
      piece_taken_ += size;
      if (piece_taken_ == piece.iov_len) {
        pieces = pieces.subspan(1);
        piece_taken_ = 0;
      }
    }
    return record_size_;
  }

  [[nodiscard]] std::string peer_name() const {
    std::array<char, 64> name{};
    auto* certificate = SSL_get0_peer_certificate(tls_.get());
    if (certificate == nullptr
        || X509_NAME_get_text_by_NID(X509_get_subject_name(certificate), NID_commonName,
                                     name.data(), name.size())
               <= 0)
      return "nobody";
    return name.data();
  }

  step outcome_of(int returned) {
    const int number = errno;
    switch (SSL_get_error(tls_.get(), returned)) {
    case SSL_ERROR_WANT_READ:
      return {outcome::want_read, 0};
    case SSL_ERROR_WANT_WRITE:
      return {outcome::want_write, 0};
    case SSL_ERROR_ZERO_RETURN:
      return {outcome::ended, 0};
    case SSL_ERROR_SYSCALL:
      problem_ = number != 0 ? std::strerror(number) : "the other side has closed it";
      return {outcome::failed, 0};
    default: {
      std::array<char, 256> text{};
      const auto verified = SSL_get_verify_result(tls_.get());
      ERR_error_string_n(ERR_get_error(), text.data(), text.size());
      ERR_clear_error();
      problem_ = verified != X509_V_OK ? X509_verify_cert_error_string(verified) : text.data();
      return {outcome::failed, 0};
    }
    }
  }

  const std::shared_ptr<const link_identity> identity_;
  const link_side other_;
  record_socket socket_; // outlives what refers to it
  std::unique_ptr<SSL, free_tls> tls_;
  std::array<char, record_bytes> record_;
  std::size_t record_size_ = 0;
  std::size_t record_sent_ = 0;
  std::size_t piece_taken_ = 0; ///< of the first piece that is left, within one call
  std::string problem_;
};

} // namespace

std::unique_ptr<link_stream> tls_stream(int socket, std::shared_ptr<const link_identity> identity,
                                        tls_role role, link_side other) {
  return std::make_unique<tls>(socket, std::move(identity), role, other);
}

} // namespace ebb
