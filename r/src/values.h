// The R values that stand for something that is not a result.
#pragma once

#include <cstdint>
#include <string>

#include "base/random_stream.h"
#include "crossing.h"

namespace tenkai {

// logical NA of class "unresolvedValue"; one object for all.
SEXP unresolved_value();
// An integer of class c("errorValue", "try-error"), with what is known as its
// attribute "message". The result is not protected.
SEXP error_value(std::uint64_t code, const std::string& message);

// Gives a miraiError the fields of its condition as attributes of their names, and
// `condition.class`. What it has already stays. May jump.
void name_fields(SEXP error);

// A .Random.seed. Not protected.
SEXP stream_value(const RandomStream& stream);
// Throws where it is none.
RandomStream stream_in(SEXP value);

// A binding in the frame of `env` itself, or null.
SEXP find_in(SEXP env, SEXP symbol);

}  // namespace tenkai
