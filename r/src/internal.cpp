#include "internal.h"

#include <R_ext/Parse.h>
#include <Rversion.h>

namespace tenkai {

namespace {

SEXP outputs = nullptr;
SEXP messages = nullptr;
SEXP session_limits = nullptr;
SEXP limits = nullptr;
SEXP top_level = nullptr;

void keep(SEXP& as, const char* source) {
  ParseStatus status;
  SEXP text = PROTECT(Rf_mkString(source));
  SEXP calls = PROTECT(R_ParseVector(text, 1, &status, R_NilValue));
  if (status != PARSE_OK) Rf_error("cannot make the call '%s'", source);
  as = VECTOR_ELT(calls, 0);
  R_PreserveObject(as);
  UNPROTECT(2);
}

// Base's functions are promises until somebody looks at them, and ending limits that nobody has
// set takes four system calls. Newer R does not tell by its API.
bool may_have_limits() {
#if R_VERSION < R_Version(4, 5, 0)
  static SEXP setters[] = {Rf_install("setTimeLimit"), Rf_install("setSessionTimeLimit")};
  for (SEXP name : setters) {
    SEXP bound = Rf_findVarInFrame(R_BaseEnv, name);
    if (TYPEOF(bound) != PROMSXP || PRVALUE(bound) != R_UnboundValue) return true;
  }
  return false;
#else
  return true;
#endif
}

}  // namespace

SEXP call_internal(SEXP call) {
  SEXP outer = PROTECT(Rf_lang2(Rf_install(".Internal"), call));
  SEXP value = Rf_eval(outer, R_BaseEnv);
  UNPROTECT(1);
  return value;
}

int sink_number(bool output) { return Rf_asInteger(Rf_eval(output ? outputs : messages, R_BaseEnv)); }

// In this order: the second lets what is left of the first begin.
void end_time_limits() {
  if (!may_have_limits()) return;
  Rf_eval(session_limits, R_BaseEnv);
  Rf_eval(limits, R_BaseEnv);
}

void end_warnings() { Rf_eval(top_level, R_BaseEnv); }

void make_internal_calls() {
  keep(outputs, ".Internal(sink.number(TRUE))");
  keep(messages, ".Internal(sink.number(FALSE))");
  keep(session_limits, ".Internal(setSessionTimeLimit(Inf, Inf))");
  keep(limits, ".Internal(setTimeLimit(Inf, Inf, FALSE))");
  // invokeRestart("abort"), which R knows everywhere: jump_to_toplevel() is not of its API.
  keep(top_level, ".Internal(.invokeRestart(list(\"abort\", NULL), NULL))");
}

}  // namespace tenkai
