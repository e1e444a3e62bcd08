// .Call wrappers for tasks: the hot path.
#include <chrono>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <utility>

#include "api.h"
#include "mirai.h"
#include "race.h"
#include "serialize.h"
#include "session.h"
#include "taken_streams.h"
#include "values.h"

namespace tenkai {

namespace {

// The buffer that messages are written into, used again for the next one; a
// call that comes while it is in use (from a finalizer) gets one of its own.
class Scratch {
 public:
  Scratch() : buffer_(in_use ? own_ : shared()), took_shared_(!in_use) {
    in_use = true;
    buffer_.clear();
  }
  ~Scratch() {
    buffer_.clear();
    if (took_shared_) in_use = false;
  }
  Scratch(const Scratch&) = delete;
  Buffer& operator*() { return buffer_; }

 private:
  static Buffer& shared() {
    static Buffer buffer;
    return buffer;
  }
  inline static bool in_use = false;
  Buffer own_;
  Buffer& buffer_;
  bool took_shared_;
};

// `filed`: null where all is kept by the dispatcher, and nothing is shared.
void write(SEXP object, Buffer& into, SEXP hooks, FiledVectors* filed) {
  Gathered gathered;
  auto body = [&] {
    serialize_whole(object, into, hooks, gathered, filed);
    return R_NilValue;
  };
  safely(body);
}

// list(expr, globals, args), and, where one of them is not the usual, whether only data may
// come back, the stream of random numbers or NULL, and what is relayed. Not protected.
SEXP parcel(SEXP expr, SEXP globals, SEXP args, bool safe = false,
            const std::optional<RandomStream>& stream = {}, SEXP relay = R_NilValue) {
  bool relays = relay != R_NilValue;
  SEXP list = PROTECT(Rf_allocVector(VECSXP, relays ? 6 : safe || stream ? 5 : 3));
  SET_VECTOR_ELT(list, 0, expr);
  SET_VECTOR_ELT(list, 1, globals);
  SET_VECTOR_ELT(list, 2, args);
  if (XLENGTH(list) > 3) SET_VECTOR_ELT(list, 3, Rf_ScalarLogical(safe));
  if (stream) SET_VECTOR_ELT(list, 4, stream_value(*stream));
  if (relays) SET_VECTOR_ELT(list, 5, relay);
  UNPROTECT(1);
  return list;
}

// Above it is no time that anybody waits for, nor a number that fits.
std::uint64_t whole_ms(double ms) {
  return static_cast<std::uint64_t>(std::fmin(std::fmax(0, std::ceil(ms)), 1e15));
}

// Why it may take for ever is told meanwhile.
void wait_for_memory(Link& link, Buffer& payload) {
  while (!link.wait_for_memory([&] { return link.memory_for(payload); })) tell_notes(link);
}

// Null where there is nothing to wait for.
Handle* waited_for(SEXP object) { return is_mirai(object) ? handle_of(object) : nullptr; }

// Enters all of a list that are pending; or the number of the first that is not, and 0
// where there is none.
R_xlen_t enter_all(SEXP list, Race& race) {
  for (R_xlen_t i = 0; i < XLENGTH(list); ++i) {
    SEXP element = VECTOR_ELT(list, i);
    if (!is_mirai(element)) continue;
    Handle* handle = handle_of(element);
    if (handle == nullptr || !handle->link->is_pending(handle->task)) return i + 1;
    race.enter(handle->link, handle->task, static_cast<std::size_t>(i));
  }
  return 0;
}

R_xlen_t first_resolved(SEXP list, Race::Until until) {
  while (true) {
    Race race;
    if (R_xlen_t known = enter_all(list, race)) return known;
    if (race.is_empty()) return 0;
    if (std::optional<std::size_t> place = race.wait(until)) return static_cast<R_xlen_t>(*place) + 1;
    bool has_notes = false;
    for (const std::shared_ptr<Link>& link : race.links()) has_notes = has_notes || link->has_notes();
    if (!has_notes) return 0;
    for (const std::shared_ptr<Link>& link : race.links()) tell_notes(*link);
  }
}

// The new mirai of what `frame` submits; NULL where the link is another process's, and FALSE
// where it is not to wait for memory and would have to. Not protected.
SEXP submit(SEXP pointer, Frame frame, SEXP expr, SEXP globals, SEXP args, SEXP relay = R_NilValue,
            bool waits = true) {
  std::shared_ptr<Link> link = link_of(pointer);
  if (link->is_foreign()) return R_NilValue;
  frame.task = link->next_id();
  SEXP mirai = PROTECT(new_mirai(link, frame.task));
  TakenStreams streams(*link, 1);
  SEXP payload = PROTECT(parcel(expr, globals, args, link->is_safe(), streams.first(), relay));
  Scratch scratch;
  FiledVectors& filed = FiledVectors::of_session();
  write(payload, *scratch, R_ExternalPtrProtected(pointer), &filed);
  if (!waits) link->take_in();  // an answer that is here may have made room
  bool fits = waits || link->has_room_for(link->memory_for(*scratch));
  if (fits) {
    wait_for_memory(*link, *scratch);
    link->submit(frame, *scratch, filed);
    if (relay != R_NilValue) link->expect_sayings(frame.task);
    streams.use();
  }
  tell_own_notes(*link);
  UNPROTECT(2);
  return fits ? mirai : Rf_ScalarLogical(FALSE);
}

Frame submit_frame(SEXP timeout, SEXP time_request) {
  Frame frame(Type::submit);
  if (timeout != R_NilValue) frame.with(Key::timeout_ms, whole_ms(Rf_asReal(timeout)));
  if (time_request != R_NilValue) frame.with(Key::time_request_ms, whole_ms(1e3 * Rf_asReal(time_request)));
  return frame;
}

}  // namespace

}  // namespace tenkai

using namespace tenkai;

SEXP tk_submit(SEXP pointer, SEXP expr, SEXP globals, SEXP args, SEXP timeout, SEXP time_request,
               SEXP relay) {
  return guarded(
      [&] { return submit(pointer, submit_frame(timeout, time_request), expr, globals, args, relay); });
}

SEXP tk_try_submit(SEXP pointer, SEXP expr, SEXP globals, SEXP args, SEXP timeout, SEXP time_request,
                   SEXP relay) {
  return guarded([&] {
    return submit(pointer, submit_frame(timeout, time_request), expr, globals, args, relay, false);
  });
}

// For the R process at this slot, numbered from 1, and for no other.
SEXP tk_submit_to(SEXP pointer, SEXP slot, SEXP expr, SEXP globals, SEXP args) {
  return guarded([&] {
    Frame frame(Type::submit);
    frame.with(Key::slot, static_cast<std::uint64_t>(Rf_asInteger(slot)));
    return submit(pointer, std::move(frame), expr, globals, args);
  });
}

// A list of `count` mirais, of the values that it has on daemons; NULL as above.
SEXP tk_everywhere(SEXP pointer, SEXP expr, SEXP globals, SEXP args, SEXP count, SEXP minimum) {
  return guarded([&]() -> SEXP {
    std::shared_ptr<Link> link = link_of(pointer);
    if (link->is_foreign()) return R_NilValue;
    SEXP payload = PROTECT(parcel(expr, globals, args));
    Scratch scratch;
    write(payload, *scratch, R_ExternalPtrProtected(pointer), nullptr);
    link->check_kept((*scratch).size());
    wait_for_memory(*link, *scratch);
    SEXP mirais = PROTECT(Rf_allocVector(VECSXP, Rf_asInteger(count)));
    Frame frame(Type::everywhere);
    for (R_xlen_t i = 0; i < XLENGTH(mirais); ++i) {
      std::uint64_t task = link->next_id();
      SET_VECTOR_ELT(mirais, i, new_mirai(link, task));
      if (i == 0) frame.task = task;
    }
    frame.with(Key::count, static_cast<std::uint64_t>(XLENGTH(mirais)));
    frame.with(Key::minimum, static_cast<std::uint64_t>(Rf_asInteger(minimum)));
    link->everywhere(frame, *scratch);
    tell_own_notes(*link);
    UNPROTECT(2);
    return mirais;
  });
}

// The value of a mirai; anything else stands for itself.
SEXP tk_data(SEXP mirai) {
  return guarded([&] {
    if (TYPEOF(mirai) != ENVSXP) return mirai;
    Handle* handle = handle_of(mirai);
    std::shared_ptr<Link> link = handle != nullptr ? handle->link : nullptr;
    // First, while the mirai has its link: who hears what it says may leave for good.
    if (link) {
      if (link->answer_to(handle->task) == nullptr) link->take_in();
      tell_notes(*link);
    }
    auto look = [&] { return settle(mirai); };
    SEXP value = PROTECT(safely(look));
    if (link) tell_notes(*link);
    UNPROTECT(1);
    return value;
  });
}

// Whether it has resolved within so many seconds; NULL is no limit.
SEXP tk_wait(SEXP mirai, SEXP seconds) {
  return guarded([&] {
    Handle* handle = waited_for(mirai);
    if (handle == nullptr) return Rf_ScalarLogical(TRUE);
    std::shared_ptr<Link> link = handle->link;
    std::optional<std::chrono::milliseconds> limit;
    if (seconds != R_NilValue) limit = std::chrono::milliseconds(whole_ms(1e3 * Rf_asReal(seconds)));
    while (!link->wait_for(handle->task, limit)) {
      bool is_over = !link->has_notes();
      // Why nothing may ever come is told now. Who hears it may look at the mirai.
      tell_notes(*link);
      if (is_over) return Rf_ScalarLogical(FALSE);
      handle = handle_of(mirai);
      if (handle == nullptr) return Rf_ScalarLogical(TRUE);
    }
    tell_notes(*link);  // first, as above
    auto look = [&] { return settle(mirai); };
    safely(look);
    tell_notes(*link);
    return Rf_ScalarLogical(TRUE);
  });
}

// The number of the first in a list that has resolved; 0 where no mirai is in it, or none
// has within so many seconds; NULL is no limit.
SEXP tk_race(SEXP list, SEXP seconds) {
  return guarded([&] {
    Race::Until until;
    if (seconds != R_NilValue) {
      until =
          std::chrono::steady_clock::now() + std::chrono::milliseconds(whole_ms(1e3 * Rf_asReal(seconds)));
    }
    return Rf_ScalarInteger(static_cast<int>(first_resolved(list, until)));
  });
}

// How many of a list of mirais have resolved.
SEXP tk_count_resolved(SEXP list) {
  return guarded([&] {
    int count = 0;
    Link* last = nullptr;
    for (R_xlen_t i = 0; i < XLENGTH(list); ++i) {
      Handle* handle = waited_for(VECTOR_ELT(list, i));
      Link* link = handle != nullptr ? handle->link.get() : last;
      if (link != last) link->take_in();
      last = link;
      if (handle == nullptr || !link->is_pending(handle->task)) count += 1;
    }
    return Rf_ScalarInteger(count);
  });
}

SEXP tk_unresolved(SEXP object) {
  return guarded([&] {
    if (!is_mirai(object)) return Rf_ScalarLogical(Rf_inherits(object, "unresolvedValue"));
    return Rf_ScalarLogical(tk_data(object) == unresolved_value());
  });
}

// Whether there was something to stop.
SEXP tk_stop(SEXP mirai) {
  return guarded([&] {
    bool is_running = is_mirai(mirai) && tk_data(mirai) == unresolved_value();
    if (!is_running) return Rf_ScalarLogical(FALSE);
    Handle* handle = handle_of(mirai);
    handle->link->cancel(handle->task);
    auto resolve = [&] {
      SEXP value = PROTECT(error_value(20, ""));
      resolve_to(mirai, value);
      UNPROTECT(1);
      return R_NilValue;
    };
    safely(resolve);
    return Rf_ScalarLogical(TRUE);
  });
}

// From now on each task has a stream of random numbers of its own, from this one on.
SEXP tk_seed_tasks(SEXP pointer, SEXP stream) {
  return guarded([&] {
    link_of(pointer)->seed_tasks(stream_in(stream));
    return R_NilValue;
  });
}

// The stream of the next task, which is then for nobody else; NULL where tasks have none.
SEXP tk_take_stream(SEXP pointer) {
  return guarded([&] {
    std::optional<RandomStream> stream = link_of(pointer)->take_streams(1);
    auto make = [&] { return stream ? stream_value(*stream) : R_NilValue; };
    return safely(make);
  });
}

SEXP tk_stream_after(SEXP stream, SEXP count) {
  return guarded([&] {
    RandomStream reached = stream_after(stream_in(stream), static_cast<std::uint64_t>(Rf_asReal(count)));
    auto make = [&] { return stream_value(reached); };
    return safely(make);
  });
}
