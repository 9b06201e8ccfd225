#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "case_file.h"
#include "dialect.h"
#include "judge.h"

namespace anabranch::differential {

/// One side to compare with the single server.
struct Endpoint {
  std::string label;  // `4 shards`
  Shards shards;
  std::string conninfo;  // as the dialect writes one
};

struct Options {
  const Dialect* dialect = &postgres();
  std::string single;
  std::vector<Endpoint> endpoints;
  std::filesystem::path cases;
  std::string filter;  // a part of a case's name or file; empty: all
  bool update = false;
};

/// Runs the corpus on the single server and each endpoint in every form, prints each failure and a
/// table by file and by plan kind, and returns the number of failures.
int run_corpus(const Options& options);

}  // namespace anabranch::differential
