// The main() of a test program. Version 2 of Catch2 makes it from a macro that
// must come before its header; version 3 brings it as a function to call.
#define CATCH_CONFIG_MAIN

// GCC 12 with a sanitizer takes std::regex, which version 2 compiles in here, for
// using something uninitialized. It does not.
#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"
#endif

#include "tests/catch.h"

#ifdef TENKAI_CATCH_3
#include <catch2/catch_session.hpp>

int main(int argc, char* argv[]) { return Catch::Session().run(argc, argv); }
#endif
