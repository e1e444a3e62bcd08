#include "mirai.h"

#include "serialize.h"
#include "values.h"

namespace tenkai {

namespace {

SEXP reader_factory = nullptr;

SEXP aio_symbol() {
  static SEXP symbol = Rf_install("aio");
  return symbol;
}
SEXP value_symbol() {
  static SEXP symbol = Rf_install("value");
  return symbol;
}
SEXP data_symbol() {
  static SEXP symbol = Rf_install("data");
  return symbol;
}
SEXP handle_tag() {
  static SEXP symbol = Rf_install("tenkai_handle");
  return symbol;
}

SEXP mirai_class() {
  static SEXP classes = [] {
    SEXP made = Rf_allocVector(STRSXP, 2);
    R_PreserveObject(made);
    SET_STRING_ELT(made, 0, Rf_mkChar("mirai"));
    SET_STRING_ELT(made, 1, Rf_mkChar("recvAio"));
    MARK_NOT_MUTABLE(made);
    return made;
  }();
  return classes;
}

// What `aio` is once there is nothing more to come. One for all: the handles of
// resolved mirais would else be looked at by every garbage collection.
SEXP spent_handle() {
  static SEXP pointer = [] {
    SEXP made = R_MakeExternalPtr(nullptr, handle_tag(), R_NilValue);
    R_PreserveObject(made);
    return made;
  }();
  return pointer;
}

void drop(SEXP pointer) {
  auto* handle = static_cast<Handle*>(R_ExternalPtrAddr(pointer));
  if (handle == nullptr) return;
  R_ClearExternalPtr(pointer);
  handle->link->forget(handle->task);
  delete handle;
}

SEXP pointer_of(SEXP mirai) {
  SEXP found = find_in(mirai, aio_symbol());
  bool ours = found != nullptr && TYPEOF(found) == EXTPTRSXP && R_ExternalPtrTag(found) == handle_tag();
  return ours ? found : R_NilValue;
}

SEXP value_from(const Answer& answer) {
  if (answer.code != 0) return error_value(answer.code, answer.message);
  return unserialize(answer.payload);
}

}  // namespace

void set_reader_factory(SEXP factory) {
  R_PreserveObject(factory);
  reader_factory = factory;
}

SEXP new_mirai(const std::shared_ptr<Link>& link) {
  SEXP self = PROTECT(R_NewEnv(R_EmptyEnv, FALSE, 0));
  SEXP pointer = PROTECT(R_MakeExternalPtr(nullptr, handle_tag(), R_NilValue));
  R_RegisterCFinalizerEx(pointer, drop, FALSE);
  Rf_defineVar(aio_symbol(), pointer, self);
  SEXP call = PROTECT(Rf_lang2(reader_factory, self));
  SEXP reader = PROTECT(Rf_eval(call, R_BaseEnv));
  R_MakeActiveBinding(data_symbol(), reader, self);
  Rf_setAttrib(self, R_ClassSymbol, mirai_class());
  R_SetExternalPtrAddr(pointer, new Handle{link, 0});
  UNPROTECT(4);
  return self;
}

bool is_mirai(SEXP object) { return TYPEOF(object) == ENVSXP && Rf_inherits(object, "mirai"); }

Handle* handle_of(SEXP mirai) {
  SEXP pointer = pointer_of(mirai);
  return pointer == R_NilValue ? nullptr : static_cast<Handle*>(R_ExternalPtrAddr(pointer));
}

SEXP settle(SEXP mirai) {
  SEXP known = find_in(mirai, value_symbol());
  if (known != nullptr) return known;
  Handle* handle = handle_of(mirai);
  // A copy of a mirai in another process can never learn its value.
  if (handle == nullptr) return error_value(7, "");
  const Answer* answer = handle->link->answer_to(handle->task);
  if (answer == nullptr) {
    handle->link->take_in();
    answer = handle->link->answer_to(handle->task);
  }
  if (answer == nullptr) return unresolved_value();
  SEXP value = PROTECT(value_from(*answer));
  resolve_to(mirai, value);
  UNPROTECT(1);
  return value;
}

void resolve_to(SEXP mirai, SEXP value) {
  Rf_defineVar(value_symbol(), value, mirai);
  SEXP pointer = pointer_of(mirai);
  if (pointer == R_NilValue) return;
  PROTECT(pointer);
  Rf_defineVar(aio_symbol(), spent_handle(), mirai);
  drop(pointer);
  UNPROTECT(1);
}

}  // namespace tenkai
