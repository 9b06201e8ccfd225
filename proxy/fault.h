#pragma once

#include <exception>
#include <string_view>

#include "rewriter/shape.h"
#include "values/errors.h"

namespace anabranch::proxy {

/// Something has been thrown that no statement's failure is: the session that it was thrown in ends. Logs it, with the
/// statement's shape (null: it is not known) and none of its values, and answers what the client is told.
values::SqlError note_fault(const std::exception_ptr& fault, std::string_view client, const rewriter::Shape* shape);

}  // namespace anabranch::proxy
