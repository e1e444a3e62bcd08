// The link as R holds it.
#pragma once

#include <memory>

#include "crossing.h"
#include "link.h"

namespace tenkai {

// Throws where the pointer has been closed, or came from another process.
std::shared_ptr<Link>& link_of(SEXP pointer);
// Shows the user what the dispatcher had to say since the last time.
void tell_notes(Link& link);
// Where `.tenkai_evaluate` is found, see R/evaluate.R.
SEXP evaluation_space();

}  // namespace tenkai
