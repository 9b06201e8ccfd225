# libpg_query is linked statically with its symbols hidden: its archive exports copies of xxHash and
# protobuf-c, and of hundreds of server functions, that must not meet anybody else's. One server
# variable (a thread-local one) is kept under a name of ours: the parser has no parameter for it.
find_library(PG_QUERY_ARCHIVE libpg_query.a REQUIRED)
find_program(OBJCOPY NAMES llvm-objcopy-19 objcopy REQUIRED)
set(pg_query_object ${CMAKE_BINARY_DIR}/pg_query_hidden.o)
add_custom_command(
  OUTPUT ${pg_query_object}
  COMMAND ld -r --whole-archive ${PG_QUERY_ARCHIVE} -o ${pg_query_object}.all
  COMMAND ${OBJCOPY} --redefine-sym standard_conforming_strings=pg_query_standard_conforming_strings
          ${pg_query_object}.all
  COMMAND ${OBJCOPY} --wildcard --keep-global-symbol=pg_query_* ${pg_query_object}.all ${pg_query_object}
  COMMAND ${CMAKE_COMMAND} -E rm ${pg_query_object}.all
  DEPENDS ${PG_QUERY_ARCHIVE}
  COMMENT "Hiding the symbols of libpg_query"
  VERBATIM)
add_library(pg_query_hidden OBJECT ${pg_query_object})
set_source_files_properties(${pg_query_object} PROPERTIES EXTERNAL_OBJECT TRUE GENERATED TRUE)
set_target_properties(pg_query_hidden PROPERTIES LINKER_LANGUAGE C)
add_library(pg_query INTERFACE)
target_sources(pg_query INTERFACE ${pg_query_object})
add_dependencies(pg_query pg_query_hidden)
add_library(pg_query::pg_query ALIAS pg_query)
