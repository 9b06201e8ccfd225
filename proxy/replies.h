#pragma once

#include <span>
#include <string_view>
#include <vector>

#include "net/buffer.h"
#include "net/pg/messages.h"
#include "rewriter/plan.h"
#include "values/sql_error.h"

/// What the proxy says to PostgreSQL clients in its own name. Everything is appended to a buffer;
/// nothing is sent here.
namespace anabranch::proxy {

void send_error(net::Buffer& out, const values::SqlError& error, std::string_view severity = "ERROR");
void send_notice(net::Buffer& out, std::string_view severity, std::string_view sqlstate,
                 std::string_view message);
void send_ready(net::Buffer& out, char status);
void send_complete(net::Buffer& out, std::string_view tag);

/// One format: for all columns; none: text.
void send_row_description(net::Buffer& out, std::span<const rewriter::ResultColumn> columns,
                          net::pg::FormatList formats);
void send_text_row(net::Buffer& out, std::span<const std::optional<std::string>> fields);

/// NegotiateProtocolVersion, where the client asked for a newer minor version or for options that
/// begin with `_pq_.`; nothing otherwise.
void negotiate_version(const net::pg::StartupMessage& startup, net::Buffer& out);

/// A server's error as one of ours, to be thrown and reported later.
values::SqlError error_from(const net::pg::ErrorFields& fields);

/// The last number of a command tag; 0 where it has none.
std::uint64_t count_in_tag(std::string_view tag);

}  // namespace anabranch::proxy
