#include "hooks.h"

#include <climits>
#include <cstdint>
#include <cstring>
#include <new>
#include <utility>

#include "api.h"

namespace tenkai {

namespace {

// What R has given: list(make_section, read_in_task, read_in_result, state,
// make_section_or_failure).
SEXP functions = nullptr;

SEXP call_r(int function, SEXP section) {
  SEXP call = PROTECT(Rf_lang2(VECTOR_ELT(functions, function), section));
  SEXP value = Rf_eval(call, R_BaseEnv);
  UNPROTECT(1);
  return value;
}

// R looks each string that it writes up in a table, the faster the fewer there are. It
// does not protect the mark.
SEXP mark(bool is_environment) {
  auto keep = [](const char* text) {
    SEXP made = Rf_mkString(text);
    R_PreserveObject(made);
    return made;
  };
  static SEXP environment = keep("e");
  static SEXP other = keep("p");
  return is_environment ? environment : other;
}

SEXP integers(const std::vector<int>& numbers) {
  SEXP made = Rf_allocVector(INTSXP, static_cast<R_xlen_t>(numbers.size()));
  std::memcpy(INTEGER(made), numbers.data(), numbers.size() * sizeof(int));
  return made;
}

SEXP next_object(SEXP mark, SEXP data, bool encloses) {
  SEXP objects = VECTOR_ELT(data, 0);
  double* at = REAL(VECTOR_ELT(data, 1));
  if (TYPEOF(objects) != VECSXP || *at >= static_cast<double>(XLENGTH(objects))) {
    Rf_error("it refers to an object that no hook has made");
  }
  SEXP object = VECTOR_ELT(objects, static_cast<R_xlen_t>(*at));
  *at += 1;
  bool was_environment = *CHAR(STRING_ELT(mark, 0)) == 'e';
  if (encloses && was_environment && TYPEOF(object) != ENVSXP) {
    Rf_error("a hook has made no environment of what was that of a function");
  }
  return object;
}

}  // namespace

void Gathered::begin(SEXP hooks, SEXP room) {
  hooks_ = hooks;
  room_ = room;
  table_.clear();
  classes_.clear();
  marks_.clear();
}

// The first of its classes that has hooks; 0 where none has.
int Gathered::class_of(SEXP object) const {
  if (!Rf_isObject(object)) return 0;
  SEXP known = VECTOR_ELT(hooks_, 0);
  SEXP own = Rf_getAttrib(object, R_ClassSymbol);
  for (R_xlen_t i = 0; TYPEOF(own) == STRSXP && i < XLENGTH(own); ++i) {
    for (R_xlen_t k = 0; k < XLENGTH(known); ++k) {
      if (std::strcmp(CHAR(STRING_ELT(own, i)), CHAR(STRING_ELT(known, k))) == 0)
        return static_cast<int>(k) + 1;
    }
  }
  return 0;
}

// Where it is, or may be put.
std::size_t Gathered::place_of(SEXP object) const {
  std::size_t last = table_.size() - 1;  // the size is a power of 2
  std::size_t place = (reinterpret_cast<std::uintptr_t>(object) >> 3) * 0x9E3779B97F4A7C15 >> 20 & last;
  while (table_[place].object != nullptr && table_[place].object != object) place = (place + 1) & last;
  return place;
}

void Gathered::widen() {
  std::vector<Known> before = std::move(table_);
  table_.assign(before.empty() ? 64 : 4 * before.size(), Known{});
  for (const Known& each : before) {
    if (each.object != nullptr) table_[place_of(each.object)] = each;
  }
}

// False where there is no memory for it: nothing may be thrown through R.
bool Gathered::note(SEXP object, int its_class) {
  try {
    if (2 * classes_.size() >= table_.size()) widen();
    Known& known = table_[place_of(object)];
    if (known.object == nullptr) {
      classes_.push_back(its_class);
      known = {object, static_cast<int>(classes_.size())};
    }
    marks_.push_back(known.number);
    return true;
  } catch (const std::bad_alloc&) {
    return false;
  }
}

// In R's list, which grows.
void Gathered::keep(SEXP object) {
  SEXP objects = VECTOR_ELT(room_, 0);
  auto number = static_cast<R_xlen_t>(classes_.size());
  R_xlen_t capacity = Rf_xlength(objects);
  if (number > capacity) {
    SEXP larger = Rf_allocVector(VECSXP, 2 * capacity + 16);
    for (R_xlen_t i = 0; i < capacity; ++i) SET_VECTOR_ELT(larger, i, VECTOR_ELT(objects, i));
    SET_VECTOR_ELT(room_, 0, larger);
    objects = larger;
  }
  SET_VECTOR_ELT(objects, number - 1, object);
}

SEXP Gathered::mark_for(SEXP object) {
  int its_class = class_of(object);
  if (its_class == 0) return R_NilValue;
  std::size_t before = classes_.size();
  if (marks_.size() == INT_MAX || !note(object, its_class)) {
    Rf_error("there are more objects for hooks than there is memory for");
  }
  if (classes_.size() > before) keep(object);
  return mark(TYPEOF(object) == ENVSXP);
}

SEXP Gathered::section() {
  if (marks_.empty()) return VECTOR_ELT(hooks_, 1);
  auto count = static_cast<R_xlen_t>(classes_.size());
  SEXP objects = PROTECT(Rf_xlengthgets(VECTOR_ELT(room_, 0), count));
  SEXP classes = PROTECT(integers(classes_));
  SEXP marks = PROTECT(marks_.size() == classes_.size() ? R_NilValue : integers(marks_));
  SEXP make = VECTOR_ELT(functions, failure_ == Failure::travels ? 4 : 0);
  SEXP call = PROTECT(Rf_lang5(make, hooks_, objects, classes, marks));
  SEXP made = Rf_eval(call, R_BaseEnv);
  UNPROTECT(4);
  return made;
}

SEXP objects_to_hand_out(SEXP objects) {
  SEXP data = PROTECT(Rf_allocVector(VECSXP, 2));
  SET_VECTOR_ELT(data, 0, objects);
  SET_VECTOR_ELT(data, 1, Rf_ScalarReal(0));
  UNPROTECT(1);
  return data;
}

SEXP made_object(SEXP mark, SEXP data) { return next_object(mark, data, false); }
SEXP made_environment(SEXP mark, SEXP data) { return next_object(mark, data, true); }

SEXP read_in_task(SEXP section) {
  SEXP read = call_r(1, section);
  bool good = TYPEOF(read) == VECSXP && XLENGTH(read) == 2 && TYPEOF(VECTOR_ELT(read, 0)) == VECSXP;
  if (!good) Rf_error("what came for hooks is nothing that they take");
  return read;
}

SEXP read_in_result(SEXP section) { return call_r(2, section); }

}  // namespace tenkai

using namespace tenkai;

// What was given before, by a namespace of this package that has been unloaded.
SEXP tk_set_hook_functions(SEXP given) {
  SEXP before = functions == nullptr ? R_NilValue : functions;
  R_PreserveObject(given);
  functions = given;
  if (before != R_NilValue) R_ReleaseObject(before);
  return before;
}

// The place of the first element that is no raw vector, from 1 on; 0 where all are.
SEXP tk_first_not_raw(SEXP list) {
  R_xlen_t i = 0;
  while (i < XLENGTH(list) && TYPEOF(VECTOR_ELT(list, i)) == RAWSXP) ++i;
  return Rf_ScalarReal(i == XLENGTH(list) ? 0 : static_cast<double>(i) + 1);
}
