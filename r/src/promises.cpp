// .Call wrappers for promises: who waits for which mirai is known to R/promises.R.
#include <cstdint>
#include <memory>
#include <vector>

#include "api.h"
#include "link.h"
#include "mirai.h"
#include "session.h"

using namespace tenkai;

SEXP tk_name_promise() {
  return guarded([] {
    name_promises();
    return R_NilValue;
  });
}

// The numbers of its link and of its task, which tk_ripe() will name. NULL: it has its value.
SEXP tk_watch(SEXP mirai) {
  return guarded([&]() -> SEXP {
    Handle* handle = is_mirai(mirai) ? handle_of(mirai) : nullptr;
    if (handle == nullptr) return R_NilValue;
    handle->link->watch(handle->task);
    SEXP numbers = Rf_allocVector(REALSXP, 2);
    REAL(numbers)[0] = static_cast<double>(handle->link->number());
    REAL(numbers)[1] = static_cast<double>(handle->task);
    return numbers;
  });
}

// The link of a mirai that is watched.
SEXP tk_watched_link(SEXP mirai) {
  return guarded([&] { return pointer_to(handle_of(mirai)->link); });
}

// Where to wait for what tk_ripe() names.
SEXP tk_watch_fds(SEXP pointer) {
  return guarded([&] {
    Link& link = *link_of(pointer);
    bool comes = link.is_usable();
    SEXP fds = Rf_allocVector(INTSXP, comes ? 2 : 1);
    INTEGER(fds)[0] = link.bell();
    if (comes) INTEGER(fds)[1] = link.fd();
    return fds;
  });
}

// The numbers of watched tasks for which nothing more comes, each once.
SEXP tk_ripe(SEXP pointer) {
  return guarded([&] {
    std::shared_ptr<Link> link = link_of(pointer);
    std::vector<std::uint64_t> tasks = link->take_ripe();
    auto make = [&] {
      SEXP numbers = Rf_allocVector(REALSXP, static_cast<R_xlen_t>(tasks.size()));
      for (std::size_t i = 0; i < tasks.size(); ++i) {
        REAL(numbers)[i] = static_cast<double>(tasks[i]);
      }
      return numbers;
    };
    SEXP numbers = PROTECT(safely(make));
    tell_notes(*link);
    UNPROTECT(1);
    return numbers;
  });
}
