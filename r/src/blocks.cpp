#include "blocks.h"

#include <R_ext/Altrep.h>
#include <sys/mman.h>

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <new>

#include "scan_format.h"

namespace tenkai {

namespace {

using serialization::aligned;
using serialization::block_alignment;

// Smaller ones are copied sooner than they are mapped.
constexpr std::size_t least_block = 1024 * 1024;
// More in one value are written as R does.
constexpr std::size_t most_blocks = 256;
// How many parts of a value are looked at, and how deep, for such vectors.
constexpr int most_parts = 100'000;
constexpr int deepest_part = 32;

// R knows nothing of what is mapped, and would let it pile up.
constexpr std::size_t least_mapped = 256 * 1024 * 1024;
std::size_t mapped_now = 0;
std::size_t mapped_limit = least_mapped;

// --- a class for each type ---

struct BlockClass {
  SEXPTYPE type;
  const char* name;
  R_altrep_class_t (*make)(const char*, const char*, DllInfo*);
  R_altrep_class_t made;
};

BlockClass classes[] = {
    {LGLSXP, "block_logical", R_make_altlogical_class, {}},
    {INTSXP, "block_integer", R_make_altinteger_class, {}},
    {REALSXP, "block_real", R_make_altreal_class, {}},
    {CPLXSXP, "block_complex", R_make_altcomplex_class, {}},
    {RAWSXP, "block_raw", R_make_altraw_class, {}},
};

const BlockClass* class_for(int type) {
  for (const BlockClass& each : classes) {
    if (static_cast<int>(each.type) == type) return &each;
  }
  return nullptr;
}

std::size_t bytes_of(SEXP vector) {
  auto type = static_cast<serialization::Type>(TYPEOF(vector));
  return static_cast<std::size_t>(XLENGTH(vector)) * serialization::number_size(type);
}

// What a vector of such a class consists of: where its numbers are, which is an external pointer
// to a mapping, or another vector (while it is written); and list(length, ...) as numbers.
SEXP place_of(SEXP block) { return R_altrep_data1(block); }
double length_of(SEXP block) { return REAL_ELT(R_altrep_data2(block), 0); }

void* address_of(SEXP block) {
  SEXP place = place_of(block);
  if (TYPEOF(place) == EXTPTRSXP) return R_ExternalPtrAddr(place);
  return const_cast<void*>(DATAPTR_RO(place));
}

// --- writing ---

struct Piece {
  const void* address = nullptr;
  std::size_t size = 0;
};

// Out here, since R jumps.
struct Writing {
  bool is_open = false;
  std::size_t count = 0;
  std::size_t end = 0;  // of the last block, from where the first one begins
  Piece pieces[most_blocks];
};
Writing writing;

// Called by R as it comes to the vector: its length, and where its block begins. NULL: R writes
// the numbers themselves, as it does of all that are not written by us.
SEXP state_to_write(SEXP block) {
  if (TYPEOF(place_of(block)) == EXTPTRSXP || writing.count == most_blocks) return nullptr;
  std::size_t begin = aligned(writing.end);
  std::size_t size = bytes_of(block);
  writing.pieces[writing.count++] = {address_of(block), size};
  writing.end = begin + size;
  SEXP state = Rf_allocVector(REALSXP, 2);
  REAL(state)[0] = length_of(block);
  REAL(state)[1] = static_cast<double>(begin);
  return state;
}

// One that stands for `vector` while it is written. Not protected.
SEXP stand_in(SEXP vector, const BlockClass& its) {
  SEXP length = PROTECT(Rf_ScalarReal(static_cast<double>(XLENGTH(vector))));
  SEXP block = PROTECT(R_new_altrep(its.made, vector, length));
  SHALLOW_DUPLICATE_ATTRIB(block, vector);
  UNPROTECT(2);
  return block;
}

// Whether its numbers lie in memory as they are: not those of a sequence, for example.
bool has_numbers(SEXP vector) { return !ALTREP(vector) || DATAPTR_OR_NULL(vector) != nullptr; }

// The object with a stand-in for each large vector in it, in a copy of the lists around it; the
// object itself where there is none. Not protected.
SEXP with_stand_ins(SEXP object, int depth, int& parts, bool& found) {
  if (--parts < 0 || depth > deepest_part) return object;
  if (const BlockClass* its = class_for(TYPEOF(object))) {
    if (bytes_of(object) < least_block || !has_numbers(object)) return object;
    found = true;
    return stand_in(object, *its);
  }
  if (TYPEOF(object) != VECSXP || ALTREP(object)) return object;
  SEXP copy = object;
  PROTECT_INDEX place;
  PROTECT_WITH_INDEX(copy, &place);
  for (R_xlen_t i = 0; i < XLENGTH(object) && parts > 0; ++i) {
    SEXP before = VECTOR_ELT(object, i);
    SEXP after = PROTECT(with_stand_ins(before, depth + 1, parts, found));
    if (after != before) {
      if (copy == object) REPROTECT(copy = Rf_shallow_duplicate(object), place);
      SET_VECTOR_ELT(copy, i, after);
    }
    UNPROTECT(1);
  }
  UNPROTECT(1);
  return copy;
}

struct Written {
  SEXP object;
  Buffer& into;
  void (*write)(SEXP, Buffer&);
};

void append_zeros(Buffer& into, std::size_t size) {
  static const char zeros[block_alignment] = {};
  into.append(zeros, size);
}

SEXP write_all(void* data) {
  auto& all = *static_cast<Written*>(data);
  all.write(all.object, all.into);
  for (std::size_t i = 0; i < writing.count; ++i) {
    append_zeros(all.into, aligned(all.into.size()) - all.into.size());
    all.into.append(writing.pieces[i].address, writing.pieces[i].size);
  }
  return R_NilValue;
}

void end_writing(void*) { writing.is_open = false; }

// --- reading ---

struct Reading {
  const Payload* payload = nullptr;
  std::uint64_t blocks = 0;  // where they begin
};
Reading reading;

void unmap(SEXP pointer) {
  void* address = R_ExternalPtrAddr(pointer);
  auto size = static_cast<std::size_t>(Rf_asReal(R_ExternalPtrTag(pointer)));
  if (address == nullptr) return;
  munmap(address, size);
  mapped_now -= std::min(mapped_now, size);
  R_ClearExternalPtr(pointer);
}

void make_room(std::size_t size) {
  if (mapped_now + size <= mapped_limit) return;
  R_gc();
  mapped_limit = std::max(least_mapped, 2 * (mapped_now + size));
}

// NULL where it cannot be mapped. Pages that R writes to become its own. Not protected.
SEXP mapped(const BlockClass& its, std::size_t at, std::size_t size, SEXP length) {
  int file = file_of(*reading.payload);
  if (file < 0 || at % block_alignment != 0) return nullptr;
  make_room(size);
  SEXP pointer = PROTECT(R_MakeExternalPtr(nullptr, Rf_ScalarReal(static_cast<double>(size)), R_NilValue));
  R_RegisterCFinalizerEx(pointer, unmap, FALSE);
  SEXP block = PROTECT(R_new_altrep(its.made, pointer, length));
  void* address = mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_PRIVATE, file, static_cast<off_t>(at));
  if (address != MAP_FAILED) {
    R_SetExternalPtrAddr(pointer, address);
    mapped_now += size;
  }
  UNPROTECT(2);
  return address == MAP_FAILED ? nullptr : block;
}

void* room_in(SEXP vector) {
  switch (TYPEOF(vector)) {
    case LGLSXP: return LOGICAL(vector);
    case INTSXP: return INTEGER(vector);
    case REALSXP: return REAL(vector);
    case CPLXSXP: return COMPLEX(vector);
    default: return RAW(vector);
  }
}

void copy_numbers(SEXP into, std::size_t at, std::size_t size) {
  const char* from = nullptr;
  try {
    from = (*reading.payload)->data();
  } catch (const std::bad_alloc&) {  // R's jump must not start in here
  }
  if (from == nullptr) Rf_error("cannot map a value of %zu bytes", size_of(*reading.payload));
  std::memcpy(room_in(into), from + at, size);
}

// What is given was looked at before (scan.h), and what else calls this is refused.
SEXP read_block(SEXP its_class, SEXP state) {
  const BlockClass* its = nullptr;
  for (const BlockClass& each : classes) {
    if (R_SEXP(each.made) == its_class) its = &each;
  }
  bool is_state = TYPEOF(state) == REALSXP && XLENGTH(state) == 2;
  if (its == nullptr || reading.payload == nullptr || !is_state)
    Rf_error("this vector was written by tenkai, for a process that reads it at once");
  double length = REAL_ELT(state, 0);
  auto type = static_cast<serialization::Type>(its->type);
  double size = length * static_cast<double>(serialization::number_size(type));
  double at = static_cast<double>(reading.blocks) + REAL_ELT(state, 1);
  if (!(size >= 0 && at >= 0 && at + size <= static_cast<double>(size_of(*reading.payload))))
    Rf_error("a serialized value is cut off");
  SEXP count = PROTECT(Rf_ScalarReal(length));
  SEXP vector = mapped(*its, static_cast<std::size_t>(at), static_cast<std::size_t>(size), count);
  if (vector == nullptr) {
    vector = PROTECT(Rf_allocVector(its->type, static_cast<R_xlen_t>(length)));
    copy_numbers(vector, static_cast<std::size_t>(at), static_cast<std::size_t>(size));
    UNPROTECT(1);
  }
  UNPROTECT(1);
  return vector;
}

void end_reading(void* before) { reading = *static_cast<Reading*>(before); }

// --- what R asks of such a vector ---

R_xlen_t block_length(SEXP block) { return static_cast<R_xlen_t>(length_of(block)); }

void* block_address(SEXP block, Rboolean) { return address_of(block); }

const void* block_address_or_null(SEXP block) { return address_of(block); }

Rboolean inspect_block(SEXP block, int, int, int, void (*)(SEXP, int, int, int)) {
  Rprintf(" block of tenkai (%s)\n", TYPEOF(place_of(block)) == EXTPTRSXP ? "mapped" : "to be written");
  return TRUE;
}

}  // namespace

void make_block_classes(DllInfo* library) {
  for (BlockClass& each : classes) {
    each.made = each.make(each.name, "tenkai", library);
    R_set_altrep_Length_method(each.made, block_length);
    R_set_altrep_Inspect_method(each.made, inspect_block);
    R_set_altrep_Serialized_state_method(each.made, state_to_write);
    R_set_altrep_Unserialize_method(each.made, read_block);
    R_set_altvec_Dataptr_method(each.made, block_address);
    R_set_altvec_Dataptr_or_null_method(each.made, block_address_or_null);
  }
}

void serialize_with_blocks(SEXP object, Buffer& into, void (*write)(SEXP, Buffer&)) {
  int parts = most_parts;
  bool found = false;
  SEXP whole = PROTECT(with_stand_ins(object, 0, parts, found));
  // A finalizer that R runs while it writes may hand in a task of its own.
  if (found && !writing.is_open) {
    writing.is_open = true;
    writing.count = writing.end = 0;
    Written all{whole, into, write};
    R_ExecWithCleanup(write_all, &all, end_writing, nullptr);
  } else {
    write(object, into);
  }
  UNPROTECT(1);
}

void unmap_unused() {
  if (mapped_now > mapped_limit / 2) R_gc();
}

SEXP with_blocks_of(const Payload& payload, std::uint64_t blocks, SEXP (*read)(void*), void* data) {
  Reading before = reading;
  reading = {&payload, blocks};
  return R_ExecWithCleanup(read, data, end_reading, &before);
}

}  // namespace tenkai
