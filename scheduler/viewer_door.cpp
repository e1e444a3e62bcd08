#include "scheduler/viewer_door.h"

#include <unistd.h>

#include <algorithm>
#include <utility>

#include "base/random_hex.h"
#include "base/text.h"

namespace tenkai {
namespace {

constexpr std::size_t mark_bytes = 8;

// Columns of /proc/net/unix: num, refcount, protocol, flags, type, state, inode, path.
constexpr std::string_view listens = "00010000";
constexpr std::size_t flags_column = 3;
constexpr std::size_t path_column = 7;

std::vector<std::string_view> words(std::string_view line) {
  std::vector<std::string_view> found = split(line, ' ');
  std::erase_if(found, [](std::string_view word) { return word.empty(); });
  return found;
}

}  // namespace

ViewerDoor fresh_viewer_door() { return {::geteuid(), ::getpid(), random_hex(mark_bytes)}; }

std::string name_of(const ViewerDoor& door) {
  return "tenkai-" + std::to_string(door.uid) + "-viewer-" + std::to_string(door.pid) + "-" + door.mark;
}

Url url_of(const ViewerDoor& door) {
  Url url;
  url.scheme = Url::Scheme::abstract;
  url.path = name_of(door);
  return url;
}

std::optional<ViewerDoor> parse_viewer_door(std::string_view name) {
  std::vector<std::string_view> pieces = split(name, '-');
  if (pieces.size() != 5 || pieces[0] != "tenkai" || pieces[2] != "viewer") return std::nullopt;
  auto uid = to_number<uid_t>(pieces[1]);
  auto pid = to_number<pid_t>(pieces[3]);
  bool is_mark = pieces[4].size() == 2 * mark_bytes &&
                 pieces[4].find_first_not_of("0123456789abcdef") == std::string_view::npos;
  if (!uid || !pid || *pid < 1 || !is_mark) return std::nullopt;
  return ViewerDoor{*uid, *pid, std::string(pieces[4])};
}

std::vector<ViewerDoor> viewer_doors(std::string_view sockets) {
  std::vector<ViewerDoor> doors;
  for (std::string_view line : split(sockets, '\n')) {
    std::vector<std::string_view> columns = words(line);
    if (columns.size() != path_column + 1 || columns[flags_column] != listens) continue;
    std::string_view path = columns[path_column];
    // '@' stands for the byte 0 with which the name of such a socket begins.
    if (path.substr(0, 1) != "@") continue;
    if (std::optional<ViewerDoor> door = parse_viewer_door(path.substr(1))) doors.push_back(std::move(*door));
  }
  std::sort(doors.begin(), doors.end(),
            [](const ViewerDoor& a, const ViewerDoor& b) { return a.pid < b.pid; });
  return doors;
}

}  // namespace tenkai
