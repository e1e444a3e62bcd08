// What a task may leave behind in R itself, beside objects, packages and options:
// sinks, graphics devices, the locale, the kind of random numbers; and time limits
// and warnings, which end with their task whatever is kept.
//
// Paid for each task, so it compares numbers; R code runs only where one of them
// has changed.
#pragma once

#include <string>

#include "crossing.h"

namespace tenkai {

class GlobalState {
 public:
  // R functions: note() gives what there is, restore(noted) goes back to it, and
  // restore_kind(noted) to its kind of random numbers where none were drawn before.
  GlobalState(SEXP note, SEXP restore, SEXP restore_kind)
      : note_(note), restore_(restore), restore_kind_(restore_kind) {}
  ~GlobalState();
  GlobalState(const GlobalState&) = delete;
  GlobalState& operator=(const GlobalState&) = delete;

  // All may jump; run them inside R_ToplevelExec().
  void take();
  // Before each task: the random numbers go on from here if it turns to another kind.
  void begin_task();
  void restore();

 private:
  struct Numbers {
    int sinks, messages, devices, device;
    bool operator==(const Numbers& other) const;
  };
  static Numbers numbers();
  void note_numbers();
  bool are_as_noted() const;
  void restore_seed();

  SEXP note_;
  SEXP restore_;
  SEXP restore_kind_;
  SEXP kept_ = R_NilValue;  // list(what note() gave, .Random.seed before the task)
  Numbers numbers_{};
  std::string locale_;
};

}  // namespace tenkai
