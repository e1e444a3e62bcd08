# What every file of ours is compiled with: the target tenkai_options.

set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)
set(CMAKE_RUNTIME_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR}/bin)

if(NOT CMAKE_BUILD_TYPE AND NOT CMAKE_CONFIGURATION_TYPES)
  set(CMAKE_BUILD_TYPE Release CACHE STRING "Release, Debug or RelWithDebInfo" FORCE)
endif()

if(TENKAI_CCACHE AND NOT CMAKE_CXX_COMPILER_LAUNCHER)
  find_program(CCACHE_PROGRAM ccache)
  if(CCACHE_PROGRAM)
    set(CMAKE_CXX_COMPILER_LAUNCHER ${CCACHE_PROGRAM})
  endif()
endif()

# Most of what there is to compile are headers of libraries. Sources of one room that are
# compiled at once pay for them once; so their names without linkage must differ.
if(TENKAI_UNITY)
  set(CMAKE_UNITY_BUILD ON)
  set(CMAKE_UNITY_BUILD_BATCH_SIZE 16)
endif()

# Programs look for their libraries in the same places before and after they are
# installed. What CMake would put into a build folder's to make room for those of the
# installation is a list of empty names, and an empty name is the working directory.
set(CMAKE_BUILD_WITH_INSTALL_RPATH ON)
set(CMAKE_INSTALL_RPATH_USE_LINK_PATH ON)

set_source_files_properties(${PROJECT_SOURCE_DIR}/base/version.cpp PROPERTIES
  COMPILE_DEFINITIONS TENKAI_VERSION="${PROJECT_VERSION}")

add_library(tenkai_options INTERFACE)
target_compile_features(tenkai_options INTERFACE cxx_std_20)
target_include_directories(tenkai_options INTERFACE
  ${PROJECT_SOURCE_DIR})
target_compile_options(tenkai_options INTERFACE
  -Wall -Wextra -Wpedantic -Wconversion)
# Where several sources are compiled as one, the names of one stand over those of the next.
if(NOT TENKAI_UNITY)
  target_compile_options(tenkai_options INTERFACE -Wshadow)
endif()

# clang counts changes of sign as conversions, GCC does not; the code is written
# for the latter, because every index into a string would need a cast.
if(CMAKE_CXX_COMPILER_ID MATCHES Clang)
  target_compile_options(tenkai_options INTERFACE -Wno-sign-conversion)
endif()

# GCC 12 sees overlaps in `"text" + string` (its PR 105329) and members without a
# value in every std::variant of structs; with sanitizers later ones do, too.
if(CMAKE_CXX_COMPILER_ID STREQUAL GNU)
  if(CMAKE_CXX_COMPILER_VERSION VERSION_LESS 13)
    target_compile_options(tenkai_options INTERFACE -Wno-restrict -Wno-maybe-uninitialized)
  elseif(TENKAI_SANITIZE)
    target_compile_options(tenkai_options INTERFACE -Wno-maybe-uninitialized)
  endif()
endif()

if(TENKAI_WERROR)
  target_compile_options(tenkai_options INTERFACE -Werror)
endif()

if(TENKAI_SANITIZE)
  target_compile_options(tenkai_options INTERFACE
    -fsanitize=${TENKAI_SANITIZE} -fno-sanitize-recover=all -fno-omit-frame-pointer)
  target_link_options(tenkai_options INTERFACE -fsanitize=${TENKAI_SANITIZE})
  # Asio fences with atomic_thread_fence, which TSan does not see and GCC warns of.
  if(TENKAI_SANITIZE MATCHES thread AND CMAKE_CXX_COMPILER_ID STREQUAL GNU)
    target_compile_options(tenkai_options INTERFACE -Wno-tsan)
  endif()
endif()
