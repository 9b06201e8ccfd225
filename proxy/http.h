#pragma once

#include <expected>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "conf/config.h"

namespace anabranch::proxy {

/// What the HTTP port answers; called on the HTTP server's own threads.
struct HttpPages {
  std::function<std::string()> metrics;  ///< Prometheus text format
  /// Ready: empty. Otherwise what is missing, one line each.
  std::function<std::vector<std::string>()> missing;
  std::function<std::string()> status;   ///< an HTML page for people
};

/// /metrics, /healthz, /readyz and the status page at /. Ends when destroyed.
class HttpServer {
 public:
  /// The error is a sentence.
  static std::expected<std::unique_ptr<HttpServer>, std::string> start(
      const std::vector<conf::Address>& addresses, HttpPages pages);
  ~HttpServer();
  HttpServer(const HttpServer&) = delete;
  HttpServer& operator=(const HttpServer&) = delete;

 private:
  explicit HttpServer(HttpPages pages);
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace anabranch::proxy
