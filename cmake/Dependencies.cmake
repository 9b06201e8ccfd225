# Everything here is a Debian package; scripts/setup installs them.
find_package(Threads REQUIRED)
find_package(PkgConfig REQUIRED)
find_package(OpenSSL REQUIRED)
find_package(ZLIB REQUIRED)
find_package(ICU REQUIRED COMPONENTS uc i18n)
find_package(fmt REQUIRED)
find_package(spdlog REQUIRED)
find_package(yaml-cpp REQUIRED)
find_package(nlohmann_json REQUIRED)
find_package(prometheus-cpp REQUIRED)
find_package(CLI11 REQUIRED)
find_package(doctest REQUIRED)

function(anabranch_pkg_library alias module)
  pkg_check_modules(${module} REQUIRED IMPORTED_TARGET ${module})
  add_library(${alias} ALIAS PkgConfig::${module})
endfunction()
anabranch_pkg_library(uv::uv libuv)
anabranch_pkg_library(re2::re2 re2)
anabranch_pkg_library(xxhash::xxhash libxxhash)
anabranch_pkg_library(murmurhash::murmurhash libmurmurhash)
anabranch_pkg_library(PostgreSQL::pq libpq)
anabranch_pkg_library(MariaDB::client libmariadb)  # tests only

# No package of its own says where it is.
find_library(ANABRANCH_MYSQLCPPCONN mysqlcppconn REQUIRED)
add_library(MySQL::connector INTERFACE IMPORTED)
target_link_libraries(MySQL::connector INTERFACE ${ANABRANCH_MYSQLCPPCONN})

find_package(civetweb REQUIRED)  # the HTTP port's server; prometheus-cpp itself serves with it

include(cmake/PgQuery.cmake)
