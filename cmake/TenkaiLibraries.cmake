# The libraries that all of it stands on, as the variables tenkai_log, tenkai_yaml and
# tenkai_libssh2 (empty where it is not there), and the targets of OpenSSL and Boost.

if(TENKAI_STATIC)
  set(OPENSSL_USE_STATIC_LIBS TRUE)
endif()
find_package(Threads REQUIRED)
find_package(Boost 1.81 REQUIRED)
find_package(OpenSSL 3 REQUIRED)
find_package(CLI11 REQUIRED)

if(NOT TENKAI_STATIC)
  find_package(spdlog REQUIRED)
  set(tenkai_log spdlog::spdlog)
  find_package(yaml-cpp REQUIRED)
  # From 0.8 on its target has a name space.
  set(tenkai_yaml yaml-cpp)
  if(TARGET yaml-cpp::yaml-cpp)
    set(tenkai_yaml yaml-cpp::yaml-cpp)
  endif()
  if(TENKAI_SSH)
    find_package(PkgConfig QUIET)
    if(PKG_CONFIG_FOUND)
      pkg_check_modules(Libssh2 QUIET IMPORTED_TARGET libssh2)
    endif()
  endif()
  set(tenkai_libssh2)
  if(TARGET PkgConfig::Libssh2)
    set(tenkai_libssh2 PkgConfig::Libssh2)
  endif()
  return()
endif()

# One file without dependencies: what Debian has as archives, and spdlog compiled here.
find_library(yaml_archive libyaml-cpp.a REQUIRED)
set(tenkai_yaml ${yaml_archive})
find_package(yaml-cpp QUIET) # for its version
set(tenkai_libssh2)
if(TENKAI_SSH)
  find_library(libssh2_archive libssh2.a REQUIRED)
  find_library(zlib_archive libz.a REQUIRED)
  find_path(libssh2_headers libssh2.h REQUIRED)
  file(STRINGS ${libssh2_headers}/libssh2.h Libssh2_VERSION REGEX "^#define LIBSSH2_VERSION ")
  string(REGEX REPLACE ".*\"(.*)\".*" "\\1" Libssh2_VERSION "${Libssh2_VERSION}")
  set(tenkai_libssh2 ${libssh2_archive} OpenSSL::Crypto ${zlib_archive})
endif()

add_library(tenkai_spdlog STATIC cmake/static/spdlog.cpp)
target_compile_features(tenkai_spdlog PUBLIC cxx_std_20)
target_compile_definitions(tenkai_spdlog PUBLIC SPDLOG_COMPILED_LIB SPDLOG_FMT_EXTERNAL)
set(tenkai_log tenkai_spdlog)

add_compile_options(-ffunction-sections -fdata-sections -ffile-prefix-map=${PROJECT_SOURCE_DIR}=.)
add_link_options(-static -Wl,--gc-sections)
