#include "mirai.h"

#include <cstdio>
#include <cstring>
#include <initializer_list>
#include <string>

#include "base/error_code.h"
#include "depth.h"
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
SEXP usage_symbol() {
  static SEXP symbol = Rf_install("usage");
  return symbol;
}
SEXP data_symbol() {
  static SEXP symbol = Rf_install("data");
  return symbol;
}
SEXP id_symbol() {
  static SEXP symbol = Rf_install("id");
  return symbol;
}
SEXP handle_tag() {
  static SEXP symbol = Rf_install("tenkai_handle");
  return symbol;
}

SEXP classes(std::initializer_list<const char*> names) {
  SEXP made = Rf_allocVector(STRSXP, static_cast<R_xlen_t>(names.size()));
  R_PreserveObject(made);
  R_xlen_t i = 0;
  for (const char* name : names) SET_STRING_ELT(made, i++, Rf_mkChar(name));
  MARK_NOT_MUTABLE(made);
  return made;
}

bool named_promises = false;

SEXP mirai_class() {
  static SEXP plain = classes({"mirai", "recvAio"});
  static SEXP promise = classes({"mirai", "recvAio", "promise"});
  return named_promises ? promise : plain;
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

// What came is no value: R's own words, or those of scan(), say why.
constexpr std::uint64_t internal_error = 1000;
constexpr auto protocol_error = static_cast<std::uint64_t>(Code::protocol_error);

SEXP invalid_result(const char* why) {
  return error_value(protocol_error, std::string("invalid result: ") + why);
}

// The payload is its own: the code that runs may ask for the same value, and the answer is
// gone when that has been given.
struct Reading {
  Payload* payload;
  const Verdict& verdict;
  SEXP made = R_NilValue;  // by hooks
  char error[256] = "";
};

SEXP read_value(void* data) {
  auto* reading = static_cast<Reading*>(data);
  return unserialize(*reading->payload, reading->verdict, reading->made);
}

SEXP keep_message(SEXP condition, void* data) {
  bool has_message = TYPEOF(condition) == VECSXP && XLENGTH(condition) > 0 &&
                     TYPEOF(VECTOR_ELT(condition, 0)) == STRSXP && XLENGTH(VECTOR_ELT(condition, 0)) > 0;
  const char* message = has_message ? CHAR(STRING_ELT(VECTOR_ELT(condition, 0), 0)) : "of an unknown error";
  auto* reading = static_cast<Reading*>(data);
  std::snprintf(reading->error, sizeof reading->error, "R cannot read it: %s", message);
  return R_NilValue;
}

// What catching an error takes of the C stack.
constexpr std::size_t stack_to_catch = 128 * 1024;

// That is no fault of the value, which can be asked for again.
SEXP no_room() {
  static SEXP value = [] {
    SEXP made = error_value(protocol_error,
                            "the C stack has too little room left here to read the result: "
                            "ask for it again where fewer calls are open");
    R_PreserveObject(made);
    MARK_NOT_MUTABLE(made);
    return made;
  }();
  return value;
}

// The objects that hooks make for a value, or why there are none.
SEXP objects_for(const Reading& reading) {
  if (reading.verdict.made == 0) return R_NilValue;
  SEXP section = PROTECT(unserialize_section(*reading.payload, reading.verdict));
  SEXP objects = read_in_result(section);
  UNPROTECT(1);
  return objects;
}

SEXP read_at_risk(void* data) {
  auto* reading = static_cast<Reading*>(data);
  SEXP made = PROTECT(objects_for(*reading));
  reading->made = made;
  SEXP value = TYPEOF(made) == STRSXP ? error_value(internal_error, text_of(made))
                                      : R_tryCatchError(read_value, reading, keep_message, reading);
  UNPROTECT(1);
  return reading->error[0] == '\0' ? value : invalid_result(reading->error);
}

void drop_payload(void* data) { delete static_cast<Reading*>(data)->payload; }

// Reading it may run code that fails, or come to an end of R's. That is caught only
// where it can happen: it takes as long as a short task.
SEXP value_of_risk(const Payload& payload, const Verdict& verdict) {
  Reading reading{new Payload(payload), verdict};
  return R_ExecWithCleanup(read_at_risk, &reading, drop_payload, &reading);
}

SEXP value_from(const Answer& answer, Allowed allowed) {
  if (answer.code != 0) return error_value(answer.code, answer.message);
  Verdict verdict = examine(answer.payload, allowed);
  if (!verdict.is_good()) return invalid_result(verdict.reason);
  bool is_risky = verdict.runs_code || verdict.recursion > always_fits;
  if (!has_room(stack_for(verdict.recursion) + (is_risky ? stack_to_catch : 0))) return no_room();
  return is_risky ? value_of_risk(answer.payload, verdict) : unserialize(answer.payload, verdict);
}

// `m$usage`: what is in usage_fields, and the number of the task.
void note_usage(SEXP mirai, std::uint64_t task, const Answer& answer) {
  if (!answer.usage.is_known()) return;
  constexpr R_xlen_t count = std::size(usage_fields);
  static SEXP names = [] {
    SEXP made = Rf_allocVector(STRSXP, count + 1);
    R_PreserveObject(made);
    for (R_xlen_t i = 0; i < count; ++i) SET_STRING_ELT(made, i, Rf_mkChar(usage_fields[i].name));
    SET_STRING_ELT(made, count, Rf_mkChar("task"));
    MARK_NOT_MUTABLE(made);
    return made;
  }();
  SEXP usage = PROTECT(Rf_allocVector(REALSXP, count + 1));
  for (R_xlen_t i = 0; i < count; ++i) {
    REAL(usage)[i] = static_cast<double>(answer.usage.*usage_fields[i].value) * usage_fields[i].unit;
  }
  REAL(usage)[count] = static_cast<double>(task);
  Rf_setAttrib(usage, R_NamesSymbol, names);
  Rf_defineVar(usage_symbol(), usage, mirai);
  UNPROTECT(1);
}

}  // namespace

void set_reader_factory(SEXP factory) {
  R_PreserveObject(factory);
  reader_factory = factory;
}

void name_promises() { named_promises = true; }

// An attribute of an environment is one for all who hold it, as a mirai is: its copies
// are the same object. So the id can be nothing but its own.
SEXP new_mirai(const std::shared_ptr<Link>& link, std::uint64_t task) {
  SEXP self = PROTECT(R_NewEnv(R_EmptyEnv, FALSE, 0));
  SEXP pointer = PROTECT(R_MakeExternalPtr(nullptr, handle_tag(), R_NilValue));
  R_RegisterCFinalizerEx(pointer, drop, FALSE);
  Rf_defineVar(aio_symbol(), pointer, self);
  SEXP call = PROTECT(Rf_lang2(reader_factory, self));
  SEXP reader = PROTECT(Rf_eval(call, R_BaseEnv));
  R_MakeActiveBinding(data_symbol(), reader, self);
  Rf_setAttrib(self, R_ClassSymbol, mirai_class());
  SEXP id = PROTECT(text(link->name_of(task)));
  Rf_setAttrib(self, id_symbol(), id);
  R_SetExternalPtrAddr(pointer, new Handle{link, task});
  UNPROTECT(5);
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
  note_usage(mirai, handle->task, *answer);
  SEXP value = PROTECT(value_in(*answer, *handle->link));
  if (value != no_room()) resolve_to(mirai, value);
  UNPROTECT(1);
  return value;
}

SEXP value_in(const Answer& answer, const Link& link) {
  SEXP value = PROTECT(value_from(answer, link.is_safe() ? Allowed::data : Allowed::everything));
  if (TYPEOF(value) == STRSXP && Rf_inherits(value, "miraiError")) name_fields(value);
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
