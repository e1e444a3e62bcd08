// Catch2, version 2 (Debian 12) or 3 (Debian 13, Spack): the same macros, other headers.
#pragma once

#include <string>

#if __has_include(<catch2/catch_test_macros.hpp>)
#define TENKAI_CATCH_3 1
#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators_all.hpp>
#include <catch2/matchers/catch_matchers_string.hpp>
#else
#include <catch2/catch.hpp>
#endif

// For CHECK_THROWS_WITH.
inline auto saying(const std::string& text) {
#ifdef TENKAI_CATCH_3
  return Catch::Matchers::ContainsSubstring(text);
#else
  return Catch::Matchers::Contains(text);
#endif
}
