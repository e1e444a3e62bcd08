#include "scheduler/local_daemons.h"

#include <unistd.h>

#include <string_view>
#include <utility>

#include "process/spawn.h"
#include "scheduler/end_cause.h"
#include "wire/secret.h"

namespace tenkai {
namespace {

std::string with_url(std::string call, const Url& url) {
  static constexpr std::string_view place = "@URL@";
  std::string text = to_string(url);
  for (std::size_t at = call.find(place); at != call.npos; at = call.find(place, at + text.size())) {
    call.replace(at, place.size(), text);
  }
  return call;
}

}  // namespace

// What a daemon of ours that comes in over the network reads from its descriptor 3.
Result<Descriptor> LocalDaemons::credential_pipe(std::size_t slot) {
  Result<std::string> line = around_.credential(slot);
  if (!line) return line.error();
  Result<std::pair<Descriptor, Descriptor>> pipe = make_pipe();
  if (!pipe) return pipe.error();
  // A line is smaller than any pipe.
  bool written =
      ::write(pipe->second.get(), line->data(), line->size()) == static_cast<ssize_t>(line->size());
  wipe(*line);
  if (!written) return Error{"a credential could not be written to a pipe"};
  return std::move(pipe->first);
}

Result<Done> LocalDaemons::start(std::size_t slot, const std::string& call) {
  RStart start;
  start.rscript = settings_.rscript;
  start.call = with_url(call, around_.url(slot));
  start.output = settings_.output;
  Descriptor credential;
  if (is_network(around_.url(slot))) {
    Result<Descriptor> made = credential_pipe(slot);
    if (!made) return made.error();
    credential = std::move(*made);
    start.stream = credential.get();
  }
  Result<pid_t> pid =
      around_.processes.start(start, [this](pid_t ended, const REnd& end) { on_ended(ended, end); });
  if (!pid) return pid.error();
  running_[*pid] = {slot, false};
  return Done{};
}

void LocalDaemons::on_joined(pid_t pid) {
  if (auto found = running_.find(pid); found != running_.end()) found->second.joined = true;
}

void LocalDaemons::on_ended(pid_t pid, const REnd& end) {
  auto found = running_.find(pid);
  if (found == running_.end()) return;  // it had left before
  if (found->second.joined) return around_.ended(pid, end);
  std::size_t slot = found->second.slot;
  running_.erase(found);
  around_.not_come(slot, cause_of(end), end.log_tail);
}

}  // namespace tenkai
