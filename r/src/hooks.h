// Hooks: functions of the user that make bytes of objects which R cannot serialize, such as
// what an external pointer points to, and the same objects of these bytes.
//
// While R serializes a value it asks about each external pointer, weak reference and
// environment that it meets. One of a class that has hooks is gathered here, and a mark is
// written in its place. When the value is complete, R code calls the hooks, and what they
// have made follows the value as a list of its own, the section. Who reads the value begins
// with the section: the objects are made first, and then handed out, one at each mark.
// docs/protocol.md has the layout.
//
// What hooks there are is R's business (serialization.R). Here they are a list: its first
// element has the classes, the second the section of a value that holds no such object, or
// NULL where that needs none.
#pragma once

#include <cstddef>
#include <vector>

#include "crossing.h"

namespace tenkai {

// What is gathered from one value. It owns memory, so it lives outside of what R jumps over.
class Gathered {
 public:
  // What becomes of hooks that fail: R's error, or, of what is sent to be evaluated, a section
  // that says so to the daemon, which makes it the value.
  enum class Failure { jumps, travels };

  explicit Gathered(Failure failure = Failure::travels) : failure_(failure) {}
  Gathered(const Gathered&) = delete;
  Gathered& operator=(const Gathered&) = delete;

  // `room`: a list of one that the caller keeps alive until it has the section.
  void begin(SEXP hooks, SEXP room);
  // The mark that is written in place of an object, or NULL where it has no hooks. May jump.
  SEXP mark_for(SEXP object);
  // Calls the hooks. NULL where the value needs no section. Not protected. May jump.
  SEXP section();
  void clear() { begin(R_NilValue, R_NilValue); }

 private:
  struct Known {
    SEXP object = nullptr;
    int number = 0;
  };

  int class_of(SEXP object) const;
  bool note(SEXP object, int its_class);
  void keep(SEXP object);
  void widen();
  std::size_t place_of(SEXP object) const;

  Failure failure_;
  SEXP hooks_ = R_NilValue;
  SEXP room_ = R_NilValue;    // list(the objects)
  std::vector<Known> table_;  // by their addresses; at least half of it is empty
  std::vector<int> classes_;  // of the objects, from 1 on
  std::vector<int> marks_;    // whose they are, from 1 on
};

// What made_object() takes as its data: the object for each mark. Not protected.
SEXP objects_to_hand_out(SEXP objects);
// R's reference hook while it reads: the object for the next mark.
SEXP made_object(SEXP mark, SEXP data);
// The same where one of them is the environment of something: all that were environments
// have to be some again.
SEXP made_environment(SEXP mark, SEXP data);

// A section that came with a task: list(hooks for its value, objects). May jump.
SEXP read_in_task(SEXP section);
// One that came with a result: the objects, or a text that says why there are none. May jump.
SEXP read_in_result(SEXP section);

}  // namespace tenkai
