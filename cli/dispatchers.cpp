#include "cli/dispatchers.h"

#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <fstream>
#include <optional>
#include <sstream>
#include <thread>
#include <utility>

namespace tenkai {
namespace {

constexpr std::chrono::seconds time_for_crowded_doors{1};

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

bool has_door_of(int pid, const std::vector<ViewerDoor>& doors) {
  auto is_it = [pid](const ViewerDoor& door) { return door.pid == pid && door.uid == ::geteuid(); };
  return std::any_of(doors.begin(), doors.end(), is_it);
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

// What the process behind `viewer` says, unless another one is asked for.
void listen(std::unique_ptr<Viewer> viewer, std::optional<int> pid, Survey& survey) {
  Result<View> view = viewer->look();
  bool is_asked_for = !pid || viewer->pid() == *pid || !view || view->session_pid == *pid;
  if (is_asked_for) keep(std::move(view), std::move(viewer), survey);
}

// Goes to all doors once; returns those before which too many stand.
std::vector<ViewerDoor> visit_all(asio::io_context& io, const std::vector<ViewerDoor>& doors,
                                  std::optional<int> pid, Survey& survey) {
  std::vector<ViewerDoor> crowded;
  for (const ViewerDoor& door : doors) {
    Result<Viewer::Visit> visit = Viewer::visit(io, door);
    if (!visit) survey.troubles.push_back(visit.error().message);
    if (visit && visit->is_crowded) crowded.push_back(door);
    if (visit && visit->viewer) listen(std::move(visit->viewer), pid, survey);
  }
  return crowded;
}

std::string not_answered(const std::vector<ViewerDoor>& doors) {
  std::string first = name_of(doors.front());
  std::string which = doors.size() == 1
                          ? "the socket @" + first + " has"
                          : std::to_string(doors.size()) + " sockets, the first one @" + first + ", have";
  return which +
         " the name of a dispatcher of yours, and nobody takes the calls there: it is stopped or very busy, "
         "or "
         "another user has taken the name";
}

}  // namespace

Result<Survey> survey(asio::io_context& io, std::optional<int> pid) {
  Result<std::vector<ViewerDoor>> doors = all_doors();
  if (!doors) return doors.error();
  Survey survey;
  // Anybody can have such a name, and any number of them: all are waited for together.
  auto until = std::chrono::steady_clock::now() + time_for_crowded_doors;
  std::vector<ViewerDoor> left = visit_all(io, ours(*doors, pid), pid, survey);
  while (!left.empty() && std::chrono::steady_clock::now() < until) {
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
    left = visit_all(io, left, pid, survey);
  }
  if (!left.empty()) survey.troubles.push_back(not_answered(left));
  if (!pid || !survey.found.empty()) return survey;
  if (survey.troubles.empty()) return not_found(*pid, *doors);
  // The trouble is that of others.
  if (!has_door_of(*pid, *doors)) survey.troubles.push_back(not_found(*pid, *doors).message);
  return survey;
}

std::string none_found() {
  return "no dispatcher of yours runs on this machine; daemons() in an R session starts one";
}

}  // namespace tenkai
