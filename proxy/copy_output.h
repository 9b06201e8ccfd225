#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "backends/exchange.h"
#include "proxy/copy_encoder.h"
#include "proxy/session_state.h"

namespace anabranch::proxy {

/// The client's side of a COPY … TO STDOUT over several shards: one header and one trailer around
/// what the shards write, or what is made of merged rows.
class CopyOutput {
 public:
  CopyOutput(SessionState& state, const rewriter::CopyOut& copy);

  /// Asks a server for what goes ahead of merged rows. Throws what it says against the options.
  net::Task<void> begin_rows(backends::Lease& lease);
  void rows(const merge::Batch& rows);

  /// Something goes ahead of the rows: first() must see each shard's first message by itself.
  bool has_lead() const { return binary() || copy_.header; }
  /// CopyOutResponse of a shard; the first one is the client's.
  void respond(const net::pg::Message& response);
  /// The first CopyData of a shard's stream, and the later ones (backends::Reply::Kind::run, part).
  void first(const net::pg::Message& message);
  void more(const net::pg::Message& messages);
  void part(std::string_view bytes) { state_.client.write(bytes); }

  /// The trailer and CopyDone.
  void finish();

 private:
  bool binary() const { return copy_.format == rewriter::CopyFormat::Format::binary; }
  bool take_binary_header(std::string_view& payload);
  void data(std::string_view payload);
  void check_encoding() const;

  SessionState& state_;
  const rewriter::CopyOut& copy_;
  CopyEncoder encoder_;
  bool responded_ = false;
  bool header_sent_ = false;
  std::string lead_;  ///< the binary header, until the first row goes out with it
};

}  // namespace anabranch::proxy
