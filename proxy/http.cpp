#include "proxy/http.h"

#include <civetweb.h>
#include <fmt/format.h>

#include "net/fault.h"

namespace anabranch::proxy {

namespace {

void respond(mg_connection* connection, int status, std::string_view phrase, std::string_view type,
             std::string_view body) {
  const std::string head = fmt::format(
      "HTTP/1.1 {} {}\r\nContent-Type: {}\r\nContent-Length: {}\r\nCache-Control: no-store\r\n"
      "Connection: close\r\n\r\n",
      status, phrase, type, body.size());
  mg_write(connection, head.data(), head.size());
  mg_write(connection, body.data(), body.size());
}

constexpr std::string_view plain = "text/plain; charset=utf-8";

/// What one path answers. Only GET and HEAD come here as requests worth a body.
void answer(mg_connection* connection, const HttpPages& pages) {
  const mg_request_info* request = mg_get_request_info(connection);
  const std::string_view path = request->local_uri;
  if (std::string_view(request->request_method) != "GET") {
    respond(connection, 405, "Method Not Allowed", plain, "only GET is answered here\n");
  } else if (path == "/metrics") {
    respond(connection, 200, "OK", "text/plain; version=0.0.4; charset=utf-8", pages.metrics());
  } else if (path == "/healthz") {
    respond(connection, 200, "OK", plain, "ok\n");
  } else if (path == "/readyz") {
    const std::vector<std::string> missing = pages.missing();
    if (missing.empty()) {
      respond(connection, 200, "OK", plain, "ready\n");
    } else {
      respond(connection, 503, "Service Unavailable", plain,
              fmt::format("not ready\n{}\n", fmt::join(missing, "\n")));
    }
  } else if (path == "/") {
    respond(connection, 200, "OK", "text/html; charset=utf-8", pages.status());
  } else {
    respond(connection, 404, "Not Found", plain, "try /, /metrics, /healthz or /readyz\n");
  }
}

int handle(mg_connection* connection, void* data) {
  const HttpPages& pages = *static_cast<const HttpPages*>(data);
  net::guarded("an HTTP request", [&] { answer(connection, pages); });
  return 1;
}

int keep_silent(const mg_connection*, const char*) { return 1; }

}  // namespace

struct HttpServer::Impl {
  HttpPages pages;
  mg_context* context = nullptr;
};

HttpServer::HttpServer(HttpPages pages) : impl_(std::make_unique<Impl>(std::move(pages), nullptr)) {}

HttpServer::~HttpServer() {
  if (impl_->context != nullptr) mg_stop(impl_->context);
}

std::expected<std::unique_ptr<HttpServer>, std::string> HttpServer::start(
    const std::vector<conf::Address>& addresses, HttpPages pages) {
  std::string ports;
  for (const conf::Address& address : addresses) {
    // civetweb listens on numeric addresses; the loopback's name is the one that people write.
    const conf::Address numeric{address.host == "localhost" ? "127.0.0.1" : address.host, address.port};
    ports += (ports.empty() ? "" : ",") + numeric.text();
  }
  const char* options[] = {"listening_ports", ports.c_str(), "num_threads", "2",
                           "request_timeout_ms", "10000", nullptr};
  mg_callbacks callbacks{};
  callbacks.log_message = keep_silent;
  std::unique_ptr<HttpServer> server(new HttpServer(std::move(pages)));
  server->impl_->context = mg_start(&callbacks, nullptr, options);
  if (server->impl_->context == nullptr) {
    return std::unexpected(fmt::format("cannot listen for HTTP on {}: is the port taken?", ports));
  }
  mg_set_request_handler(server->impl_->context, "**", handle, &server->impl_->pages);
  return server;
}

}  // namespace anabranch::proxy
