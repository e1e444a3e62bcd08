// The link as R holds it.
#pragma once

#include <memory>

#include "crossing.h"
#include "link.h"

namespace tenkai {

// Throws where the pointer has been closed, or came from another process.
std::shared_ptr<Link>& link_of(SEXP pointer);
// Another pointer to the same link, which stays where the profile of the first is reset. Not
// protected.
SEXP pointer_to(const std::shared_ptr<Link>& link);
// Shows the user what the dispatcher had to say since the last time.
void tell_notes(Link& link);
// ... but not what tasks say: whoever hears that may leave, and a task that was just submitted would
// be lost.
void tell_own_notes(Link& link);
// Where `.tenkai_evaluate` is found, see R/evaluate.R.
SEXP evaluation_space();

}  // namespace tenkai
