// Makes the certificates of an installation's links.
#include "actors/links/certificate_authority.hpp"
#include "actors/links/link_identity.hpp"
#include "actors/links/openssl_pointers.hpp"

#include <array>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <ctime>
#include <fcntl.h>
#include <memory>
#include <openssl/bio.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/x509v3.h>
#include <sys/stat.h>
#include <unistd.h>
#include <utility>

namespace ebb {

namespace {

constexpr std::int64_t day_seconds = 86'400;
constexpr std::int64_t years_seconds = 20 * 365 * day_seconds;
constexpr std::size_t serial_bytes = 16;

error openssl_error(const char* what) {
  std::array<char, 256> text{};
  ERR_error_string_n(ERR_get_error(), text.data(), text.size());
  ERR_clear_error();
  return make_error(ec::internal, std::string("OpenSSL cannot ") + what + ": " + text.data());
}

error file_error(const std::string& file, const char* what) {
  auto out = make_error(ec::io, std::string("cannot ") + what + ": " + std::strerror(errno),
                        "check that the data folder belongs to this user and has room");
  out.place.file = file;
  return out;
}

bool is_there(const std::string& path) {
  return ::access(path.c_str(), F_OK) == 0;
}

// Whole or not at all.
result<void> write_file(const std::string& path, const std::string& text) {
  const auto part = path + ".new";
  ::unlink(part.c_str());
  const int file = ::open(part.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, S_IRUSR | S_IWUSR);
  if (file < 0)
    return file_error(part, "make the file");
  const bool written = ::write(file, text.data(), text.size()) == static_cast<ssize_t>(text.size())
                       && ::fsync(file) == 0;
  const int problem = errno;
  ::close(file);
  errno = problem;
  if (!written || ::rename(part.c_str(), path.c_str()) != 0)
    return file_error(path, "write the file");
  return {};
}

result<std::string> text_of(const memory_pointer& memory, bool written, const char* what) {
  char* data = nullptr;
  const auto size = memory ? BIO_get_mem_data(memory.get(), &data) : 0;
  if (!written || size <= 0)
    return openssl_error(what);
  return std::string(data, static_cast<std::size_t>(size));
}

result<std::string> text_of(EVP_PKEY* key) {
  const memory_pointer memory(BIO_new(BIO_s_mem()));
  return text_of(memory,
                 PEM_write_bio_PrivateKey(memory.get(), key, nullptr, nullptr, 0, nullptr, nullptr)
                     == 1,
                 "write a key");
}

result<void> write_key(const std::string& path, EVP_PKEY* key) {
  EBB_ASSIGN(const auto text, text_of(key));
  return write_file(path, text);
}

/// `behind` may be null.
result<std::string> text_of(X509* certificate, X509* behind = nullptr) {
  const memory_pointer memory(BIO_new(BIO_s_mem()));
  const bool written = PEM_write_bio_X509(memory.get(), certificate) == 1
                       && (behind == nullptr || PEM_write_bio_X509(memory.get(), behind) == 1);
  return text_of(memory, written, "write a certificate");
}

result<void> write_certificate(const std::string& path, X509* certificate, X509* behind = nullptr) {
  EBB_ASSIGN(const auto text, text_of(certificate, behind));
  return write_file(path, text);
}

result<key_pointer> read_key(const std::string& path) {
  const memory_pointer file(BIO_new_file(path.c_str(), "r"));
  key_pointer key(file ? PEM_read_bio_PrivateKey(file.get(), nullptr, nullptr, nullptr) : nullptr);
  if (!key)
    return openssl_error("read the authority's key");
  return key;
}

result<certificate_pointer> read_certificate(const std::string& path) {
  const memory_pointer file(BIO_new_file(path.c_str(), "r"));
  certificate_pointer x(file ? PEM_read_bio_X509(file.get(), nullptr, nullptr, nullptr) : nullptr);
  if (!x)
    return openssl_error("read the authority's certificate");
  return x;
}

result<key_pointer> make_key() {
  key_pointer key(EVP_EC_gen("P-256"));
  if (!key)
    return openssl_error("make a key");
  return key;
}

bool add_extension(X509* to, X509* issuer, int number, const char* value) {
  X509V3_CTX context;
  X509V3_set_ctx_nodb(&context);
  X509V3_set_ctx(&context, issuer, to, nullptr, nullptr, 0);
  auto* extension = X509V3_EXT_conf_nid(nullptr, &context, number, value);
  const bool added = extension != nullptr && X509_add_ext(to, extension, -1) == 1;
  X509_EXTENSION_free(extension);
  return added;
}

bool set_serial(X509* to) {
  std::array<unsigned char, serial_bytes> bytes{};
  if (RAND_bytes(bytes.data(), static_cast<int>(bytes.size())) != 1)
    return false;
  bytes[0] &= 0x7FU; // a positive number
  auto* number = BN_bin2bn(bytes.data(), static_cast<int>(bytes.size()), nullptr);
  const bool done =
      number != nullptr && BN_to_ASN1_INTEGER(number, X509_get_serialNumber(to)) != nullptr;
  BN_free(number);
  return done;
}

struct validity {
  std::int64_t from = 0; ///< seconds since 1970
  std::int64_t to = 0;
};

// Clocks of machines differ.
validity for_years() {
  const auto now = static_cast<std::int64_t>(std::time(nullptr));
  return {now - day_seconds, now + years_seconds};
}

// `issuer` null: it signs itself, and may sign others. `names`: as OpenSSL writes subjectAltName.
result<certificate_pointer> make_certificate(const std::string& name, EVP_PKEY* key, X509* issuer,
                                             EVP_PKEY* issuer_key, const std::string& names = {},
                                             const validity& when = for_years()) {
  certificate_pointer x(X509_new());
  if (!x)
    return openssl_error("make a certificate");
  auto* subject = X509_get_subject_name(x.get());
  const bool is_authority = issuer == nullptr;
  auto* by = is_authority ? x.get() : issuer;
  constexpr long version_3 = 2;
  const bool made =
      X509_set_version(x.get(), version_3) == 1 && set_serial(x.get())
      && ASN1_TIME_set(X509_getm_notBefore(x.get()), when.from) != nullptr
      && ASN1_TIME_set(X509_getm_notAfter(x.get()), when.to) != nullptr
      && X509_set_pubkey(x.get(), key) == 1
      && X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_ASC,
                                    reinterpret_cast<const unsigned char*>(name.c_str()), -1, -1, 0)
             == 1
      && X509_set_issuer_name(x.get(), X509_get_subject_name(by)) == 1
      && add_extension(x.get(), by, NID_basic_constraints,
                       is_authority ? "critical,CA:TRUE,pathlen:0" : "critical,CA:FALSE")
      && add_extension(x.get(), by, NID_key_usage,
                       is_authority ? "critical,keyCertSign" : "critical,digitalSignature")
      && add_extension(x.get(), by, NID_subject_key_identifier, "hash")
      && add_extension(x.get(), by, NID_authority_key_identifier, "keyid:always")
      && (names.empty() || add_extension(x.get(), by, NID_subject_alt_name, names.c_str()))
      && X509_sign(x.get(), issuer_key, EVP_sha256()) > 0;
  if (!made)
    return openssl_error("make a certificate");
  return x;
}

} // namespace

result<void> link_identity::make(const std::string& folder, bool shared) {
  ERR_clear_error();
  if (::mkdir(folder.c_str(), S_IRWXU) != 0 && errno != EEXIST)
    return file_error(folder, "make the folder");
  const auto authority = folder + "/ca";
  const bool has_certificate = is_there(authority + ".pem");
  if (has_certificate && is_there(folder + "/control.pem")
      && (!shared || is_there(folder + "/worker.pem")))
    return {};
  if (has_certificate && !is_there(authority + ".key")) {
    auto out = make_error(
        ec::conflict, "certificates of links are missing, and so is the key that signs new ones",
        "put the files back, or remove the folder to have all made anew");
    out.place.file = folder;
    return out;
  }
  // A certificate is written behind its key, so that one that is there has its key.
  if (!has_certificate) {
    EBB_ASSIGN(const auto key, make_key());
    EBB_ASSIGN(const auto made, make_certificate("ebb links", key.get(), nullptr, key.get()));
    EBB_TRY(write_key(authority + ".key", key.get()));
    EBB_TRY(write_certificate(authority + ".pem", made.get()));
  }
  EBB_ASSIGN(const auto issuer_key, read_key(authority + ".key"));
  EBB_ASSIGN(const auto issuer, read_certificate(authority + ".pem"));
  for (const auto side : {link_side::control, link_side::worker}) {
    if (side == link_side::worker && !shared)
      continue;
    const auto base = folder + (side == link_side::control ? "/control" : "/worker");
    // Those of an authority that was replaced are worth nothing.
    if (has_certificate && is_there(base + ".pem"))
      continue;
    EBB_ASSIGN(const auto key, make_key());
    EBB_ASSIGN(const auto made,
               make_certificate(certificate_name(side), key.get(), issuer.get(), issuer_key.get()));
    EBB_TRY(write_key(base + ".key", key.get()));
    EBB_TRY(write_certificate(base + ".pem", made.get()));
  }
  return {};
}

struct certificate_authority::parts {
  key_pointer key;
  certificate_pointer certificate;
  std::string text; ///< of the certificate
};

certificate_authority::certificate_authority(std::unique_ptr<parts> made,
                                             const certificate_times& times)
    : parts_(std::move(made)), times_(times) {}

certificate_authority::~certificate_authority() = default;

result<std::shared_ptr<const certificate_authority>>
certificate_authority::load(const std::string& folder, const certificate_times& times) {
  ERR_clear_error();
  auto made = std::make_unique<parts>();
  EBB_ASSIGN(made->key, read_key(folder + "/ca.key"));
  EBB_ASSIGN(made->certificate, read_certificate(folder + "/ca.pem"));
  EBB_ASSIGN(made->text, text_of(made->certificate.get()));
  return std::shared_ptr<const certificate_authority>(
      new certificate_authority(std::move(made), times));
}

result<issued_identity> certificate_authority::issue(link_credential x, micros now) const {
  ERR_clear_error();
  const auto uri = uri_of(x);
  if (uri.empty())
    return make_error(ec::invalid_argument, "a certificate cannot name " + to_string(x));
  const validity when{(now - times_.slack) / micros_per_second,
                      (now + times_.lifetime) / micros_per_second};
  EBB_ASSIGN(const auto key, make_key());
  EBB_ASSIGN(const auto made,
             make_certificate(certificate_name(link_side::worker), key.get(),
                              parts_->certificate.get(), parts_->key.get(), "URI:" + uri, when));
  issued_identity out;
  out.authority = parts_->text;
  EBB_ASSIGN(out.certificate, text_of(made.get()));
  EBB_ASSIGN(out.key, text_of(key.get()));
  x.ends = when.to * micros_per_second;
  out.credential = std::move(x);
  return out;
}

result<std::shared_ptr<const link_identity>> issued_identity::open() const {
  return link_identity::of(authority, certificate, key);
}

result<void> link_identity::issue_server(const std::string& folder,
                                         const std::vector<std::string>& names) {
  ERR_clear_error();
  if (is_there(folder + "/http.pem"))
    return {};
  EBB_ASSIGN(const auto issuer_key, read_key(folder + "/ca.key"));
  EBB_ASSIGN(const auto issuer, read_certificate(folder + "/ca.pem"));
  std::string hosts = "IP:127.0.0.1";
  for (const auto& x : names)
    hosts += ",DNS:" + x;
  EBB_ASSIGN(const auto key, make_key());
  EBB_ASSIGN(const auto made,
             make_certificate("ebb http", key.get(), issuer.get(), issuer_key.get(), hosts));
  EBB_TRY(write_key(folder + "/http.key", key.get()));
  return write_certificate(folder + "/http.pem", made.get(), issuer.get());
}

} // namespace ebb
