#include "crossing.h"

#include <langinfo.h>

#include <cstring>

namespace tenkai {

SEXP unwinding_token() {
  static SEXP token = [] {
    SEXP made = R_MakeUnwindCont();
    R_PreserveObject(made);
    return made;
  }();
  return token;
}

void check_interrupts() {
  auto check = [] {
    R_CheckUserInterrupt();
    return R_NilValue;
  };
  safely(check);
}

// Where the locale knows no more than ASCII (LANG=C), R would escape each byte of a path
// that the system has given; nobody would find it then.
std::string utf8_of(SEXP chars) {
  bool is_native = Rf_getCharCE(chars) == CE_NATIVE;
  if (is_native && std::strcmp(nl_langinfo(CODESET), "ANSI_X3.4-1968") == 0) return CHAR(chars);
  return Rf_translateCharUTF8(chars);
}

std::string text_of(SEXP string) {
  if (TYPEOF(string) != STRSXP || XLENGTH(string) < 1) return {};
  return utf8_of(STRING_ELT(string, 0));
}

SEXP text(const std::string& string) {
  SEXP chars = PROTECT(Rf_mkCharLenCE(string.data(), static_cast<int>(string.size()), CE_UTF8));
  SEXP made = Rf_ScalarString(chars);
  UNPROTECT(1);
  return made;
}

}  // namespace tenkai
