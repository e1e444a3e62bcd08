#include "evaluation.h"

#include <initializer_list>
#include <string>
#include <utility>

#include "depth.h"
#include "ending.h"
#include "handlers.h"
#include "internal.h"
#include "interrupts.h"
#include "session.h"
#include "values.h"

namespace tenkai {

namespace {

Evaluation* running = nullptr;

void assign_all(SEXP values, SEXP env) {
  SEXP names = PROTECT(Rf_getAttrib(values, R_NamesSymbol));
  for (R_xlen_t i = 0; i < XLENGTH(values) && names != R_NilValue; ++i) {
    Rf_defineVar(Rf_installTrChar(STRING_ELT(names, i)), VECTOR_ELT(values, i), env);
  }
  UNPROTECT(1);
}

// `.tenkai_evaluate(quote(expr), env)`: eval() under a name by which the frames
// of a stack trace are told from the user's.
SEXP evaluation_call(SEXP expr, SEXP env) {
  static SEXP name = Rf_install(".tenkai_evaluate");
  SEXP quoted = PROTECT(Rf_lang2(R_QuoteSymbol, expr));
  SEXP call = Rf_lang3(name, quoted, env);
  UNPROTECT(1);
  return call;
}

// list(the hooks for its value, the objects that hooks have made for it), or NULL.
SEXP hooked_in(const Payload& task, const Verdict& verdict) {
  if (verdict.section == 0) return R_NilValue;
  SEXP section = PROTECT(unserialize_section(task, verdict));
  SEXP hooked = read_in_task(section);
  UNPROTECT(1);
  return hooked;
}

// The object in these bytes, and the hooks for its value (R_NilValue: none). Neither is
// protected. Its large vectors are added to `filed`; null: to none.
SEXP read(const Payload& bytes, const char* what, SEXP& hooks, FiledVectors* filed = nullptr) {
  Verdict verdict = examine(bytes, Allowed::everything);
  if (!verdict.is_good()) Rf_error("R cannot read %s: %s", what, verdict.reason);
  SEXP hooked = PROTECT(hooked_in(bytes, verdict));
  bool has_hooks = hooked != R_NilValue;
  SEXP object = PROTECT(unserialize(bytes, verdict, has_hooks ? VECTOR_ELT(hooked, 1) : R_NilValue, filed));
  hooks = has_hooks ? VECTOR_ELT(hooked, 0) : R_NilValue;
  UNPROTECT(2);
  return object;
}

// The random numbers of a task that has some of its own.
void begin_stream(SEXP stream) {
  if (stream != R_NilValue) Rf_defineVar(R_SeedsSymbol, stream, R_GlobalEnv);
}

constexpr const char* no_longer_works =
    "R no longer works in this daemon, which ends for that: has a task replaced a function of base R?";

// An error value that R had no part in.
SEXP broken() {
  const char* fields[] = {"message", "call", ""};
  SEXP condition = PROTECT(Rf_mkNamed(VECSXP, fields));
  SET_VECTOR_ELT(condition, 0, Rf_mkString(no_longer_works));
  SEXP value = PROTECT(Rf_mkString((std::string("Error: ") + no_longer_works).c_str()));
  auto set_class = [](SEXP of, std::initializer_list<const char*> names) {
    SEXP classes = PROTECT(Rf_allocVector(STRSXP, static_cast<R_xlen_t>(names.size())));
    R_xlen_t at = 0;
    for (const char* name : names) SET_STRING_ELT(classes, at++, Rf_mkChar(name));
    Rf_setAttrib(of, R_ClassSymbol, classes);
    UNPROTECT(1);
  };
  set_class(condition, {"simpleError", "error", "condition"});
  Rf_setAttrib(value, Rf_install("stack.trace"), Rf_allocVector(VECSXP, 0));
  Rf_setAttrib(value, Rf_install("condition"), condition);
  set_class(value, {"miraiError", "errorValue", "try-error"});
  UNPROTECT(2);
  return value;
}

}  // namespace

void Evaluation::on_handler(bool interrupt) {
  R_interrupts_suspended = TRUE;
  interrupted_ = interrupt;
  room_.make();
}

Evaluation* Evaluation::current() { return running; }

void Evaluation::run(Payload task, bool everywhere) {
  everywhere_ = everywhere;
  task_ = std::move(task);
  failed_ = interrupted_ = data_only_ = false;
  failure_.clear();
  value_.clear();
  Evaluation* outer = std::exchange(running, this);
  bool came_back = false;
  {
    Watching watching;
    came_back = contained([this] {
      SEXP call = PROTECT(Rf_lang1(VECTOR_ELT(functions_, 0)));
      SEXP failure = PROTECT(Rf_eval(call, R_BaseEnv));
      if (failure != R_NilValue) keep_failure(failure);
      UNPROTECT(2);
    });
    R_interrupts_suspended = TRUE;
  }
  running = outer;
  if (relay_ != nullptr && relay_->is_active()) end_relay();
  task_ = given_ = nullptr;
  filed_.clear();
  if (failed_ || !came_back) contained([] { end_time_limits(); });
  contained([] { end_warnings(); });
  if (!came_back) keep_jump();
  contained([this] { room_.give_back(); });
  is_broken_ = !came_back && !failed_;
  if (is_broken_) contained([this] { keep_failure(broken()); });
}

void Evaluation::keep_jump() {
  contained([this] { room_.make(); });
  contained([this] {
    SEXP interrupted = PROTECT(Rf_ScalarLogical(interrupted_));
    SEXP call = PROTECT(Rf_lang2(VECTOR_ELT(functions_, 1), interrupted));
    keep_failure(Rf_eval(call, R_BaseEnv));
    UNPROTECT(2);
  });
}

// A session refuses what is more than data, if it is told to, and what nests too deep;
// what nests deeper cannot even be written. Where that is only the condition (most hold
// a call), it still gets the message.
void Evaluation::keep_failure(SEXP failure) {
  PROTECT(failure);
  failed_ = true;
  value_.clear();
  bool is_written = contained([&] { serialize(failure, value_); });
  if (!is_written || !is_welcome()) {
    SEXP call = PROTECT(Rf_lang2(VECTOR_ELT(functions_, 4), failure));
    SEXP plain = PROTECT(Rf_eval(call, R_BaseEnv));
    value_.clear();
    serialize(plain, value_);
    UNPROTECT(2);
  }
  if (TYPEOF(failure) == STRSXP) failure_ = text_of(failure);
  UNPROTECT(1);
}

bool Evaluation::is_welcome() const {
  if (value_.is_in_file()) return !data_only_;  // it is not read back to be looked through
  return scan(value_.view(), data_only_ ? Allowed::data : Allowed::everything, deepest()).is_good();
}

SEXP Evaluation::perform(SEXP frame) {
  frame_ = frame;
  return piece_ != nullptr ? perform_piece() : perform_task();
}

// From here on what the task says goes to the session: a sum of Saying, or 0.
void Evaluation::begin_relay(SEXP kinds) {
  int wanted = Rf_asInteger(kinds);
  if (wanted == NA_INTEGER || wanted <= 0 || relay_ == nullptr) return;
  sinks_ = sink_number(true);
  bool output = (wanted & static_cast<int>(Saying::Kind::output)) != 0;
  guarded([&] {
    relay_->begin(output, sinks_ == 0);
    return R_NilValue;
  });
  begin_output();
  SEXP data_only = PROTECT(Rf_ScalarLogical(data_only_));
  SEXP call = PROTECT(Rf_lang3(VECTOR_ELT(functions_, 8), kinds, data_only));
  SEXP handlers = PROTECT(Rf_eval(call, R_BaseEnv));
  establish_handlers(handlers, frame_);
  UNPROTECT(3);
}

// Where R's output goes to nobody, it goes to standard output again.
void Evaluation::begin_output() {
  if (!relay_->takes_output() || sinks_ == 0) return;
  SEXP call = PROTECT(Rf_lang1(VECTOR_ELT(functions_, 9)));
  Rf_eval(call, R_BaseEnv);
  UNPROTECT(1);
}

void Evaluation::end_relay() {
  relay_->end();
  contained([this] {
    SEXP level = PROTECT(Rf_ScalarInteger(sinks_));
    SEXP call = PROTECT(Rf_lang2(VECTOR_ELT(functions_, 10), level));
    Rf_eval(call, R_BaseEnv);
    UNPROTECT(2);
  });
}

SEXP Evaluation::perform_task() {
  // From here on, and no longer than the handlers of evaluate() are there to
  // catch it, an interrupt counts.
  R_interrupts_suspended = FALSE;
  SEXP hooks = R_NilValue;
  SEXP parcel = PROTECT(read(task_, "what the task was given", hooks, &filed_));
  PROTECT(hooks);
  // The bytes are not needed any more, and may be many, but for a file that may be passed on.
  if (!filed_.is_empty()) given_ = std::move(task_);
  task_ = nullptr;
  if (TYPEOF(parcel) != VECSXP || XLENGTH(parcel) < 3) Rf_error("what came is not a task");
  data_only_ = XLENGTH(parcel) > 3 && Rf_asLogical(VECTOR_ELT(parcel, 3)) != FALSE;
  if (XLENGTH(parcel) > 4) begin_stream(VECTOR_ELT(parcel, 4));
  if (XLENGTH(parcel) > 5) begin_relay(VECTOR_ELT(parcel, 5));
  SEXP args = VECTOR_ELT(parcel, 2);
  // What everywhere() assigns is meant to stay.
  bool global = everywhere_ && XLENGTH(args) == 0;
  SEXP env = PROTECT(global ? R_GlobalEnv : R_NewEnv(R_GlobalEnv, XLENGTH(args) > 8, 29));
  assign_all(VECTOR_ELT(parcel, 1), R_GlobalEnv);
  assign_all(args, env);
  SEXP call = PROTECT(evaluation_call(VECTOR_ELT(parcel, 0), env));
  SEXP value = PROTECT(Rf_eval(call, evaluation_space()));
  // What is left is not the task's own doing.
  R_interrupts_suspended = TRUE;
  end_time_limits();
  R_interrupts_suspended = FALSE;
  keep_value(value, hooks);
  R_interrupts_suspended = TRUE;
  UNPROTECT(5);
  return R_NilValue;
}

// A session that lets in nothing but data takes nothing that hooks have made.
void Evaluation::keep_value(SEXP value, SEXP hooks) {
  SEXP used = data_only_ ? R_NilValue : hooks;
  piece_ != nullptr ? serialize(value, value_, used, gathered_)
                    : serialize_whole(value, value_, used, gathered_, &filed_);
}

// --- elements of a map ---

void Evaluation::share(Payload shared, std::uint64_t first) {
  shared_bytes_ = std::move(shared);
  first_of_map_ = first;
  next_place_ = 0;
  if (shared_ != R_NilValue) R_ReleaseObject(kept_for_map_);
  shared_ = R_NilValue;
}

// An element that fails ends the containment of those before it; the others go on in a new one.
void Evaluation::run(Piece& piece, const std::function<void()>& clean_up) {
  piece_ = &piece;
  clean_up_ = &clean_up;
  while (!piece.is_over()) {
    run(nullptr, false);
    if (!failed_) break;
    if (interrupted_) piece.on_interrupted();
    contained([&] { piece.keep(value_, true); });
    if (is_broken_) break;
    if (!piece.is_over()) clean_up();
  }
  piece_ = nullptr;
  keeps_packages_ = false;
}

SEXP Evaluation::perform_piece() {
  R_interrupts_suspended = FALSE;
  if (shared_ == R_NilValue) read_shared();
  if (relay_ != nullptr) relay_->at_element(piece_->done());
  data_only_ = Rf_asLogical(VECTOR_ELT(shared_, 4)) == TRUE;
  if (XLENGTH(shared_) > 5) begin_relay(VECTOR_ELT(shared_, 5));
  while (true) {
    perform_element();
    R_interrupts_suspended = TRUE;
    piece_->keep(value_, false);
    if (piece_->is_over()) return R_NilValue;
    (*clean_up_)();
    if (relay_ != nullptr) relay_->at_element(piece_->done());
    if (relay_ != nullptr && relay_->is_active()) begin_output();
    R_interrupts_suspended = FALSE;
  }
}

void Evaluation::read_shared() {
  SEXP hooks = R_NilValue;
  SEXP shared = PROTECT(read(shared_bytes_, "what the elements of the map share", hooks));
  PROTECT(hooks);
  if (TYPEOF(shared) != VECSXP || XLENGTH(shared) < 5) Rf_error("what came is not a map");
  SEXP frame = PROTECT(R_NewEnv(R_GlobalEnv, XLENGTH(VECTOR_ELT(shared, 1)) > 8, 29));
  assign_all(VECTOR_ELT(shared, 1), frame);
  SEXP kept = PROTECT(Rf_list3(shared, frame, hooks));
  R_PreserveObject(kept);
  kept_for_map_ = kept;
  shared_ = shared;
  shared_frame_ = frame;
  hooks_of_map_ = hooks;
  UNPROTECT(4);
}

// Mostly that of the element before, and one on.
RandomStream Evaluation::stream_of_element(std::uint64_t place) {
  RandomStream stream = place == next_place_ && place > 0
                            ? next_stream_
                            : stream_after(stream_in(VECTOR_ELT(shared_, 3)), place);
  next_place_ = place + 1;
  next_stream_ = next_stream(stream);
  return stream;
}

// The function is called with `.x`, which is in a frame of its own.
SEXP Evaluation::perform_element() {
  static SEXP element_name = Rf_install(".x");
  std::uint64_t place = piece_->number() - first_of_map_;
  task_ = piece_->element();
  SEXP hooks = R_NilValue;
  SEXP element = PROTECT(read(task_, "an element of a map", hooks));
  task_ = nullptr;
  SEXP env = PROTECT(R_NewEnv(shared_frame_, FALSE, 2));
  Rf_defineVar(element_name, element, env);
  assign_all(VECTOR_ELT(shared_, 2), R_GlobalEnv);
  if (VECTOR_ELT(shared_, 3) != R_NilValue) {
    SEXP stream = PROTECT(stream_value(stream_of_element(place)));
    begin_stream(stream);
    UNPROTECT(1);
  }
  SEXP call = PROTECT(evaluation_call(VECTOR_ELT(shared_, 0), env));
  SEXP value = PROTECT(Rf_eval(call, evaluation_space()));
  R_interrupts_suspended = TRUE;
  end_time_limits();
  R_interrupts_suspended = FALSE;
  keep_value(value, hooks_of_map_);
  UNPROTECT(4);
  return R_NilValue;
}

}  // namespace tenkai
