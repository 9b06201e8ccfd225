#pragma once

#include <string>

#include "dialect.h"

namespace anabranch::differential {

/// Plants faults between the single server's answer and a copy of it, in every form, and checks
/// that each is found, and that what may differ is not. Prints one line a fault. Returns the number
/// of faults that were not found or wrongly found.
int prove_comparator(const Dialect& dialect, const std::string& single);

}  // namespace anabranch::differential
