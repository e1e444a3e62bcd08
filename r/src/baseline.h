// What a daemon's R looked like before a task, and going back to it.
//
// Paid for each task, so it only compares pointers: names in the global
// environment, the search path, the options. R code runs only where one of
// these has changed.
#pragma once

#include <unordered_set>
#include <vector>

#include "crossing.h"

namespace tenkai {

class Baseline {
 public:
  // Which parts are restored; the numbers R's `cleanup` argument is made of.
  enum Part { globals = 1, packages = 2, options = 4, memory = 8 };

  // search(search path) and set(options) are R functions that go back to it; set()
  // returns the options that are gone back to from then on.
  Baseline(SEXP search, SEXP set) : search_(search), set_(set) {}
  ~Baseline();
  Baseline(const Baseline&) = delete;
  Baseline& operator=(const Baseline&) = delete;

  // May jump; run both inside R_ToplevelExec().
  void take();
  void restore(int parts);

 private:
  void remove_new_globals();
  bool search_path_changed() const;
  bool options_changed() const;
  void note_search_path();
  void note_options();

  SEXP search_;
  SEXP set_;
  SEXP kept_ = R_NilValue;  // list(names of globals, search(), options()), so they stay alive
  std::unordered_set<SEXP> names_;
  std::vector<SEXP> search_path_;
  std::vector<SEXP> options_;
};

}  // namespace tenkai
