// Connecting to a dispatcher on this machine.
#pragma once

#include <stdexcept>
#include <string>

namespace tenkai {

// Nobody listens there, or nobody yet.
struct NobodyThere : std::runtime_error {
  using std::runtime_error::runtime_error;
};

// A connected descriptor for abstract://NAME, ipc://PATH or fd:N. The listener
// must run under our own user id. Throws std::runtime_error that begins with the
// number and text of the error: "6 | Connection refused: ...".
int dial(const std::string& url);

}  // namespace tenkai
