#include "mapping.h"

#include <sys/mman.h>

#include <algorithm>

namespace tenkai {

namespace {

// R knows nothing of what is mapped, and would let it pile up.
constexpr std::size_t least_mapped = 256 * 1024 * 1024;
std::size_t mapped_now = 0;
std::size_t mapped_limit = least_mapped;
double last_number = 0;

// The tag of the pointer: numbers that no jump can part from it.
constexpr R_xlen_t size_place = 0;
constexpr R_xlen_t number_place = 1;

void unmap(SEXP pointer) {
  void* address = R_ExternalPtrAddr(pointer);
  auto size = static_cast<std::size_t>(REAL_ELT(R_ExternalPtrTag(pointer), size_place));
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

}  // namespace

SEXP map_part(int file, std::size_t at, std::size_t size, SEXP keeper) {
  make_room(size);
  SEXP tag = PROTECT(Rf_allocVector(REALSXP, 2));
  REAL(tag)[size_place] = static_cast<double>(size);
  REAL(tag)[number_place] = ++last_number;
  SEXP pointer = PROTECT(R_MakeExternalPtr(nullptr, tag, keeper));
  R_RegisterCFinalizerEx(pointer, unmap, FALSE);
  void* address = mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_PRIVATE, file, static_cast<off_t>(at));
  if (address != MAP_FAILED) {
    R_SetExternalPtrAddr(pointer, address);
    mapped_now += size;
  }
  UNPROTECT(2);
  return pointer;
}

std::uint64_t unwritten_number(SEXP mapping) {
  return static_cast<std::uint64_t>(REAL_ELT(R_ExternalPtrTag(mapping), number_place));
}

void note_writing(SEXP mapping) { REAL(R_ExternalPtrTag(mapping))[number_place] = 0; }

void unmap_unused() {
  if (mapped_now > mapped_limit / 2) R_gc();
}

}  // namespace tenkai
