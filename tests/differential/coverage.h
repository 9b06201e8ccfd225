#pragma once

#include <filesystem>

namespace anabranch::differential {

/// Prints how many cases each file holds, by state and expected plan, and how many statements of distinct
/// shapes there are. Returns 0, an exit status.
int print_count(const std::filesystem::path& cases);

/// Prints the corpus as Markdown, a table a file: each case, and whether and how it is answered
/// over many shards. Returns 0, an exit status.
int print_coverage(const std::filesystem::path& cases);

}  // namespace anabranch::differential
