// The socket at which a dispatcher lets viewers in. Its name tells whose it is, so
// that those find it who know nothing of the session: /proc/net/unix shows all names.
//
//   tenkai-<uid>-viewer-<pid>-<16 hexadecimal digits>
//
// A name is no proof: both ends ask the kernel for the other's uid.
#pragma once

#include <sys/types.h>

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/url.h"

namespace tenkai {

struct ViewerDoor {
  uid_t uid = 0;
  pid_t pid = 0;  // of the dispatcher
  std::string mark;

  bool operator==(const ViewerDoor&) const = default;
};

// A door of this process, with a mark that nobody has had before.
ViewerDoor fresh_viewer_door();

std::string name_of(const ViewerDoor& door);
Url url_of(const ViewerDoor& door);
// Nothing where it is the name of something else.
std::optional<ViewerDoor> parse_viewer_door(std::string_view name);
// The doors at which somebody listens, by the text of /proc/net/unix; in order of pid.
std::vector<ViewerDoor> viewer_doors(std::string_view sockets);

}  // namespace tenkai
