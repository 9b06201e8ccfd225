#pragma once

#include <optional>
#include <string>
#include <vector>

#include "answer.h"
#include "case_file.h"

namespace anabranch::differential {

/// Everything one side answered to a case in one form.
struct Transcript {
  std::vector<Answer> steps;
  std::vector<Answer> verify;
  std::optional<Answer> unlimited;  // of the single server only
};

/// How many shards the other side has; none: it is a plain server, which refuses nothing.
using Shards = std::optional<int>;

/// What became of a case in one form. `refused` and `same` are what the case file says, `pending` is a clear
/// refusal of a case that is listed so; `failed` tells why in `reason`, and in `actual` the state that was
/// found, when there is a clear one.
struct Verdict {
  enum class Kind { same, refused, pending, failed };
  Kind kind = Kind::same;
  std::string reason;
  std::string actual;
};

/// Compares the two sides and holds the result against the case's state. Over one shard nothing
/// needs to be refused: there a refused case may also be the same.
Verdict judge(const Case& c, const Transcript& single, const Transcript& other, Shards shards);

/// The plan kind an EXPLAIN through the proxy names: lower case of the second word of its first
/// line, `Anabranch Scatter…`; empty when it names none.
std::string plan_kind(const Answer& explained);

}  // namespace anabranch::differential
