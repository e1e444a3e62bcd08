// .Call wrapper for daemons(sync = TRUE): what a daemon does with a task, in the session
// itself.
#include <cstdint>
#include <memory>
#include <new>
#include <utility>

#include "api.h"
#include "base/error_code.h"
#include "baseline.h"
#include "evaluation.h"
#include "global_state.h"
#include "interrupts.h"
#include "meter.h"
#include "mirai.h"
#include "serialize.h"

namespace tenkai {

namespace {

// A mirai's handle names the link that its answer has come by, and that says what may be
// in it. Never freed: it costs nothing, and R ends in any order.
const std::shared_ptr<Link>& link_to_nobody(bool safe) {
  static auto* all = new std::shared_ptr<Link>(std::make_shared<Link>(-1, 0, -1));
  static auto* data = [] {
    auto* link = new std::shared_ptr<Link>(std::make_shared<Link>(-1, 0, -1));
    (*link)->make_safe();
    return link;
  }();
  return safe ? *data : *all;
}

Payload payload_of(Buffer& buffer) {
  std::size_t size = buffer.size();
  int file = buffer.is_in_file() ? buffer.seal() : -1;
  if (file < 0) return make_payload(buffer.view());
  Bytes bytes = Bytes::of_file(file);
  if (!bytes.claim(size)) throw std::bad_alloc();
  return std::make_shared<const Bytes>(std::move(bytes));
}

// An evaluation leaves them suspended.
class SameInterrupts {
 public:
  SameInterrupts() : before_(R_interrupts_suspended) {}
  ~SameInterrupts() { R_interrupts_suspended = before_; }
  SameInterrupts(const SameInterrupts&) = delete;
  SameInterrupts& operator=(const SameInterrupts&) = delete;

 private:
  Rboolean before_;
};

// The answer, and R is as before, as far as `cleanup` says.
Answer evaluate_here(SEXP functions, Payload task, bool everywhere, int cleanup) {
  SameInterrupts afterwards;
  Evaluation evaluation(functions);
  Baseline baseline(VECTOR_ELT(functions, 2), VECTOR_ELT(functions, 3));
  GlobalState global_state(VECTOR_ELT(functions, 5), VECTOR_ELT(functions, 6), VECTOR_ELT(functions, 7));
  bool noted = contained([&] {
    baseline.take();
    global_state.take();
    global_state.begin_task();
  });
  Meter meter;
  meter.start();
  evaluation.run(std::move(task), everywhere);
  Answer answer{payload_of(evaluation.value()), 0, {}, meter.stop()};
  if (everywhere || !noted) return answer;
  contained([&] {
    if (cleanup & Baseline::options) global_state.restore();
    baseline.restore(cleanup);
  });
  return answer;
}

}  // namespace

}  // namespace tenkai

using namespace tenkai;

// A mirai that was stopped before its task was begun.
SEXP tk_stopped_here() {
  return guarded([&] {
    const std::shared_ptr<Link>& link = link_to_nobody(false);
    std::uint64_t task = link->next_id();
    auto make = [&] { return new_mirai(link, task); };
    SEXP mirai = PROTECT(safely(make));
    link->put_answer(task, Answer{nullptr, static_cast<std::uint64_t>(Code::cancelled), {}});
    auto look = [&] { return settle(mirai); };
    safely(look);
    UNPROTECT(1);
    return mirai;
  });
}

// The mirai, which has its value. `parcel`: list(expression, globals, arguments), and a
// fourth element where only data may come back; `hooks`: those of the profile.
SEXP tk_here(SEXP functions, SEXP parcel, SEXP everywhere, SEXP cleanup, SEXP hooks) {
  return guarded([&] {
    const std::shared_ptr<Link>& link = link_to_nobody(XLENGTH(parcel) > 3);
    std::uint64_t task = link->next_id();
    auto make = [&] { return new_mirai(link, task); };
    SEXP mirai = PROTECT(safely(make));
    Buffer sent;
    Gathered gathered;
    auto write = [&] {
      serialize(parcel, sent, hooks, gathered);
      return R_NilValue;
    };
    safely(write);
    Answer answer =
        evaluate_here(functions, payload_of(sent), Rf_asLogical(everywhere) == TRUE, Rf_asInteger(cleanup));
    link->put_answer(task, std::move(answer));
    auto look = [&] { return settle(mirai); };
    safely(look);
    UNPROTECT(1);
    return mirai;
  });
}
