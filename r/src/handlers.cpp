#include "handlers.h"

#include "internal.h"

namespace tenkai {

namespace {

void establish(SEXP classes, SEXP handlers, SEXP frame, SEXP target, bool calling) {
  SEXP is_calling = PROTECT(Rf_ScalarLogical(calling));
  SEXP call = PROTECT(Rf_lang6(Rf_install(".addCondHands"), classes, handlers, frame, target, is_calling));
  call_internal(call);
  UNPROTECT(2);
}

}  // namespace

void establish_handlers(SEXP handlers, SEXP frame) {
  SEXP classes = PROTECT(Rf_getAttrib(handlers, R_NamesSymbol));
  establish(classes, handlers, frame, R_NilValue, true);
  UNPROTECT(1);
}

void establish_exits(SEXP classes, SEXP frame) {
  SEXP handlers = PROTECT(Rf_allocVector(VECSXP, XLENGTH(classes)));
  establish(classes, handlers, frame, frame, false);
  UNPROTECT(1);
}

}  // namespace tenkai
