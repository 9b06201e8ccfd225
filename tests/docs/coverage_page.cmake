# Compares generated PART of docs/sql-coverage.md with what the corpus of differential cases
# says now; with ANABRANCH_UPDATE=1 in the environment, rewrites it.
set(begin "<!-- generated: ${PART} -->\n")
set(end "<!-- end generated -->\n")

execute_process(COMMAND ${DIFFERENTIAL} --coverage ${CASES}
  OUTPUT_VARIABLE now COMMAND_ERROR_IS_FATAL ANY)
string(REPLACE "\n## " "\n### " now "${now}\n")
file(READ ${PAGE} page)

string(FIND "${page}" "${begin}" first)
if(first EQUAL -1)
  message(FATAL_ERROR "${PAGE} has no part that begins with ${begin}")
endif()
string(LENGTH "${begin}" begin_length)
math(EXPR inside "${first} + ${begin_length}")
string(SUBSTRING "${page}" 0 ${inside} before)
string(SUBSTRING "${page}" ${inside} -1 rest)
string(FIND "${rest}" "${end}" last)
if(last EQUAL -1)
  message(FATAL_ERROR "${PAGE}: nothing ends the part ${PART}")
endif()
string(SUBSTRING "${rest}" ${last} -1 after)

if("${page}" STREQUAL "${before}${now}${after}")
  return()
elseif("$ENV{ANABRANCH_UPDATE}")
  file(WRITE ${PAGE} "${before}${now}${after}")
  message(STATUS "${PAGE} was rewritten")
else()
  message(FATAL_ERROR
    "${PAGE} says something else than the corpus. ANABRANCH_UPDATE=1 ctest -R coverage_page rewrites it; "
    "read the diff.")
endif()
