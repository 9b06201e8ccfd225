#include "net/tls.h"

#include <fmt/core.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/objects.h>
#include <openssl/x509.h>

#include <array>

namespace anabranch::net {

namespace {

std::string reason() {
  const unsigned long code = ERR_peek_last_error();
  const char* text = ERR_reason_error_string(code);
  ERR_clear_error();
  return text ? text : "unknown reason";
}

void set_common_options(SSL_CTX* context) {
  SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION);
  SSL_CTX_set_mode(context, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER |
                                SSL_MODE_RELEASE_BUFFERS);
  SSL_CTX_set_options(context, SSL_OP_NO_COMPRESSION | SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_TICKET);
  SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
  SSL_CTX_set_read_ahead(context, 1);  // a record's head and body in one system call
}

std::expected<void, std::string> load_identity(SSL_CTX* context, const std::string& certificate,
                                               const std::string& key) {
  if (SSL_CTX_use_certificate_chain_file(context, certificate.c_str()) != 1) {
    return std::unexpected(fmt::format("certificate file \"{}\": {}", certificate, reason()));
  }
  if (SSL_CTX_use_PrivateKey_file(context, key.c_str(), SSL_FILETYPE_PEM) != 1) {
    return std::unexpected(fmt::format("private key file \"{}\": {}", key, reason()));
  }
  if (SSL_CTX_check_private_key(context) != 1) {
    return std::unexpected(
        fmt::format("private key file \"{}\" does not fit the certificate: {}", key, reason()));
  }
  return {};
}

/// A client that names protocols must name PostgreSQL's: it may mean another server (RFC 7301).
int choose_protocol(SSL*, const unsigned char** chosen, unsigned char* length,
                    const unsigned char* offered, unsigned int offered_length, void*) {
  static constexpr std::array<unsigned char, 11> ours = {10,  'p', 'o', 's', 't', 'g',
                                                         'r', 'e', 's', 'q', 'l'};
  unsigned char* agreed = nullptr;
  if (SSL_select_next_proto(&agreed, length, ours.data(), ours.size(), offered, offered_length) !=
      OPENSSL_NPN_NEGOTIATED) {
    return SSL_TLSEXT_ERR_ALERT_FATAL;
  }
  *chosen = agreed;
  return SSL_TLSEXT_ERR_OK;
}

}  // namespace

std::shared_ptr<TlsContext> TlsContext::adopt(SSL_CTX* context, bool verify) {
  set_common_options(context);
  auto shared = std::make_shared<TlsContext>();
  shared->context_.reset(context);
  shared->verify_ = verify;
  return shared;
}

std::expected<std::shared_ptr<TlsContext>, std::string> TlsContext::server(
    const ServerFiles& files) {
  auto shared = adopt(SSL_CTX_new(TLS_server_method()));
  SSL_CTX* context = shared->get();
  SSL_CTX_set_options(context, SSL_OP_CIPHER_SERVER_PREFERENCE);
  SSL_CTX_set_alpn_select_cb(context, choose_protocol, nullptr);
  if (auto loaded = load_identity(context, files.certificate, files.key); !loaded) {
    return std::unexpected(loaded.error());
  }
  if (files.client_ca.empty()) return shared;
  if (SSL_CTX_load_verify_locations(context, files.client_ca.c_str(), nullptr) != 1) {
    return std::unexpected(fmt::format("CA file \"{}\": {}", files.client_ca, reason()));
  }
  SSL_CTX_set_client_CA_list(context, SSL_load_client_CA_file(files.client_ca.c_str()));
  // Asked for but not demanded: whether a user needs one is the session's to decide.
  SSL_CTX_set_verify(context, SSL_VERIFY_PEER, nullptr);
  return shared;
}

std::expected<std::shared_ptr<TlsContext>, std::string> TlsContext::client(
    const ClientFiles& files) {
  auto shared = adopt(SSL_CTX_new(TLS_client_method()), files.verify);
  SSL_CTX* context = shared->get();
  if (!files.certificate.empty()) {
    if (auto loaded = load_identity(context, files.certificate, files.key); !loaded) {
      return std::unexpected(loaded.error());
    }
  }
  if (!files.verify) return shared;
  const int trusted = files.ca.empty()
                          ? SSL_CTX_set_default_verify_paths(context)
                          : SSL_CTX_load_verify_locations(context, files.ca.c_str(), nullptr);
  if (trusted != 1) return std::unexpected(fmt::format("CA file \"{}\": {}", files.ca, reason()));
  SSL_CTX_set_verify(context, SSL_VERIFY_PEER, nullptr);
  return shared;
}

std::string server_end_point(X509* certificate) {
  int digest = NID_undef;
  if (!certificate ||
      OBJ_find_sigid_algs(X509_get_signature_nid(certificate), &digest, nullptr) != 1) {
    return {};
  }
  if (digest == NID_md5 || digest == NID_sha1) digest = NID_sha256;
  const EVP_MD* algorithm = EVP_get_digestbynid(digest);
  std::array<unsigned char, EVP_MAX_MD_SIZE> hash{};
  unsigned int length = 0;
  if (!algorithm || X509_digest(certificate, algorithm, hash.data(), &length) != 1) return {};
  return {reinterpret_cast<const char*>(hash.data()), length};
}

std::string common_name(X509* certificate) {
  if (!certificate) return {};
  const X509_NAME* subject = X509_get_subject_name(certificate);
  const int index = X509_NAME_get_index_by_NID(subject, NID_commonName, -1);
  if (index < 0) return {};
  unsigned char* text = nullptr;
  const int length =
      ASN1_STRING_to_UTF8(&text, X509_NAME_ENTRY_get_data(X509_NAME_get_entry(subject, index)));
  if (length < 0) return {};
  std::string name(reinterpret_cast<const char*>(text), static_cast<std::size_t>(length));
  OPENSSL_free(text);
  // A zero byte inside would let one name pass for another.
  return name.find('\0') == std::string::npos ? name : std::string();
}

}  // namespace anabranch::net
