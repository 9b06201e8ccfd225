#pragma once

#include "rewriter/print_writer.h"

namespace anabranch::rewriter {

void print_from(Printer& out, const tree::FromItem& item);
void print_table(Printer& out, const tree::TableRef& table);

}  // namespace anabranch::rewriter
