#include "global_state.h"

#include <R_ext/GraphicsEngine.h>

#include <clocale>

#include "internal.h"

namespace tenkai {

namespace {

const char* locale() {
  const char* known = std::setlocale(LC_ALL, nullptr);
  return known == nullptr ? "" : known;
}

// The warnings that R has shown last, for warnings().
void forget_last_warnings() {
  SEXP name = Rf_install("last.warning");
  SEXP last = Rf_findVarInFrame(R_BaseEnv, name);
  if (TYPEOF(last) != VECSXP || XLENGTH(last) == 0) return;
  SEXP none = PROTECT(Rf_allocVector(VECSXP, 0));
  Rf_defineVar(name, none, R_BaseEnv);
  UNPROTECT(1);
}

SEXP seed_symbol() { return Rf_install(".Random.seed"); }

// R_UnboundValue if there is none.
SEXP seed() { return Rf_findVarInFrame(R_GlobalEnv, seed_symbol()); }

// The number that a seed begins with; no kind at all where it is not one.
int kind_of(SEXP seed) { return TYPEOF(seed) == INTSXP && XLENGTH(seed) > 0 ? INTEGER(seed)[0] : NA_INTEGER; }

}  // namespace

GlobalState::~GlobalState() {
  if (kept_ != R_NilValue) R_ReleaseObject(kept_);
}

void GlobalState::take() {
  SEXP kept = PROTECT(Rf_allocVector(VECSXP, 2));
  SEXP call = PROTECT(Rf_lang1(note_));
  SET_VECTOR_ELT(kept, 0, Rf_eval(call, R_BaseEnv));
  R_PreserveObject(kept);
  if (kept_ != R_NilValue) R_ReleaseObject(kept_);
  kept_ = kept;
  UNPROTECT(2);
  note_numbers();
}

void GlobalState::begin_task() {
  SEXP before = seed();
  SET_VECTOR_ELT(kept_, 1, before == R_UnboundValue ? R_NilValue : before);
}

void GlobalState::restore() {
  restore_seed();
  forget_last_warnings();
  if (are_as_noted()) return;
  SEXP call = PROTECT(Rf_lang2(restore_, VECTOR_ELT(kept_, 0)));
  Rf_eval(call, R_BaseEnv);
  UNPROTECT(1);
  note_numbers();
}

void GlobalState::restore_seed() {
  SEXP before = VECTOR_ELT(kept_, 1);
  SEXP now = seed();
  if (before != R_NilValue) {
    if (kind_of(now) != kind_of(before)) Rf_defineVar(seed_symbol(), before, R_GlobalEnv);
  } else if (now != R_UnboundValue) {
    SEXP call = PROTECT(Rf_lang2(restore_kind_, VECTOR_ELT(kept_, 0)));
    Rf_eval(call, R_BaseEnv);
    UNPROTECT(1);
  }
}

bool GlobalState::Numbers::operator==(const Numbers& other) const {
  return sinks == other.sinks && messages == other.messages && devices == other.devices &&
         device == other.device;
}

GlobalState::Numbers GlobalState::numbers() {
  return {sink_number(true), sink_number(false), NumDevices(), curDevice()};
}

void GlobalState::note_numbers() {
  numbers_ = numbers();
  locale_ = locale();
}

bool GlobalState::are_as_noted() const { return numbers() == numbers_ && locale_ == locale(); }

}  // namespace tenkai
