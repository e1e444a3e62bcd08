// .Call wrappers for maps. R holds a map as an external pointer; its elements are read all at
// once, or one by one as mirais that are made when somebody asks for them.
#include <chrono>
#include <cmath>
#include <cstdint>
#include <memory>
#include <optional>
#include <stdexcept>
#include <vector>

#include "api.h"
#include "base/parcel.h"
#include "map_answers.h"
#include "mirai.h"
#include "serialize.h"
#include "session.h"
#include "taken_streams.h"
#include "values.h"

namespace tenkai {

namespace {

// A parcel goes out when it is as large as this, or has as many elements.
constexpr std::size_t enough_bytes = 256 * 1024;
constexpr std::size_t enough_elements = 4096;

struct MapHandle {
  std::shared_ptr<Link> link;
  std::uint64_t first;
};

SEXP map_tag() {
  static SEXP symbol = Rf_install("tenkai_map");
  return symbol;
}

void drop_map(SEXP pointer) {
  auto* handle = static_cast<MapHandle*>(R_ExternalPtrAddr(pointer));
  if (handle == nullptr) return;
  R_ClearExternalPtr(pointer);
  handle->link->forget(handle->first);
  delete handle;
}

// Null of one that was made in another process.
void* address_in(SEXP pointer) {
  bool is_map = TYPEOF(pointer) == EXTPTRSXP && R_ExternalPtrTag(pointer) == map_tag();
  return is_map ? R_ExternalPtrAddr(pointer) : nullptr;
}

MapHandle& map_of(SEXP pointer) {
  void* address = address_in(pointer);
  if (address == nullptr)
    throw std::runtime_error(
        "this map belongs to another R process; only the one that made it has its values");
  return *static_cast<MapHandle*>(address);
}

MapAnswers& answers_of(const MapHandle& handle) {
  MapAnswers* answers = handle.link->map_with(handle.first);
  if (answers == nullptr) throw std::runtime_error("the answers to this map are gone");
  return *answers;
}

std::uint64_t element_of(const MapHandle& handle, SEXP index) {
  return handle.first + static_cast<std::uint64_t>(Rf_asReal(index)) - 1;
}

SEXP number(std::uint64_t number) { return Rf_ScalarReal(static_cast<double>(number)); }

// Elements of the list from `next` on, as far as a parcel goes: the size of each.
std::vector<std::uint64_t> fill(Buffer& buffer, SEXP list, R_xlen_t next, SEXP hooks) {
  std::vector<std::uint64_t> sizes;
  ParcelTable table;
  Gathered gathered;
  auto body = [&] {
    while (next < XLENGTH(list) && buffer.size() < enough_bytes && sizes.size() < enough_elements) {
      std::size_t before = buffer.size();
      serialize(VECTOR_ELT(list, next++), buffer, hooks, gathered);
      table.end_value(buffer.size());
      sizes.push_back(buffer.size() - before);
    }
    return R_NilValue;
  };
  safely(body);
  auto finish = [&] {
    table.write([&](const char* bytes, std::size_t size) { buffer.append(bytes, size); });
    return R_NilValue;
  };
  safely(finish);
  return sizes;
}

void send_elements(const MapHandle& handle, SEXP list, SEXP hooks) {
  Buffer buffer;
  for (R_xlen_t next = 0; next < XLENGTH(list);) {
    Frame frame(Type::elements);
    frame.task = handle.first + static_cast<std::uint64_t>(next);
    buffer.clear();
    std::vector<std::uint64_t> sizes = fill(buffer, list, next, hooks);
    next += static_cast<R_xlen_t>(sizes.size());
    while (!handle.link->wait_for_memory([&] { return buffer.size(); })) tell_notes(*handle.link);
    handle.link->send_elements(frame, buffer, sizes);
  }
}

// Waits until as few have no answer as `left`, or until one has failed; interruptible.
void wait_until(const MapHandle& handle, std::uint64_t left, bool or_failed) {
  Link& link = *handle.link;
  while (link.map_with(handle.first) != nullptr) {
    const MapAnswers& answers = answers_of(handle);
    if (answers.left() <= left || (or_failed && answers.first_failed()) || !link.is_usable()) return;
    if (!link.wait_for_news()) tell_notes(link);
  }
}

SEXP value_of(const MapHandle& handle, std::uint64_t element) {
  const Answer* answer = handle.link->answer_to(element);
  return answer == nullptr ? unresolved_value() : value_in(*answer, *handle.link);
}

}  // namespace

}  // namespace tenkai

using namespace tenkai;

// A map of `count` elements that share this; NULL where the link is another process's.
SEXP tk_map_begin(SEXP pointer, SEXP shared, SEXP count, SEXP chunk) {
  return guarded([&]() -> SEXP {
    std::shared_ptr<Link> link = link_of(pointer);
    if (link->is_foreign()) return R_NilValue;
    auto elements = static_cast<std::uint64_t>(Rf_asReal(count));
    Frame frame(Type::map);
    frame.with(Key::count, elements);
    if (chunk != R_NilValue) frame.with(Key::chunk, static_cast<std::uint64_t>(Rf_asReal(chunk)));
    Buffer buffer;
    Gathered gathered;
    TakenStreams streams(*link, elements);
    auto write = [&] {
      SEXP whole = PROTECT(Rf_shallow_duplicate(shared));
      if (streams.first()) SET_VECTOR_ELT(whole, 3, stream_value(*streams.first()));
      FiledVectors& filed = FiledVectors::of_session();
      serialize_whole(whole, buffer, R_ExternalPtrProtected(pointer), gathered, &filed);
      UNPROTECT(1);
      return R_NilValue;
    };
    safely(write);
    while (!link->wait_for_memory([&] { return Link::memory_for_map(buffer); })) tell_notes(*link);
    auto handle = std::make_unique<MapHandle>(MapHandle{link, link->begin_map(frame, elements, buffer)});
    streams.use();
    auto wrap = [&] {
      SEXP made = PROTECT(R_MakeExternalPtr(handle.get(), map_tag(), R_ExternalPtrProtected(pointer)));
      R_RegisterCFinalizerEx(made, drop_map, FALSE);
      UNPROTECT(1);
      return made;
    };
    SEXP made = safely(wrap);
    handle.release();
    return made;
  });
}

// All elements; where that is interrupted, none of them is worked on any more.
// The id of the first of its elements.
SEXP tk_map_id(SEXP pointer) {
  return guarded([&] {
    const MapHandle& handle = map_of(pointer);
    auto make = [&] { return text(handle.link->name_of(handle.first)); };
    return safely(make);
  });
}

SEXP tk_map_send(SEXP map, SEXP list) {
  return guarded([&] {
    MapHandle& handle = map_of(map);
    try {
      send_elements(handle, list, R_ExternalPtrProtected(map));
    } catch (...) {
      handle.link->cancel_elements(handle.first, answers_of(handle).count());
      throw;
    }
    tell_own_notes(*handle.link);
    return R_NilValue;
  });
}

SEXP tk_map_is_here(SEXP map) { return Rf_ScalarLogical(address_in(map) != nullptr); }

// How many elements have no answer.
SEXP tk_map_left(SEXP map) {
  return guarded([&] {
    MapHandle& handle = map_of(map);
    handle.link->take_in();
    SEXP left = PROTECT(number(handle.link->is_usable() ? answers_of(handle).left() : 0));
    tell_notes(*handle.link);
    UNPROTECT(1);
    return left;
  });
}

// Waits until `left` or fewer have no answer, or, if it is to, until one has failed.
SEXP tk_map_wait(SEXP map, SEXP left, SEXP or_failed) {
  return guarded([&] {
    MapHandle& handle = map_of(map);
    wait_until(handle, static_cast<std::uint64_t>(Rf_asReal(left)), Rf_asLogical(or_failed) == TRUE);
    tell_notes(*handle.link);
    return R_NilValue;
  });
}

// The values of elements by their numbers, from 1; unresolved ones stand for themselves.
SEXP tk_map_values(SEXP map, SEXP indices) {
  return guarded([&] {
    MapHandle& handle = map_of(map);
    auto read = [&] {
      SEXP values = PROTECT(Rf_allocVector(VECSXP, XLENGTH(indices)));
      for (R_xlen_t i = 0; i < XLENGTH(indices); ++i) {
        auto element = handle.first + static_cast<std::uint64_t>(REAL(indices)[i]) - 1;
        SET_VECTOR_ELT(values, i, value_of(handle, element));
      }
      UNPROTECT(1);
      return values;
    };
    return safely(read);
  });
}

// The number of an element near which one has failed, the first that is known of; 0: none.
SEXP tk_map_failed(SEXP map) {
  return guarded([&] {
    MapHandle& handle = map_of(map);
    std::optional<std::uint64_t> failed = answers_of(handle).first_failed();
    return number(failed ? *failed - handle.first + 1 : 0);
  });
}

SEXP tk_map_stop(SEXP map) {
  return guarded([&] {
    MapHandle& handle = map_of(map);
    handle.link->cancel_elements(handle.first, answers_of(handle).count());
    return R_NilValue;
  });
}

// Which of the elements have an answer.
SEXP tk_map_answered(SEXP map) {
  return guarded([&] {
    MapHandle& handle = map_of(map);
    handle.link->take_in();
    const MapAnswers& answers = answers_of(handle);
    bool all = !handle.link->is_usable();
    auto make = [&] {
      SEXP made = Rf_allocVector(LGLSXP, static_cast<R_xlen_t>(answers.count()));
      for (R_xlen_t i = 0; i < XLENGTH(made); ++i)
        LOGICAL(made)[i] = all || answers.is_answered(answers.first() + static_cast<std::uint64_t>(i));
      return made;
    };
    return safely(make);
  });
}

// One element as a mirai.
SEXP tk_map_mirai(SEXP map, SEXP index) {
  return guarded([&] {
    MapHandle& handle = map_of(map);
    std::uint64_t element = element_of(handle, index);
    auto make = [&] { return new_mirai(handle.link, element); };
    SEXP mirai = safely(make);
    ++answers_of(handle).users;
    return mirai;
  });
}
