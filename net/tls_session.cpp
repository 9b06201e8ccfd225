#include "net/tls_session.h"

#include <arpa/inet.h>
#include <openssl/err.h>
#include <openssl/x509v3.h>

#include <cerrno>
#include <cstring>

namespace anabranch::net {

namespace {

bool is_ip_address(const std::string& host) {
  in6_addr place{};
  return inet_pton(AF_INET, host.c_str(), &place) == 1 ||
         inet_pton(AF_INET6, host.c_str(), &place) == 1;
}

}  // namespace

TlsSession::TlsSession(std::shared_ptr<TlsContext> context, int fd, bool as_server,
                       const std::string& host)
    : context_(std::move(context)), ssl_(SSL_new(context_->get())), as_server_(as_server) {
  SSL* ssl = ssl_.get();
  SSL_set_fd(ssl, fd);
  if (as_server) {
    SSL_set_accept_state(ssl);
    return;
  }
  SSL_set_connect_state(ssl);
  if (is_ip_address(host)) {
    if (context_->verify()) X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(ssl), host.c_str());
    return;
  }
  SSL_set_tlsext_host_name(ssl, host.c_str());
  if (!context_->verify()) return;
  SSL_set_hostflags(ssl, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
  SSL_set1_host(ssl, host.c_str());
}

void TlsSession::begin_with(std::string_view received) {
  BIO* beginning = BIO_new(BIO_s_mem());
  BIO_set_mem_eof_return(beginning, -1);  // at its end there is more to come
  BIO_write(beginning, received.data(), static_cast<int>(received.size()));
  SSL_set0_rbio(ssl_.get(), beginning);
  reads_beginning_ = true;
}

/// True: from here on what is read is the descriptor's.
bool TlsSession::go_on_with_descriptor() {
  if (!reads_beginning_) return false;
  reads_beginning_ = false;
  BIO* descriptor = SSL_get_wbio(ssl_.get());
  BIO_up_ref(descriptor);
  SSL_set0_rbio(ssl_.get(), descriptor);
  return true;
}

Transfer TlsSession::handshake() {
  ERR_clear_error();
  int result = SSL_do_handshake(ssl_.get());
  // Nobody can finish a handshake before having heard of us: what came early has then been read.
  if (result != 1 && SSL_want_read(ssl_.get()) && go_on_with_descriptor())
    result = SSL_do_handshake(ssl_.get());
  if (result == 1) {
    usable_ = true;
    return Transfer::done;
  }
  const Transfer what = outcome(result);
  const long verdict = SSL_get_verify_result(ssl_.get());
  if (what == Transfer::failed && verdict != X509_V_OK) {
    failure_ = std::string("certificate refused: ") + X509_verify_cert_error_string(verdict);
  }
  if (what == Transfer::end) failure_ = "the peer closed the connection during the TLS handshake";
  return what;
}

Transfer TlsSession::read(char* into, std::size_t room, std::size_t& count) {
  ERR_clear_error();
  const int result = SSL_read_ex(ssl_.get(), into, room, &count);
  return result == 1 ? Transfer::done : outcome(result);
}

Transfer TlsSession::write(const char* bytes, std::size_t size, std::size_t& count) {
  ERR_clear_error();
  const int result = SSL_write_ex(ssl_.get(), bytes, size, &count);
  return result == 1 ? Transfer::done : outcome(result);
}

Transfer TlsSession::outcome(int result) {
  const int system_error = errno;
  switch (SSL_get_error(ssl_.get(), result)) {
    case SSL_ERROR_WANT_READ:
      return Transfer::want_read;
    case SSL_ERROR_WANT_WRITE:
      return Transfer::want_write;
    case SSL_ERROR_ZERO_RETURN:
      return Transfer::end;
    case SSL_ERROR_SYSCALL:
      usable_ = false;
      failure_ = system_error ? std::strerror(system_error) : "connection lost";
      return Transfer::failed;
    default:
      break;
  }
  usable_ = false;
  const unsigned long code = ERR_peek_last_error();
  // A peer that goes without close_notify: our protocols frame themselves, so it is a plain end.
  if (ERR_GET_REASON(code) == SSL_R_UNEXPECTED_EOF_WHILE_READING) {
    ERR_clear_error();
    return Transfer::end;
  }
  const char* text = ERR_reason_error_string(code);
  failure_ = text ? text : "TLS failure";
  ERR_clear_error();
  return Transfer::failed;
}

void TlsSession::shutdown() {
  if (!usable_) return;
  usable_ = false;
  ERR_clear_error();
  SSL_shutdown(ssl_.get());
  ERR_clear_error();
}

std::string TlsSession::alpn() const {
  const unsigned char* name = nullptr;
  unsigned int length = 0;
  SSL_get0_alpn_selected(ssl_.get(), &name, &length);
  return {reinterpret_cast<const char*>(name), length};
}

std::string TlsSession::peer_common_name() const {
  if (SSL_get_verify_result(ssl_.get()) != X509_V_OK) return {};
  return common_name(SSL_get0_peer_certificate(ssl_.get()));
}

std::string TlsSession::channel_binding() const {
  return server_end_point(as_server_ ? SSL_get_certificate(ssl_.get())
                                     : SSL_get0_peer_certificate(ssl_.get()));
}

}  // namespace anabranch::net
