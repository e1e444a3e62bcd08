// Catch2, version 2 (Debian 12) or 3 (Spack): the same macros, other headers.
#pragma once

#if __has_include(<catch2/catch_test_macros.hpp>)
#define TENKAI_CATCH_3 1
#include <catch2/catch_test_macros.hpp>
#else
#include <catch2/catch.hpp>
#endif
