#include "crossing.h"

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

std::string text_of(SEXP string) {
  if (TYPEOF(string) != STRSXP || XLENGTH(string) < 1) return {};
  return Rf_translateCharUTF8(STRING_ELT(string, 0));
}

SEXP text(const std::string& string) {
  SEXP chars = PROTECT(Rf_mkCharLenCE(string.data(), static_cast<int>(string.size()), CE_UTF8));
  SEXP made = Rf_ScalarString(chars);
  UNPROTECT(1);
  return made;
}

}  // namespace tenkai
