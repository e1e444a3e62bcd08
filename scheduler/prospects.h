// Whether a daemon may still come, where none is here.
#pragma once

#include <string>

namespace tenkai {

struct Prospects {
  enum class Kind {
    coming,  // some are here, are being launched, or will be started again
    open,    // nobody here brings one, but somebody may: a URL is known, a command was printed
    none,    // all that was launched is over, or has failed
  };
  Kind kind = Kind::open;
  std::string why;  // none: how the last of it ended, a sentence without its stop

  bool operator==(const Prospects&) const = default;
};

}  // namespace tenkai
