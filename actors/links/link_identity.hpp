/// Certificates of links between machines.
#pragma once

#include "actors/links/link_credential.hpp"
#include "schemas/error.hpp"

#include <memory>
#include <string>
#include <vector>

// OpenSSL's types.
struct ssl_ctx_st;
struct x509_st;

namespace ebb {

enum class link_side : unsigned char { control, worker };

/// What one side shows, and whom it believes: certificates that the installation's own authority
/// has signed for the other side, and no others. TLS 1.3.
///
/// DIR/ca.pem, ca.key, and NAME.pem, NAME.key of both sides. A worker on another machine needs
/// ca.pem, worker.pem and worker.key alone. To replace them all, remove the folder and start all
/// processes again.
class link_identity {
public:
  /// Makes what is missing in `folder`, as well as the folder (mode 0700), keys readable by the
  /// owner alone. By the control process, before it starts workers; others must not at the same
  /// time. `shared`: also the worker side's, for all workers of this machine; others get each their
  /// own (certificate_authority.hpp).
  /// ec::io; ec::conflict: some of the files are there and what is missing cannot be made.
  [[nodiscard]] static result<void> make(const std::string& folder, bool shared = true);

  /// http.pem (with the authority's behind it) and http.key in `folder`, for a server of these DNS
  /// names, where they are missing; by the authority there, which clients are to trust (ca.pem).
  [[nodiscard]] static result<void> issue_server(const std::string& folder,
                                                 const std::vector<std::string>& names);

  /// ec::invalid_argument where files are missing, broken or do not fit.
  [[nodiscard]] static result<std::shared_ptr<const link_identity>> load(const std::string& folder,
                                                                         link_side side);

  /// A worker's, of the same files' contents.
  [[nodiscard]] static result<std::shared_ptr<const link_identity>>
  of(const std::string& authority, const std::string& certificate, const std::string& key);

  /// What our own certificate says.
  [[nodiscard]] const link_credential& credential() const noexcept {
    return credential_;
  }

  [[nodiscard]] ssl_ctx_st* context() const noexcept {
    return context_.get();
  }

  [[nodiscard]] link_side side() const noexcept {
    return side_;
  }

private:
  struct free_context {
    void operator()(ssl_ctx_st* x) const noexcept;
  };

  explicit link_identity(link_side side);
  void set_up();

  std::unique_ptr<ssl_ctx_st, free_context> context_;
  link_side side_;
  link_credential credential_;
};

/// The name that a side's certificate has.
[[nodiscard]] const char* certificate_name(link_side x) noexcept;

/// What a certificate says of a worker; may be null.
[[nodiscard]] link_credential credential_of(const x509_st* x);

} // namespace ebb
