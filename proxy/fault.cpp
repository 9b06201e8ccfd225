#include "proxy/fault.h"

#include "net/fault.h"
#include "proxy/log.h"

namespace anabranch::proxy {

namespace {

constexpr std::size_t shown_bytes = 500;

/// A text that could not be split into tokens still has its literals.
std::string shown(const rewriter::Shape* shape) {
  if (shape == nullptr || !shape->lexed() || shape->blank()) return "a statement that is not known";
  const std::string_view text = shape->text();
  return printable(text.substr(0, shown_bytes)) + (text.size() > shown_bytes ? "…" : "");
}

}  // namespace

values::SqlError note_fault(const std::exception_ptr& fault, std::string_view client, const rewriter::Shape* shape) {
  const std::string words = net::fault_words(fault);
  spdlog::error("client {}: the session ends by an internal error: {}, in {}", client, words, shown(shape));
  return values::make_error(values::ErrorId::internal, words);
}

}  // namespace anabranch::proxy
