// The C++ / R crossing.
//
// Two worlds leave a function in two ways: C++ throws, R jumps. safely() turns
// an R jump (an error, an interrupt) into the C++ exception Unwinding, so that
// destructors run; guarded() turns what C++ throws back into R's way, after
// every C++ object is gone. Each .Call is guarded; each call into R that may
// jump while C++ objects are alive is made safely.
#pragma once

#include <csetjmp>
#include <cstdio>
#include <exception>
#include <stdexcept>
#include <string>
#include <type_traits>

#define R_NO_REMAP
#include <R.h>
#include <Rinternals.h>

namespace tenkai {

// An R jump on its way through C++.
struct Unwinding {};

// Where R keeps the destination of such a jump. Made once, when the package loads.
SEXP unwinding_token();

template <class Body>
SEXP safely(Body&& body) {
  SEXP token = unwinding_token();
  std::jmp_buf here;
  if (setjmp(here)) throw Unwinding{};
  SEXP result = R_UnwindProtect(
      [](void* data) -> SEXP { return (*static_cast<std::remove_reference_t<Body>*>(data))(); }, &body,
      [](void* data, Rboolean jumps) {
        if (jumps) std::longjmp(*static_cast<std::jmp_buf*>(data), 1);
      },
      &here, token);
  SETCAR(token, R_NilValue);  // else it would keep the last result alive
  return result;
}

// Runs `body`. What it throws becomes an R error without a call, raised after
// every C++ object is gone.
template <class Body>
SEXP guarded(Body&& body) {
  char message[4096];
  bool jumping = false;
  try {
    return body();
  } catch (const Unwinding&) {
    jumping = true;
  } catch (const std::exception& error) {
    std::snprintf(message, sizeof message, "%s", error.what());
  }
  if (jumping) R_ContinueUnwind(unwinding_token());
  Rf_errorcall(R_NilValue, "%s", message);
}

// Looks for Ctrl-C; throws Unwinding if there was one.
void check_interrupts();

// Texts from and to R, UTF-8. utf8_of(): of one string of a vector.
std::string utf8_of(SEXP chars);
std::string text_of(SEXP string);
SEXP text(const std::string& string);

}  // namespace tenkai
