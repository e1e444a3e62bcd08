#include "baseline.h"

#include <Rversion.h>

namespace tenkai {

namespace {

SEXP parent_of(SEXP env) {
#if R_VERSION >= R_Version(4, 5, 0)
  return R_ParentEnv(env);
#else
  return ENCLOS(env);
#endif
}

SEXP options_list() { return Rf_findVar(Rf_install(".Options"), R_BaseEnv); }

SEXP call_base(const char* function) {
  SEXP call = PROTECT(Rf_lang1(Rf_install(function)));
  SEXP value = Rf_eval(call, R_BaseEnv);
  UNPROTECT(1);
  return value;
}

// Not protected.
SEXP call_with(SEXP function, SEXP argument) {
  SEXP call = PROTECT(Rf_lang2(function, argument));
  SEXP value = Rf_eval(call, R_BaseEnv);
  UNPROTECT(1);
  return value;
}

void remove_global(SEXP name) {
  SEXP symbol = Rf_installTrChar(name);
#if R_VERSION >= R_Version(4, 2, 0)
  R_removeVarFromFrame(symbol, R_GlobalEnv);
#else
  SEXP call = PROTECT(Rf_lang2(Rf_install("rm"), symbol));
  Rf_eval(call, R_GlobalEnv);
  UNPROTECT(1);
#endif
}

}  // namespace

Baseline::~Baseline() {
  if (kept_ != R_NilValue) R_ReleaseObject(kept_);
}

void Baseline::take() {
  SEXP kept = PROTECT(Rf_allocVector(VECSXP, 3));
  SET_VECTOR_ELT(kept, 0, R_lsInternal3(R_GlobalEnv, TRUE, FALSE));
  SET_VECTOR_ELT(kept, 1, call_base("search"));
  SET_VECTOR_ELT(kept, 2, call_base("options"));
  R_PreserveObject(kept);
  if (kept_ != R_NilValue) R_ReleaseObject(kept_);
  kept_ = kept;
  UNPROTECT(1);

  SEXP names = VECTOR_ELT(kept_, 0);
  names_.clear();
  for (R_xlen_t i = 0; i < XLENGTH(names); ++i) names_.insert(STRING_ELT(names, i));
  // The state of the random numbers goes on from task to task.
  names_.insert(PRINTNAME(Rf_install(".Random.seed")));
  note_search_path();
  note_options();
}

void Baseline::restore(int parts) {
  if (parts & globals) remove_new_globals();
  if ((parts & packages) && search_path_changed()) {
    call_with(search_, VECTOR_ELT(kept_, 1));
    note_search_path();
  }
  if ((parts & options) && options_changed()) {
    SET_VECTOR_ELT(kept_, 2, call_with(set_, VECTOR_ELT(kept_, 2)));
    note_options();
  }
  if (parts & memory) R_gc();
}

void Baseline::remove_new_globals() {
  SEXP names = PROTECT(R_lsInternal3(R_GlobalEnv, TRUE, FALSE));
  for (R_xlen_t i = 0; i < XLENGTH(names); ++i) {
    SEXP name = STRING_ELT(names, i);
    if (names_.count(name) == 0) remove_global(name);
  }
  UNPROTECT(1);
}

void Baseline::note_search_path() {
  search_path_.clear();
  for (SEXP env = parent_of(R_GlobalEnv); env != R_EmptyEnv; env = parent_of(env))
    search_path_.push_back(env);
}

bool Baseline::search_path_changed() const {
  std::size_t i = 0;
  for (SEXP env = parent_of(R_GlobalEnv); env != R_EmptyEnv; env = parent_of(env), ++i) {
    if (i == search_path_.size() || search_path_[i] != env) return true;
  }
  return i != search_path_.size();
}

bool Baseline::options_changed() const {
  std::size_t i = 0;
  for (SEXP cell = options_list(); cell != R_NilValue; cell = CDR(cell), i += 2) {
    if (i == options_.size() || options_[i] != TAG(cell) || options_[i + 1] != CAR(cell)) return true;
  }
  return i != options_.size();
}

// The values are kept alive by kept_, or by .Options itself.
void Baseline::note_options() {
  options_.clear();
  for (SEXP cell = options_list(); cell != R_NilValue; cell = CDR(cell)) {
    options_.push_back(TAG(cell));
    options_.push_back(CAR(cell));
  }
}

}  // namespace tenkai
