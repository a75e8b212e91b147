/// Bytes to and from a socket that never blocks, in the clear or by TLS.
#pragma once

#include "schemas/error.hpp"

#include <cstddef>
#include <initializer_list>
#include <memory>
#include <string>
#include <string_view>

// OpenSSL's types.
struct ssl_st;
struct ssl_ctx_st;

namespace ebb {

/// Certificate, key and rules of a TLS server: TLS 1.2 and 1.3, HTTP/1.1.
class tls_identity {
public:
  /// Both are PEM files. ec::invalid_argument where they cannot be read or do not fit.
  [[nodiscard]] static result<tls_identity> load(const std::string& certificate,
                                                 const std::string& key);

  [[nodiscard]] ssl_ctx_st* context() const noexcept {
    return context_.get();
  }

private:
  struct free_context {
    void operator()(ssl_ctx_st* x) const noexcept;
  };

  std::unique_ptr<ssl_ctx_st, free_context> context_;
};

/// The socket belongs to the caller. OpenSSL reads and writes it itself, with buffers that it gives
/// back when nothing is under way: what an idle connection costs counts more than a copy.
class transport {
public:
  enum class outcome { moved, want_read, want_write, ended, failed };

  struct step {
    outcome what = outcome::failed;
    std::size_t bytes = 0;
  };

  /// `identity` null: in the clear.
  transport(int socket, const tls_identity* identity);

  /// `moved` when it is complete; at once in the clear.
  [[nodiscard]] step handshake();
  [[nodiscard]] step read(char* to, std::size_t bytes);

  /// Of the pieces, in order, as much as goes.
  [[nodiscard]] step write(std::initializer_list<std::string_view> pieces);

  /// The peer sees the end of the bytes.
  void end_writing();

  /// Bytes may be left in it that the socket does not tell of.
  [[nodiscard]] bool encrypted() const noexcept {
    return tls_ != nullptr;
  }

private:
  struct free_tls {
    void operator()(ssl_st* x) const noexcept;
  };

  [[nodiscard]] step outcome_of(int returned);

  int socket_;
  std::unique_ptr<ssl_st, free_tls> tls_;
};

} // namespace ebb
