// The evaluation of one task, contained: whatever the task does, short of ending
// the process, it comes back with serialized bytes.
//
// Interrupts reach R only while the task's own code runs. The value is
// serialized inside the same containment, so a value that cannot be is an
// ordinary error of the task.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <type_traits>

#include "base/bytes.h"
#include "base/random_stream.h"
#include "crossing.h"
#include "expression_room.h"
#include "filed_vectors.h"
#include "hooks.h"
#include "piece.h"
#include "relay.h"
#include "serialize.h"

namespace tenkai {

class Evaluation {
 public:
  // `functions`: list(evaluate = function(), escaped = function(interrupted),
  // then two that are not for here, plain_error = function(failure), three that are not
  // for here, relay_handlers = function(kinds, data_only), begin_output = function(),
  // end_output = function(level)). What tasks say goes to `relay`; null: it is not relayed.
  explicit Evaluation(SEXP functions, Relay* relay = nullptr) : functions_(functions), relay_(relay) {}
  Evaluation(const Evaluation&) = delete;
  Evaluation& operator=(const Evaluation&) = delete;

  // An everywhere() without arguments of its own is evaluated in the global
  // environment itself.
  void run(Payload task, bool everywhere);
  // What the elements that come next share.
  void share(Payload shared, std::uint64_t first);
  // Elements of a map, until the piece is over. Between two of them `clean_up` is called.
  void run(Piece& piece, const std::function<void()>& clean_up);

  Buffer& value() { return value_; }
  bool failed() const { return failed_; }
  // R could not even make the error value: no task will go well here any more.
  bool is_broken() const { return is_broken_; }
  const std::string& failure() const { return failure_; }

  // What R's evaluate() calls back: the task that is being run.
  static Evaluation* current();
  // Evaluates and serializes, within this frame. Jumps as R does. NULL when it went well.
  SEXP perform(SEXP frame);
  // A handler of ours has begun, and is not interrupted.
  void on_handler(bool interrupt);
  // What is attached from now on is for all elements of this piece.
  void keep_packages() { keeps_packages_ = piece_ != nullptr; }
  bool keeps_packages() const { return keeps_packages_; }

 private:
  SEXP perform_task();
  SEXP perform_piece();
  SEXP perform_element();
  void read_shared();
  RandomStream stream_of_element(std::uint64_t place);
  void keep_value(SEXP value, SEXP hooks);
  void keep_failure(SEXP failure);
  void keep_jump();
  void begin_relay(SEXP kinds);
  void begin_output();
  void end_relay();
  bool is_welcome() const;

  SEXP functions_;
  Relay* relay_;
  int sinks_ = 0;  // before it was relayed
  SEXP frame_ = R_NilValue;
  Payload task_;
  Payload given_;       // the same, for as long as the files of
  FiledVectors filed_;  // ... its large vectors may be passed on
  Buffer value_;
  Gathered gathered_{Gathered::Failure::jumps};
  ExpressionRoom room_;
  bool everywhere_ = false;
  bool failed_ = false;
  bool is_broken_ = false;
  bool interrupted_ = false;
  bool data_only_ = false;
  std::string failure_;
  // For a map: list(call, objects that it sees, global objects, stream, whether the session
  // lets in nothing but data, what is relayed), or NULL while it is still bytes; where those objects are; the
  // hooks for its values; and what keeps these alive.
  Payload shared_bytes_;
  SEXP shared_ = R_NilValue;
  SEXP shared_frame_ = R_NilValue;
  SEXP hooks_of_map_ = R_NilValue;
  SEXP kept_for_map_ = R_NilValue;
  std::uint64_t first_of_map_ = 0;
  std::uint64_t next_place_ = 0;  // of the element whose stream is next_stream_
  RandomStream next_stream_{};
  Piece* piece_ = nullptr;
  bool keeps_packages_ = false;
  const std::function<void()>* clean_up_ = nullptr;
};

// Runs `body` as if from R's top level: false if it jumped.
template <class Body>
bool contained(Body&& body) {
  return R_ToplevelExec([](void* data) { (*static_cast<std::remove_reference_t<Body>*>(data))(); }, &body) ==
         TRUE;
}

}  // namespace tenkai
