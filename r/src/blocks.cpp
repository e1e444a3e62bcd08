#include "blocks.h"

#include <R_ext/Altrep.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <new>
#include <utility>
#include <vector>

#include "base/shared_blocks.h"
#include "mapping.h"
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
  std::uint64_t mapping = 0;  // as in Buffer::Block
};

bool is_mapped(SEXP vector) {
  const BlockClass* its = class_for(TYPEOF(vector));
  return its != nullptr && ALTREP(vector) && R_altrep_inherits(vector, its->made) &&
         TYPEOF(place_of(vector)) == EXTPTRSXP;
}

// What there is to write for a vector, or for one that stands in for it.
Piece piece_of(SEXP block) {
  SEXP vector = TYPEOF(place_of(block)) == EXTPTRSXP ? block : place_of(block);
  std::uint64_t mapping = is_mapped(vector) ? unwritten_number(place_of(vector)) : 0;
  return {address_of(block), bytes_of(block), mapping};
}

// Out here, since R jumps.
struct Writing {
  bool is_open = false;
  std::size_t count = 0;
  std::size_t end = 0;  // of the last block, from where the first one begins
  Piece pieces[most_blocks];
  FiledVectors* filed = nullptr;
  std::size_t shared_count = 0;
  std::size_t shared_end = 0;
  SharedBlock shared[max_shared_blocks];
};
Writing writing;

// Whether it is in a file already, and a shared block now, at `begin` of these.
bool share(const Piece& piece, std::size_t& begin) {
  if (writing.filed == nullptr || writing.shared_count == max_shared_blocks) return false;
  SharedBlock block = writing.filed->find(piece.address, piece.size, piece.mapping);
  if (block.file == nullptr) return false;
  begin = aligned(writing.shared_end);
  writing.shared_end = begin + piece.size;
  writing.shared[writing.shared_count++] = std::move(block);
  return true;
}

// Called by R as it comes to the vector: its length, where its block begins, and 1 where that is
// a shared one. NULL: R writes the numbers themselves, as it does of all that are not written by us.
SEXP state_to_write(SEXP block) {
  if (TYPEOF(place_of(block)) == EXTPTRSXP || writing.count == most_blocks) return nullptr;
  Piece piece = piece_of(block);
  std::size_t begin = 0;
  bool is_shared = share(piece, begin);
  if (!is_shared) {
    begin = aligned(writing.end);
    writing.pieces[writing.count++] = piece;
    writing.end = begin + piece.size;
  }
  SEXP state = Rf_allocVector(REALSXP, is_shared ? 3 : 2);
  REAL(state)[0] = length_of(block);
  REAL(state)[1] = static_cast<double>(begin);
  if (is_shared) REAL(state)[2] = 1;
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
    if (writing.filed != nullptr) writing.filed->expect(DATAPTR_RO(object), bytes_of(object));
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

// Calls take() for the stand-ins in what with_stand_ins() has returned, in their order.
template <class Take>
void for_each_stand_in(SEXP object, int depth, int& parts, Take& take) {
  if (--parts < 0 || depth > deepest_part) return;
  if (const BlockClass* its = class_for(TYPEOF(object))) {
    bool is_one = ALTREP(object) && R_altrep_inherits(object, its->made);
    if (is_one && TYPEOF(place_of(object)) != EXTPTRSXP) take(object);
    return;
  }
  if (TYPEOF(object) != VECSXP || ALTREP(object)) return;
  for (R_xlen_t i = 0; i < XLENGTH(object) && parts > 0; ++i)
    for_each_stand_in(VECTOR_ELT(object, i), depth + 1, parts, take);
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

// R's jump must not start where C++ throws.
void append_block(Buffer& into, const Piece& piece) {
  append_zeros(into, aligned(into.size()) - into.size());
  try {
    into.note_block(piece.address, piece.size, piece.mapping);
  } catch (const std::bad_alloc&) {  // then nobody finds it again
  }
  into.append(piece.address, piece.size);
}

bool keep_shared(Buffer& into) {
  try {
    into.shared().assign(writing.shared, writing.shared + writing.shared_count);
    return true;
  } catch (const std::bad_alloc&) {
    return false;
  }
}

SEXP write_all(void* data) {
  auto& all = *static_cast<Written*>(data);
  all.write(all.object, all.into);
  for (std::size_t i = 0; i < writing.count; ++i) append_block(all.into, writing.pieces[i]);
  if (!keep_shared(all.into)) Rf_error("there is no memory to serialize a value");
  return R_NilValue;
}

void end_writing(void*) {
  writing.is_open = false;
  writing.filed = nullptr;
  for (; writing.shared_count > 0; --writing.shared_count) writing.shared[writing.shared_count - 1] = {};
}

// --- reading ---

struct Reading {
  const Payload* payload = nullptr;
  std::uint64_t blocks = 0;  // where they begin
  std::uint64_t shared = 0;  // ... and shared ones
  FiledVectors* filed = nullptr;
};
Reading reading;

// Where the numbers of a vector are: from there on in these bytes.
struct Source {
  const Bytes* bytes;
  std::size_t at;
};

// `begin`: of a block among those of its kind, which lie as scan() has found them. No bytes
// where there is no such block.
Source source_of(bool is_shared, double begin, double size) {
  const Bytes& payload = **reading.payload;
  double rest = 0;
  for (const SharedBlock& block : payload.blocks()) {
    if (is_shared && rest == begin && size == static_cast<double>(block.size))
      return {block.file.get(), static_cast<std::size_t>(block.begin)};
    rest += static_cast<double>(aligned(block.size));
  }
  double at = begin + static_cast<double>(is_shared ? reading.shared : reading.blocks);
  bool is_elsewhere = is_shared && !payload.blocks().empty();
  bool fits = begin >= 0 && size >= 0 && at + size <= static_cast<double>(payload.size());
  if (is_elsewhere || !fits) return {nullptr, 0};
  return {&payload, static_cast<std::size_t>(at)};
}

// The file of a payload of its own, or of a shared block.
std::shared_ptr<const Bytes> file_of(const Source& source) {
  const Payload& payload = *reading.payload;
  for (const SharedBlock& block : payload->blocks()) {
    if (block.file.get() == source.bytes) return block.file;
  }
  return has_shared_blocks(payload) ? payload->own() : payload;
}

// So that it need not be written again. R's jump must not start in here.
void remember(const Source& source, SEXP mapping, std::size_t size) noexcept {
  if (reading.filed == nullptr) return;
  Buffer::Block block{R_ExternalPtrAddr(mapping), size, source.at, unwritten_number(mapping)};
  try {
    reading.filed->add(file_of(source), {block});
  } catch (const std::bad_alloc&) {  // then it is written
  }
}

// NULL where it cannot be mapped. Not protected.
SEXP mapped(const BlockClass& its, const Source& source, std::size_t size, SEXP length) {
  int file = source.bytes->file();
  if (file < 0 || source.at % block_alignment != 0) return nullptr;
  SEXP pointer = PROTECT(map_part(file, source.at, size, R_NilValue));
  SEXP block = PROTECT(R_new_altrep(its.made, pointer, length));
  UNPROTECT(2);
  if (R_ExternalPtrAddr(pointer) == nullptr) return nullptr;
  remember(source, pointer, size);
  return block;
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

void copy_numbers(SEXP into, const Source& source, std::size_t size) {
  const char* from = nullptr;
  try {
    from = source.bytes->data();
  } catch (const std::bad_alloc&) {  // R's jump must not start in here
  }
  if (from == nullptr) Rf_error("cannot map a value of %zu bytes", size_of(*reading.payload));
  std::memcpy(room_in(into), from + source.at, size);
}

// What is given was looked at before (scan.h), and what else calls this is refused.
SEXP read_block(SEXP its_class, SEXP state) {
  const BlockClass* its = nullptr;
  for (const BlockClass& each : classes) {
    if (R_SEXP(each.made) == its_class) its = &each;
  }
  bool is_state = TYPEOF(state) == REALSXP && (XLENGTH(state) == 2 || XLENGTH(state) == 3);
  if (its == nullptr || reading.payload == nullptr || !is_state)
    Rf_error("this vector was written by tenkai, for a process that reads it at once");
  double length = REAL_ELT(state, 0);
  auto type = static_cast<serialization::Type>(its->type);
  double size = length * static_cast<double>(serialization::number_size(type));
  Source source = source_of(XLENGTH(state) == 3, REAL_ELT(state, 1), size);
  if (source.bytes == nullptr) Rf_error("a serialized value is cut off");
  SEXP count = PROTECT(Rf_ScalarReal(length));
  SEXP vector = mapped(*its, source, static_cast<std::size_t>(size), count);
  if (vector == nullptr) {
    vector = PROTECT(Rf_allocVector(its->type, static_cast<R_xlen_t>(length)));
    copy_numbers(vector, source, static_cast<std::size_t>(size));
    UNPROTECT(1);
  }
  UNPROTECT(1);
  return vector;
}

void end_reading(void* before) { reading = *static_cast<Reading*>(before); }

// --- what R asks of such a vector ---

R_xlen_t block_length(SEXP block) { return static_cast<R_xlen_t>(length_of(block)); }

void* block_address(SEXP block, Rboolean writeable) {
  if (writeable && TYPEOF(place_of(block)) == EXTPTRSXP) note_writing(place_of(block));
  return address_of(block);
}

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

void serialize_with_blocks(SEXP object, Buffer& into, FiledVectors* filed, void (*write)(SEXP, Buffer&)) {
  // A finalizer that R runs while it writes may hand in a task of its own.
  if (writing.is_open) return write(object, into);
  int parts = most_parts;
  bool found = false;
  writing.filed = filed;
  if (filed != nullptr) filed->begin_value();
  SEXP whole = PROTECT(with_stand_ins(object, 0, parts, found));
  if (found && !writing.is_open) {
    writing.is_open = true;
    writing.count = writing.end = writing.shared_count = writing.shared_end = 0;
    writing.filed = filed;
    Written all{whole, into, write};
    R_ExecWithCleanup(write_all, &all, end_writing, nullptr);
  } else {
    write(object, into);
  }
  UNPROTECT(1);
}

SEXP with_stand_ins(SEXP object) {
  int parts = most_parts;
  bool found = false;
  return with_stand_ins(object, 0, parts, found);
}

void append_stand_ins(SEXP object, Buffer& into) {
  auto append = [&into](SEXP block) { append_block(into, piece_of(block)); };
  int parts = most_parts;
  for_each_stand_in(object, 0, parts, append);
}

void map_stand_ins(SEXP object, const Bytes& file, SEXP keeper, std::vector<Buffer::Block>& blocks) {
  std::size_t next = 0;
  auto map = [&](SEXP block) {
    Buffer::Block& its = blocks[next++];
    SEXP pointer = PROTECT(map_part(file.file(), its.begin, its.size, keeper));
    its.address = R_ExternalPtrAddr(pointer);
    its.mapping = unwritten_number(pointer);
    if (its.address == nullptr) Rf_error("cannot map %zu bytes", its.size);
    R_set_altrep_data1(block, pointer);
    UNPROTECT(1);
  };
  int parts = most_parts;
  for_each_stand_in(object, 0, parts, map);
}

SEXP with_blocks_of(const Payload& payload, const Verdict& verdict, FiledVectors* filed, SEXP (*read)(void*),
                    void* data) {
  Reading before = reading;
  reading = {&payload, verdict.blocks, verdict.shared, filed};
  return R_ExecWithCleanup(read, data, end_reading, &before);
}

}  // namespace tenkai
