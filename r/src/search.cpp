// Finds the mirais in a list, or puts their values in their places.
//
// A list may be the value of a task, large, deep, or a part of itself many times over.
// So both go down without recursion, look at each element once, and enter a list that
// others share only the first time.
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "api.h"
#include "mirai.h"
#include "values.h"

namespace tenkai {

namespace {

struct Place {
  SEXP list;
  R_xlen_t next;  // of a list; of a pairlist nothing
};

bool is_list(SEXP object) { return TYPEOF(object) == VECSXP || TYPEOF(object) == LISTSXP; }

constexpr std::size_t steps_between_looks = 1000000;  // for Ctrl-C

class Search {
 public:
  explicit Search(SEXP list) { enter(list); }

  // Jumps where the user interrupts it.
  void run() {
    for (std::size_t steps = 1; !places_.empty(); ++steps) {
      if (steps % steps_between_looks == 0) R_CheckUserInterrupt();
      Place& place = places_.back();
      bool is_pairlist = TYPEOF(place.list) == LISTSXP;
      bool has_next = is_pairlist || (place.list != R_NilValue && place.next < XLENGTH(place.list));
      if (has_next) {
        look_at(is_pairlist ? after_pair(place) : VECTOR_ELT(place.list, place.next++));
      } else {
        places_.pop_back();
      }
    }
  }
  const std::vector<SEXP>& found() const { return found_; }
  // Whether there is a map in the list, whose mirais have yet to be made.
  bool has_map() const { return has_map_; }

 private:
  void enter(SEXP list) {
    if (MAYBE_SHARED(list) && !entered_.insert(list).second) return;
    places_.push_back({list, 0});
  }
  // Its element; the rest of the pairlist takes its place.
  static SEXP after_pair(Place& place) {
    SEXP element = CAR(place.list);
    place.list = CDR(place.list);
    return element;
  }
  void look_at(SEXP object) {
    switch (TYPEOF(object)) {
      case VECSXP:
        if (Rf_inherits(object, "mirai_map")) has_map_ = true;
        enter(object);
        break;
      case LISTSXP: enter(object); break;
      case ENVSXP:
        if (is_mirai(object)) found_.push_back(object);
        break;
      case LGLSXP:
        if (Rf_inherits(object, "unresolvedValue")) found_.push_back(object);
        break;
      default: break;
    }
  }

  std::vector<Place> places_;
  std::unordered_set<SEXP> entered_;
  std::vector<SEXP> found_;
  bool has_map_ = false;
};

// Copies the lists and nothing else; a pairlist becomes a list.
class Filling {
 public:
  // Not protected. Jumps where a value cannot be read, or the user interrupts it.
  SEXP run(SEXP list) {
    SEXP root = PROTECT(enter(list));
    for (std::size_t steps = 1; !places_.empty(); ++steps) {
      if (steps % steps_between_looks == 0) R_CheckUserInterrupt();
      Place& place = places_.back();
      if (place.next == XLENGTH(place.list)) {
        places_.pop_back();
      } else {
        fill(place.list, place.next++);
      }
    }
    UNPROTECT(1);
    return root;
  }

 private:
  // A copy is protected by the list that it goes into at once.
  SEXP enter(SEXP list) {
    bool is_shared = MAYBE_SHARED(list);
    auto known = is_shared ? copies_.find(list) : copies_.end();
    if (known != copies_.end()) return known->second;
    SEXP copy = TYPEOF(list) == LISTSXP ? Rf_PairToVectorList(list) : Rf_shallow_duplicate(list);
    if (is_shared) copies_[list] = copy;
    places_.push_back({copy, 0});
    return copy;
  }
  void fill(SEXP list, R_xlen_t at) {
    SEXP element = VECTOR_ELT(list, at);
    if (is_list(element)) {
      SET_VECTOR_ELT(list, at, enter(element));
    } else if (is_mirai(element)) {
      SET_VECTOR_ELT(list, at, settle(element));
    }
  }

  std::vector<Place> places_;
  std::unordered_map<SEXP, SEXP> copies_;
};

}  // namespace

}  // namespace tenkai

using namespace tenkai;

SEXP tk_has_map(SEXP list) {
  return guarded([&] {
    Search search(list);
    auto look = [&] {
      search.run();
      return Rf_ScalarLogical(search.has_map());
    };
    return safely(look);
  });
}

// The mirais, and what stands for a value that is not there yet, in a list and in the
// lists within it, in their order.
SEXP tk_mirais(SEXP list) {
  return guarded([&] {
    if (!is_list(list)) return Rf_allocVector(VECSXP, 0);
    Search search(list);
    auto look = [&] {
      search.run();
      const std::vector<SEXP>& found = search.found();
      SEXP mirais = Rf_allocVector(VECSXP, static_cast<R_xlen_t>(found.size()));
      for (std::size_t i = 0; i < found.size(); ++i) {
        SET_VECTOR_ELT(mirais, static_cast<R_xlen_t>(i), found[i]);
      }
      return mirais;
    };
    return safely(look);
  });
}

// A list, and the lists within it, with what is known of each mirai in its place.
SEXP tk_values(SEXP list) {
  return guarded([&] {
    Filling filling;
    auto fill = [&] { return filling.run(list); };
    return safely(fill);
  });
}
