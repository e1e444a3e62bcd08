// The evaluation of one task, contained: whatever the task does, short of ending
// the process, it comes back with serialized bytes.
//
// Interrupts reach R only while the task's own code runs. The value is
// serialized inside the same containment, so a value that cannot be is an
// ordinary error of the task.
#pragma once

#include <string>
#include <type_traits>

#include "base/bytes.h"
#include "crossing.h"
#include "expression_room.h"
#include "hooks.h"
#include "serialize.h"

namespace tenkai {

class Evaluation {
 public:
  // `functions`: list(evaluate = function(), escaped = function(interrupted),
  // then two that are not for here, plain_error = function(failure)).
  explicit Evaluation(SEXP functions) : functions_(functions) {}
  Evaluation(const Evaluation&) = delete;
  Evaluation& operator=(const Evaluation&) = delete;

  // An everywhere() without arguments of its own is evaluated in the global
  // environment itself.
  void run(Payload task, bool everywhere);

  Buffer& value() { return value_; }
  bool failed() const { return failed_; }
  // R could not even make the error value: no task will go well here any more.
  bool is_broken() const { return is_broken_; }
  const std::string& failure() const { return failure_; }

  // What R's evaluate() calls back: the task that is being run.
  static Evaluation* current();
  // Evaluates and serializes. Jumps as R does. NULL when it went well.
  SEXP perform();
  // A handler of ours has begun, and is not interrupted.
  void on_handler(bool interrupt);

 private:
  void keep_failure(SEXP failure);
  void keep_jump();
  bool is_welcome() const;

  SEXP functions_;
  Payload task_;
  Buffer value_;
  Gathered gathered_;
  ExpressionRoom room_;
  bool everywhere_ = false;
  bool failed_ = false;
  bool is_broken_ = false;
  bool interrupted_ = false;
  bool data_only_ = false;
  std::string failure_;
};

// Runs `body` as if from R's top level: false if it jumped.
template <class Body>
bool contained(Body&& body) {
  return R_ToplevelExec([](void* data) { (*static_cast<std::remove_reference_t<Body>*>(data))(); }, &body) ==
         TRUE;
}

}  // namespace tenkai
