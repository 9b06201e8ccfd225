#pragma once

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <memory>
#include <string>

#include "net/tls.h"

/// A self-signed certificate made on the spot, in files of a temporary folder.
struct TlsMaterial {
  std::filesystem::path folder;
  std::string certificate_file;
  std::string key_file;

  explicit TlsMaterial(const std::string& name = "localhost") {
    std::string pattern =
        (std::filesystem::temp_directory_path() / "anabranch-tls-XXXXXX").string();
    folder = mkdtemp(pattern.data());
    certificate_file = folder / "cert.pem";
    key_file = folder / "key.pem";
    EVP_PKEY* key = EVP_EC_gen("P-256");
    X509* certificate = X509_new();
    X509_set_version(certificate, 2);
    ASN1_INTEGER_set(X509_get_serialNumber(certificate), 1);
    X509_gmtime_adj(X509_getm_notBefore(certificate), -3600);
    X509_gmtime_adj(X509_getm_notAfter(certificate), 3600);
    X509_set_pubkey(certificate, key);
    X509_NAME* subject = X509_get_subject_name(certificate);
    X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_ASC,
                               reinterpret_cast<const unsigned char*>(name.c_str()), -1, -1, 0);
    X509_set_issuer_name(certificate, subject);
    add_extension(certificate, NID_subject_alt_name, "DNS:" + name + ",IP:127.0.0.1");
    add_extension(certificate, NID_basic_constraints, "critical,CA:TRUE");
    X509_sign(certificate, key, EVP_sha256());
    std::FILE* file = std::fopen(certificate_file.c_str(), "w");
    PEM_write_X509(file, certificate);
    std::fclose(file);
    file = std::fopen(key_file.c_str(), "w");
    PEM_write_PrivateKey(file, key, nullptr, nullptr, 0, nullptr, nullptr);
    std::fclose(file);
    X509_free(certificate);
    EVP_PKEY_free(key);
  }
  TlsMaterial(const TlsMaterial&) = delete;
  TlsMaterial& operator=(const TlsMaterial&) = delete;
  ~TlsMaterial() { std::filesystem::remove_all(folder); }

  std::shared_ptr<anabranch::net::TlsContext> server(const std::string& client_ca = {}) const {
    return anabranch::net::TlsContext::server({certificate_file, key_file, client_ca}).value();
  }
  std::shared_ptr<anabranch::net::TlsContext> client(bool verify) const {
    return anabranch::net::TlsContext::client({certificate_file, "", "", verify}).value();
  }

 private:
  static void add_extension(X509* certificate, int nid, const std::string& value) {
    X509_EXTENSION* extension = X509V3_EXT_conf_nid(nullptr, nullptr, nid, value.c_str());
    X509_add_ext(certificate, extension, -1);
    X509_EXTENSION_free(extension);
  }
};
