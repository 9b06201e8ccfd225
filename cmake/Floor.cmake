# Our own code: warnings are errors, and the sanitizers see all of it.
function(anabranch_own_code target)
  target_compile_options(${target} PRIVATE
    -Wall -Wextra -Wpedantic -Wshadow -Wnon-virtual-dtor -Woverloaded-virtual -Wimplicit-fallthrough
    -Wunreachable-code -Werror)
  if(ANABRANCH_FUZZ)
    target_compile_options(${target} PRIVATE -fsanitize=fuzzer-no-link)
  endif()
  if(ANABRANCH_PRECOMPILE AND NOT target STREQUAL precompiled)
    target_precompile_headers(${target} REUSE_FROM precompiled)
  endif()
endfunction()

if(ANABRANCH_SANITIZE)
  add_compile_options(-fsanitize=${ANABRANCH_SANITIZE} -fno-omit-frame-pointer -fno-sanitize-recover=all)
  add_link_options(-fsanitize=${ANABRANCH_SANITIZE})
endif()

if(ANABRANCH_PRECOMPILE)
  # As some libraries ask for it: what is parsed once has to be parsed as all of it is compiled.
  add_compile_options(-pthread)
  file(WRITE ${CMAKE_BINARY_DIR}/precompiled.cpp "")
  add_library(precompiled OBJECT ${CMAKE_BINARY_DIR}/precompiled.cpp)
  target_link_libraries(precompiled PRIVATE fmt::fmt)
  target_precompile_headers(precompiled PRIVATE ${CMAKE_SOURCE_DIR}/cmake/precompiled.h)
  anabranch_own_code(precompiled)
endif()

# One static library a floor. Each floor publishes an include folder that holds nothing but a link
# to itself (cmake/floors/NAME/NAME), and sees only those of the floors it USES: an arrow that runs
# up the house does not compile.
function(anabranch_floor name)
  cmake_parse_arguments(FLOOR "" "" "USES;LIBS" ${ARGN})
  file(GLOB_RECURSE sources CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/${name}/*.cpp)
  list(REMOVE_ITEM sources ${CMAKE_SOURCE_DIR}/proxy/main.cpp)
  if(NOT sources)
    add_library(${name}_floor INTERFACE)
    target_include_directories(${name}_floor INTERFACE ${CMAKE_SOURCE_DIR}/cmake/floors/${name})
    set(scope INTERFACE)
  else()
    add_library(${name}_floor STATIC ${sources})
    target_include_directories(${name}_floor PUBLIC ${CMAKE_SOURCE_DIR}/cmake/floors/${name})
    anabranch_own_code(${name}_floor)
    set(scope PUBLIC)
  endif()
  foreach(used ${FLOOR_USES})
    target_link_libraries(${name}_floor ${scope} ${used}_floor)
  endforeach()
  target_link_libraries(${name}_floor ${scope} ${FLOOR_LIBS} Threads::Threads)
endfunction()
