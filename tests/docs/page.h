#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

/// Pages of documentation, as the tests read them.
namespace anabranch::docs {

std::filesystem::path source_folder();
std::string read_file(const std::filesystem::path& path);

/// A row of a Markdown table; bars within cells are escaped.
std::string table_row(const std::vector<std::string_view>& cells);

/// Fails unless the page, named from the source folder, holds `expected` between
/// `<!-- generated: PART -->` and the next `<!-- end generated -->`, each on a line of its own.
/// With ANABRANCH_UPDATE=1 in the environment the page is rewritten instead.
void check_generated(const std::string& page, std::string_view part, std::string_view expected);

}  // namespace anabranch::docs
