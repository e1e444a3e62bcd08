#include "expression_room.h"

#include "internal.h"

namespace tenkai {

namespace {

// R's default.
constexpr int enough = 5000;

SEXP option() { return Rf_install("expressions"); }

void set_limit(int limit) {
  SEXP value = PROTECT(Rf_ScalarInteger(limit));
  SEXP call = PROTECT(Rf_lang2(Rf_install("options"), value));
  SET_TAG(CDR(call), option());
  call_internal(call);
  UNPROTECT(2);
}

}  // namespace

void ExpressionRoom::make() {
  int limit = Rf_asInteger(Rf_GetOption1(option()));
  if (limit == NA_INTEGER || limit >= enough) return;
  set_limit(enough);
  set_by_task_ = limit;
}

void ExpressionRoom::give_back() {
  if (set_by_task_ == 0) return;
  set_limit(set_by_task_);
  set_by_task_ = 0;
}

}  // namespace tenkai
