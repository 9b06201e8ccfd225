#include <iostream>
#include <string>

#include "rewriter/mysql/parse.h"
#include "rewriter/print.h"

using namespace anabranch::rewriter;

// Statements, one a line, each followed by how it is printed; all ended by a zero byte.
int main() {
  for (std::string line; std::getline(std::cin, line);) {
    if (line.empty() || line.starts_with("-- ")) continue;
    Shape made;
    mysql::shape(line, {}, {}, made);
    const ParseResult result = mysql::parse(line, made, {});
    const auto* trees = std::get_if<0>(&result);
    if (!trees || trees->size() != 1) {
      std::cerr << "not read: " << line << "\n";
      return 1;
    }
    std::cout << line << '\0' << to_text(*trees->front(), made, Dialect::mysql) << '\0';
  }
  return 0;
}
