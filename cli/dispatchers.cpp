#include "cli/dispatchers.h"

#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <fstream>
#include <optional>
#include <sstream>
#include <utility>

namespace tenkai {
namespace {

Result<std::vector<ViewerDoor>> all_doors() {
  std::ifstream file("/proc/net/unix", std::ios::binary);
  std::ostringstream text;
  text << file.rdbuf();
  if (!file) return Error{std::string("cannot read /proc/net/unix: ") + std::strerror(errno)};
  return viewer_doors(text.str());
}

// Those of this user; where `pid` is a dispatcher's, that one, and else it may be the
// pid of a session, which each of them may have.
std::vector<ViewerDoor> ours(const std::vector<ViewerDoor>& doors, std::optional<int> pid) {
  std::vector<ViewerDoor> all;
  std::vector<ViewerDoor> named;
  for (const ViewerDoor& door : doors) {
    if (door.uid != ::geteuid()) continue;
    all.push_back(door);
    if (pid && door.pid == *pid) named.push_back(door);
  }
  return named.empty() ? all : named;
}

Error not_found(int pid, const std::vector<ViewerDoor>& doors) {
  for (const ViewerDoor& door : doors) {
    if (door.pid != pid || door.uid == ::geteuid()) continue;
    return Error{"the dispatcher " + std::to_string(pid) + " belongs to uid " + std::to_string(door.uid) +
                 ", and lets in nobody else; run this as that user"};
  }
  return Error{"there is no dispatcher of yours with the process id " + std::to_string(pid) +
               ", and no R session with it that has one; tenkai status lists all"};
}

void keep(Result<View> view, std::unique_ptr<Viewer> viewer, Survey& survey) {
  if (view) survey.found.push_back({std::move(viewer), std::move(*view)});
  else survey.troubles.push_back(view.error().message);
}

}  // namespace

Result<Survey> survey(asio::io_context& io, std::optional<int> pid) {
  Result<std::vector<ViewerDoor>> doors = all_doors();
  if (!doors) return doors.error();
  Survey survey;
  for (const ViewerDoor& door : ours(*doors, pid)) {
    Result<std::unique_ptr<Viewer>> viewer = Viewer::visit(io, door);
    if (!viewer) {
      survey.troubles.push_back(viewer.error().message);
    } else if (*viewer) {
      Result<View> view = (*viewer)->look();
      bool is_asked_for = !pid || door.pid == *pid || !view || view->session_pid == *pid;
      if (is_asked_for) keep(std::move(view), std::move(*viewer), survey);
    }
  }
  if (pid && survey.found.empty() && survey.troubles.empty()) return not_found(*pid, *doors);
  return survey;
}

std::string none_found() {
  return "no dispatcher of yours runs on this machine; daemons() in an R session starts one";
}

}  // namespace tenkai
