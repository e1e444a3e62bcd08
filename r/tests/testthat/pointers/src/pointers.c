#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <R.h>
#include <R_ext/Rdynload.h>
#include <Rinternals.h>

static void drop(SEXP pointer) {
  free(R_ExternalPtrAddr(pointer));
  R_ClearExternalPtr(pointer);
}

static SEXP make(const void* bytes, SEXP class) {
  SEXP pointer = PROTECT(R_MakeExternalPtr(NULL, R_NilValue, R_NilValue));
  double* number = malloc(sizeof *number);
  if (number == NULL) error("no memory");
  memcpy(number, bytes, sizeof *number);
  R_SetExternalPtrAddr(pointer, number);
  R_RegisterCFinalizer(pointer, drop);
  setAttrib(pointer, R_ClassSymbol, class);
  UNPROTECT(1);
  return pointer;
}

static const double* address_in(SEXP pointer) {
  if (TYPEOF(pointer) != EXTPTRSXP) error("it is no external pointer");
  const double* number = R_ExternalPtrAddr(pointer);
  if (number == NULL) error("external pointer to null");
  return number;
}

SEXP ptr_make(SEXP x, SEXP class) {
  double number = asReal(x);
  return make(&number, class);
}

SEXP ptr_number(SEXP pointer) { return ScalarReal(*address_in(pointer)); }

SEXP ptr_to_raw(SEXP pointer) {
  const double* number = address_in(pointer);
  SEXP raw = allocVector(RAWSXP, sizeof *number);
  memcpy(RAW(raw), number, sizeof *number);
  return raw;
}

SEXP ptr_from_raw(SEXP raw, SEXP class) {
  if (TYPEOF(raw) != RAWSXP || LENGTH(raw) != sizeof(double)) error("these bytes are no number");
  return make(RAW(raw), class);
}

SEXP ptr_print(SEXP text) {
  printf("%s", CHAR(asChar(text)));
  return R_NilValue;
}

/* Whatever else refers to the vector. */
SEXP ptr_set_first(SEXP x, SEXP value) {
  REAL(x)[0] = asReal(value);
  return R_NilValue;
}

static const R_CallMethodDef entries[] = {
    {"ptr_make", (DL_FUNC)ptr_make, 2},
    {"ptr_number", (DL_FUNC)ptr_number, 1},
    {"ptr_to_raw", (DL_FUNC)ptr_to_raw, 1},
    {"ptr_from_raw", (DL_FUNC)ptr_from_raw, 2},
    {"ptr_print", (DL_FUNC)ptr_print, 1},
    {"ptr_set_first", (DL_FUNC)ptr_set_first, 2},
    {NULL, NULL, 0},
};

void R_init_pointers(DllInfo* library) {
  R_registerRoutines(library, NULL, entries, NULL, NULL);
  R_useDynamicSymbols(library, FALSE);
}
