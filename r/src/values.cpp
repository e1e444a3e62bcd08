#include "values.h"

#include <Rversion.h>

#include <algorithm>
#include <cstring>
#include <stdexcept>
#include <string>

#include "api.h"
#include "base/error_code.h"

namespace tenkai {

SEXP unresolved_value() {
  static SEXP value = [] {
    SEXP made = PROTECT(Rf_ScalarLogical(NA_LOGICAL));
    SEXP copy = Rf_duplicate(made);  // R shares its own NA between everybody
    R_PreserveObject(copy);
    Rf_setAttrib(copy, R_ClassSymbol, Rf_mkString("unresolvedValue"));
    MARK_NOT_MUTABLE(copy);
    UNPROTECT(1);
    return copy;
  }();
  return value;
}

SEXP error_value(std::uint64_t code, const std::string& message) {
  SEXP value = PROTECT(Rf_allocVector(INTSXP, 1));
  INTEGER(value)[0] = static_cast<int>(code);
  if (!message.empty()) {
    SEXP words = PROTECT(text(message));
    Rf_setAttrib(value, Rf_install("message"), words);
    UNPROTECT(1);
  }
  SEXP classes = PROTECT(Rf_allocVector(STRSXP, 2));
  SET_STRING_ELT(classes, 0, Rf_mkChar("errorValue"));
  SET_STRING_ELT(classes, 1, Rf_mkChar("try-error"));
  Rf_setAttrib(value, R_ClassSymbol, classes);
  UNPROTECT(2);
  return value;
}

namespace {

// Where R keeps what an object is: it would be an error, or another object.
bool is_attribute_of_r(const char* name) {
  for (const char* known : {"names", "dim", "dimnames", "class", "tsp", "comment", "row.names"}) {
    if (std::strcmp(name, known) == 0) return true;
  }
  return false;
}

void set_if_new(SEXP object, SEXP name, SEXP value) {
  if (Rf_getAttrib(object, name) == R_NilValue) Rf_setAttrib(object, name, value);
}

constexpr int longest_name = 1000;  // bytes; R has a limit, too

}  // namespace

void name_fields(SEXP error) {
  SEXP condition = Rf_getAttrib(error, Rf_install("condition"));
  set_if_new(error, Rf_install("condition.class"), Rf_getAttrib(condition, R_ClassSymbol));
  SEXP names = PROTECT(Rf_getAttrib(condition, R_NamesSymbol));
  bool has_fields = TYPEOF(condition) == VECSXP && TYPEOF(names) == STRSXP;
  R_xlen_t count = has_fields ? std::min(XLENGTH(condition), XLENGTH(names)) : 0;
  for (R_xlen_t i = 0; i < count; ++i) {
    SEXP name = STRING_ELT(names, i);
    bool fits = LENGTH(name) > 0 && LENGTH(name) <= longest_name;
    if (name == NA_STRING || !fits || is_attribute_of_r(CHAR(name))) continue;
    set_if_new(error, Rf_installTrChar(name), VECTOR_ELT(condition, i));
  }
  UNPROTECT(1);
}

SEXP stream_value(const RandomStream& stream) {
  SEXP value = Rf_allocVector(INTSXP, static_cast<R_xlen_t>(stream.size()));
  std::copy(stream.begin(), stream.end(), INTEGER(value));
  return value;
}

RandomStream stream_in(SEXP value) {
  RandomStream stream{};
  if (TYPEOF(value) != INTSXP || XLENGTH(value) != static_cast<R_xlen_t>(stream.size()))
    throw std::runtime_error("a stream of random numbers is 7 integers");
  std::copy_n(INTEGER(value), stream.size(), stream.begin());
  return stream;
}

SEXP find_in(SEXP env, SEXP symbol) {
#if R_VERSION >= R_Version(4, 5, 0)
  SEXP found = R_getVarEx(symbol, env, FALSE, nullptr);
  return found;
#else
  SEXP found = Rf_findVarInFrame(env, symbol);
  return found == R_UnboundValue ? nullptr : found;
#endif
}

}  // namespace tenkai

using namespace tenkai;

// Codes of errors are positive; whatever else somebody has made is unknown.
SEXP tk_error_words(SEXP code) {
  return guarded([&] {
    int number = Rf_asInteger(code);
    std::string words = number > 0 ? text_of_code(static_cast<std::uint64_t>(number))
                                   : std::to_string(number) + " | Unknown error";
    return text(words);
  });
}
