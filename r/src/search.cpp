// Finds the mirais in a list.
//
// A list may be the value of a task, large, deep, or a part of itself many times over.
// So the search goes down without recursion, looks at each element once, and enters a
// list that others share only the first time.
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

class Search {
 public:
  explicit Search(SEXP list) { enter(list); }

  // Jumps where the user interrupts it.
  void run() {
    for (std::size_t steps = 1; !places_.empty(); ++steps) {
      if (steps % 1000000 == 0) R_CheckUserInterrupt();
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
};

}  // namespace

}  // namespace tenkai

using namespace tenkai;

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
